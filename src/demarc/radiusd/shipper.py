"""`python -m demarc.radiusd.shipper INDEX PARENT`: applies the accounting journal to the database, exactly once.

A process of its own, so that the packet path never waits for Python's lock or for PostgreSQL. Rows and bookmark are
written in one transaction; while the database is away the journal just grows. Knows SQL by name and positions.
"""

import fcntl
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from time import monotonic, sleep
from typing import Any, LiteralString

import psycopg
from psycopg import Connection

from demarc.base import lines
from demarc.radiusd import config as configuration
from demarc.radiusd import journal, peers, snapshot, store_coa, store_shipping, tally
from demarc.radiusd.config import Config
from demarc.radiusd.journal import Position
from demarc.radiusd.tally import Boot, Item, Row, Tally
from demarc.wire.radius import Malformed

BATCH_RECORDS = 2000
FRAME_BYTES = len(journal.frame(b""))
IDLE_S = 0.05
RETRY_S = 1.0
NICENESS = 5
"""Packets wait for an answer, the journal for nobody."""

COLLECT_AFTER = (200_000, 20, 20)
"""A batch leaves no circles behind; looking for them took a tenth of the time."""

BY_INDEX = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
FROZEN_S = 30
"""After so long without a word the database ends a batch, whose locks hold up other processes; it is done again."""

REPORT_S = 0.5
SNAPSHOT_FIRST_S = 2.0
SNAPSHOT_EVERY_S = 60.0
CONNECT_TIMEOUT_S = 5
LOGGED_SINCE = timedelta(days=35)
"""How old a session's start may be for its history row to be amended by a late record."""

OPEN_FEW = 1000
"""So many open orders to routers are looked through here, more by the database."""

REBOOT_AGAIN_S = 1.0
"""Accounting-On within this of the restart that is known tells of the same restart."""

POISON = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError, LookupError, ArithmeticError)
"""What one bad record can cause; anything else is not its fault and is tried again."""

log = logging.getLogger(__name__)


