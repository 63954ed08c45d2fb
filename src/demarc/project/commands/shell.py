"""`demarc shell`: Django's, with this installation's settings."""

from argparse import Namespace

from django.core.management import call_command


def run(args: Namespace) -> int:
    """Open it."""
    call_command("shell")
    return 0
