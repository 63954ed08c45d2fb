"""The supervisor's step "first-start": what a new installation lacks, and the logins printed once."""

import sys
from argparse import Namespace
from collections.abc import Iterable

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.project import demo
from demarc.project.firststart import first_partner, first_start

FILLED = "filled\n"


def run(args: Namespace) -> int:
    """Print each line as it comes; the password is shown here and nowhere else."""
    _show(first_start(by=SYSTEM, at=clock.now()))
    marker = args.config.data / "DEMO"
    if not args.demo:
        first_partner(by=SYSTEM, at=clock.now())
    elif marker.read_text() != FILLED:  # a filling that was interrupted is refused by `fill`, not mended
        _show(demo.fill(by=SYSTEM, at=clock.now()))
        marker.write_text(FILLED)
    return 0


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
