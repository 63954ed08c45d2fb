"""The read model in a file, so that radiusd answers when it starts while the database is away.

One JSON line per row, `[kind, row]`, the rows as `store` reads them; all of one moment, with its bookmark, so that the
journal tells the rest. Secrets stay sealed in it. The shipper writes it.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection

from demarc.radiusd import store, store_moving
from demarc.radiusd.journal import Position
from demarc.radiusd.logins import Row
from demarc.radiusd.model import Model

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
    """Fill the model from the file, line by line: it may be as large as the model. None: there is no whole one."""
    try:
        with path.open() as file:
            if not _whole(path):
                return None
            return _read(file, model)
    except OSError:
        return None


def _whole(path: Path) -> bool:
    """Whether it was written to its end."""
    last = json.dumps([END, None]).encode() + b"\n"
    with path.open("rb") as file:
        file.seek(max(os.fstat(file.fileno()).st_size - len(last), 0))
        return file.read() == last


def _read(lines: Iterable[str], model: Model) -> Rest:
    rows: dict[str, list[Row]] = {}
    for line in lines:
        kind, row = json.loads(line)
        if kind == "subscriber":
            model.put_subscribers((row,))
        else:
            rows.setdefault(kind, []).append(row)
    model.put_network(*(rows.get(kind, []) for kind, _ in NETWORK))
    return Rest(Position(*rows["bookmark"][0]), rows.get("session", []), rows.get("block", []))
