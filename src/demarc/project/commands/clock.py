"""`demarc clock`: the time as this installation sees it, and moving it where that is allowed."""

import re
import sys
from argparse import Namespace
from datetime import datetime, timedelta

from demarc.base import clock
from demarc.core.errors import Refused
from demarc.project.config import Config

SPAN = re.compile(r"(\d{1,6})([smhd])")
UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def run(args: Namespace) -> int:
    """Move it when asked to, then show it."""
    data = Config.from_environment().data
    try:
        if args.set:
            clock.move_to(data, _instant(args.set))
        if args.advance:
            clock.move_to(data, clock.Clock(data).now() + _span(args.advance))
    except PermissionError as error:
        raise Refused(f"{error}.", code="setting") from error
    sys.stdout.write(f"{clock.Clock(data).now().isoformat(timespec='seconds')}\n")
    return 0


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Refused(f"--set {text}: must be an instant with its zone, as 2026-03-01T00:00:00+00:00.", code="setting")
    return instant


def _span(text: str) -> timedelta:
    found = SPAN.fullmatch(text)
    if not found:
        raise Refused(f"--advance {text}: must be a number and s, m, h or d, as 1d.", code="setting")
    return timedelta(**{UNIT[found[2]]: int(found[1])})
