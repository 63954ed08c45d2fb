"""What processes left that are no more, when there are fewer than there were: their journals still go to the database.

Only the first process of a node looks after that. Address blocks it adopts, too (`leases`).
"""

import asyncio
import contextlib
import logging
import re
import sys
from pathlib import Path

from demarc.radiusd import journal
from demarc.radiusd.config import Config

AGAIN_S = 10.0
_NAME = re.compile(r"journal-(\d{1,6})")

log = logging.getLogger(__name__)


def left(config: Config) -> list[tuple[Path, str]]:
    """The journals with something in them whose process is no more, each with the name of its bookmark."""
    found = []
    for directory in sorted((config.data / "radius").glob("journal-*")):
        match = _NAME.fullmatch(directory.name)
        if match and int(match[1]) >= config.processes and journal.segments(directory):
            found.append((directory, f"{config.node}/{match[1]}"))
    return found


async def ship(config: Config) -> None:
    """Ship them all, one after the other; what fails, as without a database, is tried again."""
    for path in config.data.glob("run/radiusd-*.json"):
        number = path.stem.removeprefix("radiusd-")
        if number.isdigit() and int(number) >= config.processes:
            path.unlink(missing_ok=True)
    while waiting := left(config):
        for directory, writer in waiting:
            log.info("shipping what %s left", writer)
            command = (sys.executable, "-m", "demarc.radiusd.drain", str(directory), writer, "--delete")
            child = await asyncio.create_subprocess_exec(*command)
            try:
                await child.wait()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    child.terminate()
                raise
        if left(config):
            await asyncio.sleep(AGAIN_S)
