"""The supervisor's step "first-start": what a new installation lacks, and the logins printed once."""

import importlib
import sys
from argparse import Namespace
from collections.abc import Iterable

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.project.firststart import first_partner, first_start


def run(args: Namespace) -> int:
    """Print each line as it comes; the password is shown here and nowhere else."""
    _show(first_start(by=SYSTEM, at=clock.now()))
    if args.demo:
        _show(importlib.import_module("demarc.project.demo").fill(by=SYSTEM, at=clock.now()))
    else:
        first_partner(by=SYSTEM, at=clock.now())
    return 0


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