class Shipper:
    """Applies one journal directory. `writer`: the name of its bookmark."""

    def __init__(self, directory: Path, writer: str) -> None:
        self._directory = directory
        self._writer = writer
        self.position = Position()
        self.shipped = 0
        self.shipped_bytes = 0
        self.parked = 0

    def waiting(self) -> bool:
        """Whether there may be something to ship; looks at the disk only."""
        return self.position == Position() or any(journal.read(self._directory, self.position, 1))

    def ship(self, conn: Connection[Any], limit: int = BATCH_RECORDS) -> int:
        """Apply up to `limit` records that come next, all or none; how many there were."""
        with conn.transaction():
            row = conn.execute(store_shipping.TAKE_BOOKMARK, {"writer": self._writer}).fetchone()
            after = Position(*row) if row else Position()
            found = list(journal.read(self._directory, after, limit))
            if found:
                _apply(conn, [payload for _, payload in found], self._writer)
                after = found[-1][0]
                self._move(conn, after)
        self.position = after
        self.shipped += len(found)
        self.shipped_bytes += sum(len(payload) + FRAME_BYTES for _, payload in found)
        return len(found)

    def ship_past_poison(self, conn: Connection[Any]) -> int:
        """As `ship`; but a record that cannot be applied is set aside in a file, so that it holds up no other."""
        limit = BATCH_RECORDS
        while True:
            try:
                return self.ship(conn, limit)
            except POISON as trouble:
                if limit == 1:
                    return self._park(conn, trouble)
                limit = max(1, limit // 8)

    def _park(self, conn: Connection[Any], trouble: Exception) -> int:
        with conn.transaction():
            row = conn.execute(store_shipping.TAKE_BOOKMARK, {"writer": self._writer}).fetchone()
            after = Position(*row) if row else Position()
            for end, payload in journal.read(self._directory, after, 1):
                with (self._directory / "parked").open("ab") as file:
                    file.write(journal.frame(payload))
                log.error("accounting record before %s:%s set aside: %s", end.file, end.offset, trouble)
                self._move(conn, end)
                self.position = end
                self.parked += 1
                return 1
        return 0

    def _move(self, conn: Connection[Any], to: Position) -> None:
        conn.execute(store_shipping.MOVE_BOOKMARK, {"writer": self._writer, "file": to.file, "offset": to.offset})

    def take_snapshot(self, conn: Connection[Any], path: Path) -> float:
        """Write the read model's snapshot and drop the segments that neither it nor the bookmark needs; how many
        seconds to wait with the next, so that this takes a hundredth of the time at most."""
        began_at = monotonic()
        position = snapshot.write(conn, path, self._writer)
        # What was committed without waiting for the disk is there when a later commit, that does wait, is.
        with conn.transaction():
            conn.execute(store_shipping.COMMIT_DURABLY)
            conn.execute(store_shipping.TOUCH_BOOKMARK, {"writer": self._writer})
        journal.delete_before(self._directory, position.file)
        return max(SNAPSHOT_EVERY_S, 100 * (monotonic() - began_at))

    def report(self) -> None:
        """Tell radiusd how far we are."""
        text = json.dumps(
            {
                "file": self.position.file,
                "offset": self.position.offset,
                "shipped": self.shipped,
                "parked": self.parked,
                "mean_bytes": self.shipped_bytes // self.shipped if self.shipped else 256,
            }
        )
        fresh = self._directory / "shipped.new"
        fresh.write_text(text)
        fresh.replace(self._directory / "shipped.json")


def _apply(conn: Connection[Any], payloads: Sequence[bytes], writer: str) -> None:
    items = [item for payload in payloads if (item := _prepare(payload))]
    boots = _boots(conn, {item.nas_id for item in items})
    known = [item for item in items if item.nas_id in boots]  # the NAS of others was deleted meanwhile
    for run in tally.split(known):
        if run[0].reboot:
            _write(conn, _reboot(conn, run[0], boots), writer)
        else:
            _write(conn, _run(conn, run, boots), writer)


def _prepare(payload: bytes) -> Item | None:
    try:
        return tally.prepare(payload)
    except Malformed:
        return None


def _boots(conn: Connection[Any], ids: set[int]) -> dict[int, Boot]:
    rows = conn.execute(store_shipping.NASES, {"ids": list(ids)}).fetchall()
    return {nas_id: Boot(epoch, at) for nas_id, epoch, at in rows}


def _run(conn: Connection[Any], items: Sequence[Item], boots: dict[int, Boot]) -> Tally:
    work = Tally()
    keyed = [(tally.key_of(item, boots[item.nas_id]), item) for item in items]
    wanted = {key for key, _ in keyed}
    wanted |= {(key[0], boots[key[0]].epoch, *key[2:]) for key in wanted if key[1] != boots[key[0]].epoch}
    for row in _by_key(conn, store_shipping.LIVE, wanted):
        work.put_live(row)
    missing = wanted.difference(work.held)
    since = min(item.started for item in items) - LOGGED_SINCE
    for past in _by_key(conn, store_shipping.LOGGED, missing, since=since):
        work.put_logged(past)
    for key, item in keyed:
        work.add(tally.choose(key, boots[item.nas_id], work.held), item)
    addresses = work.addresses()
    if addresses:
        for row in _rows(conn, store_shipping.HOLDERS, wanted=json.dumps(addresses)):
            if tally.key_of_row(row) not in work.held:
                work.put_live(row)
    work.give_way()
    return work


def _reboot(conn: Connection[Any], item: Item, boots: dict[int, Boot]) -> Tally:
    boot = boots[item.nas_id]
    work = Tally()
    for row in _rows(conn, store_shipping.LIVE_OF_NAS, nas=item.nas_id, at=item.at):
        work.put_live(row)
    work.reboot(item.at)
    if boot.at is None or (item.at - boot.at).total_seconds() > REBOOT_AGAIN_S:
        for (epoch,) in conn.execute(store_shipping.NEW_EPOCH, {"nas": item.nas_id, "at": item.at}).fetchall():
            boots[item.nas_id] = Boot(epoch, item.at)
    return work


def _write(conn: Connection[Any], work: Tally, writer: str) -> None:
    inserts = work.begun()
    known, unseen = work.ended()
    gone = work.gone()
    if gone:
        conn.execute(store_shipping.DELETE_LIVE, {"ids": gone})
    _change(conn, work.changed())
    for statement, rows in (
        (store_shipping.INSERT_LOG, known),
        *_proofs(conn, work, inserts),
    ):
        if rows:
            conn.execute(statement, {"rows": json.dumps(rows)})
    if unseen:
        _log(conn, unseen)
    if work.usage:
        _use(conn, work.usage_rows())
    if inserts:
        _insert(conn, inserts)
    others = conn.execute(store_shipping.OTHERS, {"writer": writer}).fetchone() is not None
    payloads = list(peers.announcements(writer, work, others=others))
    if payloads:
        conn.execute(store_shipping.ANNOUNCE, {"channel": peers.CHANNEL, "payloads": json.dumps(payloads)})


def _proofs(conn: Connection[Any], work: Tally, inserts: Sequence[Row]) -> Sequence[tuple[LiteralString, list[Row]]]:
    """What the records prove of orders to routers. Mostly none is open, or few, so those are asked for first."""
    found = conn.execute(store_coa.OPEN, {"limit": OPEN_FEW + 1}).fetchall()
    if not found:
        return ()
    if len(found) > OPEN_FEW:
        return (store_coa.PROVE, work.told()), (store_coa.SUCCEEDED, store_coa.newcomers(inserts))
    sessions, subscribers = {row[:3] for row in found}, {row[3] for row in found}
    came = [row for row in inserts if row["subscriber_id"] in subscribers]
    return (store_coa.PROVE, work.told(sessions)), (store_coa.SUCCEEDED, store_coa.newcomers(came))


def _log(conn: Connection[Any], rows: Sequence[Row]) -> None:
    """Sessions for the history that have no row anywhere. Nobody else adds one meanwhile: their NASes are locked."""
    ids = conn.execute(store_shipping.TAKE_IDS, {"count": len(rows)}).fetchall()
    for row, (number,) in zip(rows, ids, strict=True):
        row["id"] = number
        row["counting"] = row["counting"] and json.dumps(row["counting"])
    _add(conn, store_shipping.ADD_LOG, rows, store_shipping.LOG_COLUMNS)


def _change(conn: Connection[Any], rows: Sequence[tuple[Any, ...]]) -> None:
    """Amend the rows of sessions that last; of a row the last value is JSON."""
    if not rows:
        return
    *columns, counting = zip(*rows, strict=True)
    values = {name: lines.array(column) for name, column in zip(store_shipping.UPDATED, columns, strict=False)}
    conn.execute(store_shipping.UPDATE_LIVE, values | {"counting": json.dumps(counting)})


def _use(conn: Connection[Any], rows: Sequence[Row]) -> None:
    columns = {
        "services": lines.array(row["service_id"] for row in rows),
        "hours": lines.array(row["hour"] for row in rows),
        "inputs": lines.array(row["input_octets"] for row in rows),
        "outputs": lines.array(row["output_octets"] for row in rows),
    }
    conn.execute(store_shipping.ADD_USAGE, columns)


def _insert(conn: Connection[Any], rows: Sequence[Row]) -> None:
    """New live sessions, of the services that their subscribers have now; of nobody, where the subscriber is gone."""
    ids = list({row["subscriber_id"] for row in rows if row["subscriber_id"]})
    services = dict(conn.execute(store_shipping.SERVICES, {"ids": ids}).fetchall()) if ids else {}
    for row in rows:
        row["subscriber_id"] = row["subscriber_id"] if row["subscriber_id"] in services else None
        row["service_id"] = services.get(row["subscriber_id"])
        row["counting"] = json.dumps(row["counting"])
    _add(conn, store_shipping.ADD_LIVE, rows, store_shipping.LIVE_COLUMNS)


def _add(conn: Connection[Any], statement: LiteralString, rows: Iterable[Row], types: Mapping[str, str]) -> None:
    of = itemgetter(*types)
    for arrays in lines.parcels(types, map(of, rows)):
        conn.execute(statement, arrays)


def _by_key(conn: Connection[Any], query: str, wanted: set[tally.Key], **values: object) -> list[Row]:
    if not wanted:
        return []
    nases, epochs, ids, names = zip(*wanted, strict=True)
    keys = {
        "nases": lines.array(nases),
        "epochs": lines.array(epochs),
        "sessions": json.dumps(ids),
        "users": json.dumps(names),
    }
    return _rows(conn, query, **keys, **values)


def _rows(conn: Connection[Any], query: str, **values: object) -> list[Row]:
    return [row for (row,) in conn.execute(query, values).fetchall()]


class Stop:
    """Set by SIGTERM and SIGINT."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True


def follow(config: Config, stop: Stop, parent: int) -> None:
    """Ship until told to stop, or until radiusd, our parent process, is gone."""
    shipper = Shipper(config.journal, config.writer)
    while not stop.asked and os.getppid() == parent:
        try:
            with connect(config.url) as conn:
                _ship_on(shipper, conn, config, stop, parent)
        except psycopg.Error as error:
            log.warning("the journal waits for the database: %s", " ".join(str(error).split()))
            sleep(RETRY_S)


def _ship_on(shipper: Shipper, conn: Connection[Any], config: Config, stop: Stop, parent: int) -> None:
    reported_at, told = float("-inf"), Position(-1)
    snapshot_at = monotonic() + SNAPSHOT_FIRST_S
    while not stop.asked and os.getppid() == parent:
        count = shipper.ship_past_poison(conn) if shipper.waiting() else 0
        if shipper.position != told and (count == 0 or monotonic() - reported_at > REPORT_S):
            shipper.report()
            reported_at, told = monotonic(), shipper.position
        if monotonic() >= snapshot_at:
            snapshot_at = monotonic() + shipper.take_snapshot(conn, config.snapshot)
        if count == 0:
            sleep(IDLE_S)


def connect(url: str) -> Connection[Any]:
    """An autocommit connection that speaks UTC. A commit does not wait for the disk: what a dying database forgets it
    forgets together with the bookmark, and the journal still has it (see `Shipper.take_snapshot`). A batch looks its
    sessions up one by one by index, as the planner would not have it while it takes a growing table to be empty."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="demarc radiusd shipper",
        options=f"-c timezone=UTC -c synchronous_commit=off {BY_INDEX}"
        f" -c idle_in_transaction_session_timeout={FROZEN_S}s",
        prepare_threshold=2,
    )


def collect_seldom() -> None:
    """A batch holds no cycles: what is looked at again and again is what was imported."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def main(index: int, parent: int) -> int:
    """Ship the journal of radiusd's process `index`, whose pid is `parent`; alone, an earlier shipper is waited for."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s shipper: %(message)s")
    config = configuration.from_environment(index=index)
    config.journal.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.nice(NICENESS)
    collect_seldom()
    with (config.journal / "shipper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        follow(config, Stop(), parent)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
