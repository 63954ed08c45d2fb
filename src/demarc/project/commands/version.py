"""`demarc version`."""

import sys
from argparse import Namespace

from demarc import __version__


def run(args: Namespace) -> int:
    """Print it."""
    sys.stdout.write(f"demarc {__version__}\n")
    return 0
