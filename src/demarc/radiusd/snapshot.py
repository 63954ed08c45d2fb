"""The read model in a file, so that radiusd answers when it starts while the database is away.

One JSON line per row, `[kind, row]`, the rows as `store` reads them; all of one moment, with its bookmark, so that the
journal tells the rest. Secrets stay sealed in it. The shipper writes it.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection

from demarc.radiusd import store, store_moving
from demarc.radiusd.journal import Position
from demarc.radiusd.model import Model, Row

BATCH = 2000
NETWORK: tuple[tuple[str, LiteralString], ...] = (
    ("policy", store.POLICIES),
    ("pool", store.POOLS),
    ("nas", store.NASES),
    ("moving", store_moving.MOVING),
)
LARGE: tuple[tuple[str, LiteralString], ...] = (
    ("subscriber", store.SUBSCRIBERS),
    ("session", store.LIVE_SESSIONS),
)
END = "end"


def write(conn: Connection[Any], path: Path, writer: str) -> Position:
    """Write the file anew; the journal position that it stands for."""
    fresh = path.with_name(f"{path.name}.new")
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = conn.execute(store.BOOKMARK, {"writer": writer}).fetchone()
        position = Position(*found) if found else Position()
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(["bookmark", [position.file, position.offset]]) + "\n")
            for (row,) in conn.execute(store.BLOCKS, {"owner": f"{writer}/"}).fetchall():
                file.write(f'["block",{row}]\n')
            for kind, row in _rows(conn):
                file.write(f'["{kind}",{row}]\n')
            file.write(json.dumps([END, None]) + "\n")
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
    return position


def _rows(conn: Connection[Any]) -> Iterator[tuple[str, str]]:
    for kind, query in NETWORK:
        for (row,) in conn.execute(query).fetchall():
            yield kind, row
    for kind, query in LARGE:
        after = 0
        while rows := conn.execute(query, {"after": after, "batch": BATCH}).fetchall():
            for (row,) in rows:
                yield kind, row
            after = json.loads(rows[-1][0])[0]


@dataclass(frozen=True, slots=True)
class Rest:
    """What of a snapshot is not in the model: where the journal goes on, who was online, which blocks were ours."""

    position: Position
    sessions: list[Row]
    blocks: list[Row]


def load(path: Path, model: Model) -> Rest | None:
    """Fill the model from the file. None: there is no whole one."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    if not lines or json.loads(lines[-1])[0] != END:
        return None
    rows: dict[str, list[Row]] = {}
    for line in lines:
        kind, row = json.loads(line)
        rows.setdefault(kind, []).append(row)
    model.put_network(*(rows.get(kind, []) for kind, _ in NETWORK))
    model.put_subscribers(rows.get("subscriber", []))
    return Rest(Position(*rows["bookmark"][0]), rows.get("session", []), rows.get("block", []))
