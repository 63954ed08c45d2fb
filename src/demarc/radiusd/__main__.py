"""`python -m demarc.radiusd`: the RADIUS server. Trouble at the start is one sentence and exit code 1.

With DEMARC_RADIUS_PROCESSES above 1 it starts that many, each as `python -m demarc.radiusd INDEX AUTH_FD ACCT_FD`.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Sequence

from demarc.radiusd import config as configuration
from demarc.radiusd import fleet
from demarc.radiusd.config import Config
from demarc.radiusd.daemon import Daemon, lock
from demarc.radiusd.server import listen

log = logging.getLogger("radiusd")


def main(arguments: Sequence[str]) -> int:
    """Run until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    given = [int(number) for number in arguments]
    config = configuration.from_environment(index=given[0] if given else 0)
    try:
        if config.processes == 1 or given or not _serve_together(config):
            _serve(config, given[1:])
    except BlockingIOError:
        log.error("Another radiusd works in %s.", config.data)
        return 1
    except OSError as error:
        log.error("radiusd cannot start: %s.", error)
        return 1
    return 0


def _serve_together(config: Config) -> bool:
    """Run all processes until stopped; False: the kernel cannot, so there is to be one."""
    try:
        asyncio.run(fleet.run(config))
    except fleet.Unsteerable as error:
        log.warning("this kernel cannot steer routers to processes (%s): going on with one process", error)
        os.environ["DEMARC_RADIUS_PROCESSES"] = "1"  # for the shipper, too
        return False
    return True


def _serve(config: Config, inherited: Sequence[int]) -> None:
    with lock(config.journal):
        if inherited:
            auth, acct = (socket.socket(fileno=number) for number in inherited)
        else:
            auth, acct = listen(config.bind, config.auth_port), listen(config.bind, config.acct_port)
        alone = configuration.from_environment(index=config.index)
        asyncio.run(Daemon(alone).serve(auth, acct))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
