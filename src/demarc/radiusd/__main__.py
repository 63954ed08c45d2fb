"""`python -m demarc.radiusd`: start, serve, and stop on SIGTERM without losing an acknowledged record."""

import asyncio
import logging
import signal
import sys

from demarc.base import clock
from demarc.base.seal import Opener
from demarc.radiusd import config as configuration
from demarc.radiusd.acct import Accountant
from demarc.radiusd.auth import Authenticator
from demarc.radiusd.config import Config
from demarc.radiusd.counters import Counters
from demarc.radiusd.feed import Follower
from demarc.radiusd.journal import Journal
from demarc.radiusd.leases import Leases
from demarc.radiusd.model import Model
from demarc.radiusd.online import Online
from demarc.radiusd.server import AcctPort, AuthPort, listen


async def serve(config: Config) -> None:
    """One process: read the model, then answer until told to stop."""
    model = Model(Opener((config.keys / "radius.key").read_bytes()))
    counters, online, leases = Counters(), Online(), Leases()
    journal = Journal(config.journal)
    auth = Authenticator(model, online, leases, counters, clock.now)
    acct = Accountant(model, online, leases, journal, counters, clock.now)
    follower = Follower(config.url, model)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(work) for work in (journal.run(), follower.run())]
    await follower.loaded.wait()
    AuthPort(listen(config.bind, config.auth_port), model, counters, auth).serve()
    AcctPort(listen(config.bind, config.acct_port), model, counters, acct).serve()
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    journal.close()


def main() -> int:
    """Run until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    asyncio.run(serve(configuration.from_environment()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
