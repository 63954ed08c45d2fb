"""`demarc token`: an API token, shown once."""

import sys
from argparse import Namespace

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.staff.actions import create_token


def run(args: Namespace) -> int:
    """Make and print it."""
    _, plaintext = create_token(args.name, args.role, by=SYSTEM, at=clock.now())
    sys.stdout.write(f"{plaintext}\n")
    return 0
