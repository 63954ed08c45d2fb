"""`python -m demarc.radiusd`: the RADIUS server. Trouble at the start is one sentence and exit code 1."""

import asyncio
import logging
import sys

from demarc.radiusd import config as configuration
from demarc.radiusd.daemon import Daemon, lock
from demarc.radiusd.server import listen


def main() -> int:
    """Run until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    config = configuration.from_environment()
    try:
        held = lock(config.journal)
        sockets = listen(config.bind, config.auth_port), listen(config.bind, config.acct_port)
        daemon = Daemon(config)
    except BlockingIOError:
        logging.error("Another radiusd works in %s.", config.data)
        return 1
    except OSError as error:
        logging.error("radiusd cannot start: %s", error)
        return 1
    with held:
        asyncio.run(daemon.serve(*sockets))
    return 0


if __name__ == "__main__":
    sys.exit(main())
