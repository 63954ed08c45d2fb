"""Which RADIUS processes there are, on which nodes, and whether they still say anything. Reads only."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

MAIN = "main"
"""The first machine, and who gives a router its orders where nobody else is named."""

SHOWN_MAX = 200
SILENT_S = 300
"""Each says every minute that it is there, with its bookmark; busy ones at each batch."""

# By the database's clock, as the times that radiusd writes. A block's owner is node/process/life.
PROCESSES = """
SELECT mark.node, extract(epoch FROM now() - mark.at)::int,
    (SELECT coalesce(sum(block.last - block.first + 1), 0) FROM access_poolblock block
     WHERE starts_with(block.owner, mark.node || '/'))
FROM access_bookmark mark WHERE mark.node LIKE '%%/%%' ORDER BY mark.node LIMIT %(limit)s
"""
ROUTERS = """
SELECT node, count(*) FROM access_nas WHERE %(partners)s::bigint[] IS NULL OR partner_id = ANY(%(partners)s)
GROUP BY node
"""


class Process(NamedTuple):
    """`number` of its node's, from 0; `silent_s`: how long ago it said anything; `addresses`: in the blocks it has."""

    node: str
    number: str
    silent_s: int
    addresses: int
    routers: int

    @property
    def well(self) -> bool:
        return self.silent_s <= SILENT_S

    @property
    def words(self) -> str:
        return f"Silent for {self.silent_s // 60} min"


def processes(partner_ids: Sequence[int] | None) -> list[Process]:
    """All that ever served, by node; `routers`: those of these partners whose orders the node sends."""
    with connection.cursor() as cursor:
        cursor.execute(ROUTERS, {"partners": None if partner_ids is None else list(partner_ids)})
        routers = dict(cursor.fetchall())
        cursor.execute(PROCESSES, {"limit": SHOWN_MAX})
        found = [(*row[0].rpartition("/"), *row[1:]) for row in cursor.fetchall()]
    return [
        Process(node, number, max(silent_s, 0), int(addresses), routers.get(node, 0))
        for node, _, number, silent_s, addresses in found
    ]
