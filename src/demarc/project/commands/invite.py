"""`demarc invite`: what another machine needs to become a RADIUS node of this Demarc, shown once."""

import sys
from argparse import Namespace

from demarc.access.actions import let_node_join
from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.core.errors import Refused
from demarc.project.config import Config
from demarc.project.joining import VALID, Joining, make_token

TEXT = """On the other machine, within a day:

    demarc radius --join {token}

It asks for this code; send it another way than the token, for together they open every RADIUS secret:

    {code}
"""


def run(args: Namespace) -> int:
    """Make and print it."""
    config: Config = args.config
    url = args.database or (None if config.private_database else config.radius_url())
    if url is None:
        raise Refused(
            "The private database is reached from this machine only: a second node needs one of your own, "
            "as docs/external-database.md shows.",
            code="node",
        )
    at = clock.now()
    key = (config.keys / "radius.key").read_bytes()
    told = Joining(node=let_node_join(args.name, by=SYSTEM, at=at), url=url, key=key, until=at + VALID)
    token, code = make_token(told)
    sys.stdout.write(TEXT.format(token=token, code=code))
    return 0
