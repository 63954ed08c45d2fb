"""`demarc up`: reads the configuration and hands it to the supervisor."""

from argparse import Namespace

from demarc.core.errors import Refused
from demarc.project.config import Config
from demarc.project.supervisor import up


def run(args: Namespace) -> int:
    """Run until stopped."""
    config = Config.from_environment()
    if config.joined:
        raise Refused(f"{config.data} belongs to the RADIUS node {config.node}: demarc radius runs it.", code="node")
    return up(config, demo=args.demo, test=args.test)
