"""`demarc up`: reads the configuration and hands it to the supervisor."""

from argparse import Namespace

from demarc.project.config import Config
from demarc.project.supervisor import up


def run(args: Namespace) -> int:
    """Run until stopped."""
    return up(Config.from_environment(), demo=args.demo, test=args.test)
