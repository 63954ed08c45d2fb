"""Sealing the operation log: its entries in a final order, signed, and copied to files outside the database.

No row of the log carries its position: a seal lists the ids of the next entries. Transactions commit in another order
than they take their ids, and a long one may bring an id far back; therefore the sealer asks not for ids but for what
has been committed since its last snapshot (as radiusd does with access_feed), and puts that behind everything before.
So no entry can slip in later between two that are sealed, positions have no gaps, and no writer ever waits.

What is hashed is the text that the export shows, made by the same statement and read by the same function
(base.verify_log), so that there is nothing to disagree about.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection, transaction

from demarc.base import log, sql
from demarc.base.actors import SYSTEM, Actor
from demarc.base.models import LogSeal
from demarc.base.vault import log_signer_public, sign_for_log
from demarc.base.verify_log import (
    NO_HEAD,
    Finding,
    Unreadable,
    Verdict,
    head_of,
    read_entry,
    signed_words,
    verify,
)
from demarc.core.errors import Refused

LOCK = 0x6C6F67  # "log", of pg_advisory_lock; a session's, so that it spans the commit of seals and their copying
TAKE = "SELECT pg_advisory_lock(%(lock)s)"
TRY = "SELECT pg_try_advisory_lock(%(lock)s)"
LEAVE = "SELECT pg_advisory_unlock(%(lock)s)"
ENTRIES_MAX = 5_000
"""So many entries in one seal: of what is older than the sealer, or came while it did not run."""
SEALS_IN_A_FILE = 10_000
NEVER = "1:1:"
TAIL = 1 << 16

NOW = "SELECT pg_current_snapshot()::text, (SELECT system_identifier FROM pg_control_system())"
FRESH = """
SELECT id FROM base_operationlog
WHERE xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, %(seen)s::pg_snapshot)
    AND pg_visible_in_snapshot(xid, %(now)s::pg_snapshot)
ORDER BY id
"""
# After a restore into another PostgreSQL transaction ids mean nothing any more.
UNSEALED = """
SELECT id FROM base_operationlog l
WHERE NOT EXISTS (SELECT FROM (SELECT unnest(ids) AS id FROM base_logseal) s WHERE s.id = l.id)
    AND (xid >= pg_snapshot_xmax(%(now)s::pg_snapshot) OR pg_visible_in_snapshot(xid, %(now)s::pg_snapshot))
ORDER BY id
"""
SEALED_BEFORE = "SELECT unnest(ids) FROM base_logseal WHERE ids && %(ids)s::bigint[]"

# The columns as verify_log.read_entry takes them. Times in UTC, whatever the session's zone.
COLUMNS = """
    l.id, concat(CASE WHEN l.body_digest IS NOT NULL THEN 'b' END, CASE WHEN l.private_digest IS NOT NULL THEN 'p' END),
    l.kind, to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), l.actor_kind, l.actor_id, l.partner_id,
    l.verb, l.subject_kind, l.subject_id, l.result, l.request_id,
    encode(CASE WHEN l.body IS NULL THEN l.body_digest ELSE sha256(l.body) END, 'hex'),
    encode(l.private_digest, 'hex'), l.salt, l.actor_label, host(l.address)
"""
SOME = f"""
COPY (SELECT NULL, {COLUMNS}
FROM base_operationlog l WHERE l.id = ANY(%(ids)s::bigint[]) ORDER BY l.id) TO STDOUT
"""  # noqa: S608 - our own columns
ALL = f"""
COPY (SELECT s.first + e.place - 1, {COLUMNS}
FROM base_logseal s CROSS JOIN LATERAL unnest(s.ids) WITH ORDINALITY AS e (id, place)
JOIN base_operationlog l ON l.id = e.id ORDER BY s.number, e.place) TO STDOUT
"""  # noqa: S608 - our own columns
# What the last seal saw and no seal holds was put there by somebody who can write a transaction id.
FORGED = f"""
COPY (SELECT NULL, {COLUMNS}
FROM base_operationlog l
WHERE (l.xid >= pg_snapshot_xmax(pg_current_snapshot()) OR pg_visible_in_snapshot(l.xid, (
        SELECT snapshot::pg_snapshot FROM base_logseal ORDER BY number DESC LIMIT 1
    ))) AND NOT EXISTS (SELECT FROM (SELECT unnest(ids) AS id FROM base_logseal) s WHERE s.id = l.id)
ORDER BY l.id) TO STDOUT
"""  # noqa: S608 - our own columns


class Forked(Exception):
    """The files outside the database do not go on where its seals do: it was set back, or they were changed or taken
    away."""


def seals_directory() -> Path:
    """Where the copies of the seals are: outside the database."""
    return Path(settings.DEMARC_SEALS)


def seal(*, at: datetime) -> int:
    """Seal what was committed since the last time: how many entries. Nothing when another process is at it.

    Then copies seals to the files. Raises Forked; the entries are sealed in the database all the same.
    """
    if not sql.rows(TRY, lock=LOCK)[0][0]:
        return 0
    try:
        begins = _sealed_once()
        with transaction.atomic():
            count = _seal_fresh(at)
        copy_out(anew=begins)
    finally:
        sql.execute(LEAVE, lock=LOCK)
    return count


@contextmanager
def sealer_waits() -> Iterator[None]:
    """Whoever seals is waited for, then nobody else does; who holds this may seal, and enter it again."""
    sql.execute(TAKE, lock=LOCK)
    try:
        yield
    finally:
        sql.execute(LEAVE, lock=LOCK)


def _seal_fresh(at: datetime) -> int:
    last = LogSeal.objects.order_by("-number").defer("ids", "leaves").first()
    now, cluster = sql.rows(NOW)[0]
    fresh = _fresh(last, now, cluster)
    count = sql.rows("SELECT cardinality(ids) FROM base_logseal ORDER BY number DESC LIMIT 1")[0][0] if last else 0
    number, first = (last.number + 1, last.first + count) if last else (1, 1)
    head = bytes(last.head) if last else NO_HEAD
    for start in range(0, len(fresh), ENTRIES_MAX):
        ids = fresh[start : start + ENTRIES_MAX]
        previous, leaves = head, b"".join(_leaves(ids))
        head = head_of(previous, number, first, _written(at), ids, leaves)
        LogSeal.objects.create(
            number=number,
            first=first,
            ids=ids,
            leaves=leaves,
            sealed_at=at,
            previous=previous,
            head=head,
            signature=sign_for_log(signed_words(head)),
            snapshot=now,
            cluster=cluster,
        )
        number, first = number + 1, first + len(ids)
    return len(fresh)


def _fresh(last: LogSeal | None, now: str, cluster: int) -> list[int]:
    """The ids of what was committed since `last`. Rows that a restore brought from another PostgreSQL have transaction
    ids that mean nothing here, and that this one will come by some day."""
    if last is None:
        return [row[0] for row in sql.rows(FRESH, seen=NEVER, now=now)]
    if last.cluster != cluster:
        return [row[0] for row in sql.rows(UNSEALED, now=now)]
    found = [row[0] for row in sql.rows(FRESH, seen=last.snapshot, now=now)]
    if found and LogSeal.objects.order_by("number").values_list("cluster", flat=True)[0] != cluster:
        known = {row[0] for row in sql.rows(SEALED_BEFORE, ids=sql.array(found))}
        found = [key for key in found if key not in known]
    return found


def _leaves(ids: list[int]) -> Iterator[bytes]:
    for line in _copied(SOME, ids=sql.array(ids)):
        yield read_entry(line).leaf


def _copied(statement: str, **parameters: Any) -> Iterator[bytes]:
    """The lines of a COPY TO STDOUT, without their ends."""
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement, parameters) as copy:
        for line in copy:  # one row each
            yield bytes(line).removesuffix(b"\n")


def exported() -> Iterator[bytes]:
    """The sealed log, a line an entry, as base.verify_log reads it; `one_moment` around it."""
    yield from _copied(ALL)
    yield from _copied(FORGED)


@contextmanager
def one_moment() -> Iterator[None]:
    """All statements inside see the database as it is at the first one; the sealer waits meanwhile."""
    with sealer_waits(), transaction.atomic():
        sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def verify_now(*, by: Actor = SYSTEM, at: datetime, checkpoints: Sequence[dict[str, Any]] = ()) -> Verdict:
    """Seal what is there, then compare all of it with the files, and these with `checkpoints` (`checkpoint_of`).

    One row in the log says what came of it. A fork is no reason not to look: it is the first finding. Unreadable:
    nothing was ever sealed.
    """
    forked: list[Finding] = []
    with sealer_waits():
        try:
            seal(at=at)
        except Forked as error:
            forked.append(Finding("forked", 0, 0, str(error)))
        verdict = _compare(checkpoints, forked)
    found: dict[str, Any] = {"entries": verdict.entries, "findings": len(verdict.findings), "until": verdict.until}
    result = "done" if not verdict.findings else "refused"
    record = log.record if result == "done" else log.record_refused
    record("log_verified", by=by, at=at, subject=("log", None), **found)
    return verdict


def _compare(checkpoints: Sequence[dict[str, Any]], forked: list[Finding]) -> Verdict:
    try:
        with one_moment():
            verdict = verify(exported(), seals_directory(), log_signer_public(), checkpoints)
    except Unreadable:
        if not forked:
            raise
        return Verdict(forked, 0, 0, "", 0)
    return replace(verdict, findings=[*forked, *verdict.findings])


# --- outside the database -----------------------------------------------------------------------------------------


def copy_out(*, anew: bool = False) -> None:
    """Append the seals that the files do not have yet. Raises Forked when they do not follow from the files' last, and
    when there are no files any more: only `anew` begins them again, or else who took away both the end of the log and
    the files that show it would have them made good."""
    directory = seals_directory()
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _alone_in(directory):
        told = _last_copied(directory)
        number, head = (told["seal"], bytes.fromhex(told["head"])) if told else (0, NO_HEAD)
        known = LogSeal.objects.filter(number=number).values_list("head", flat=True).first()
        if number and (known is None or bytes(known) != head):
            raise Forked(f"the log's files end with a seal {number} that the database does not have")
        if not number and not anew and LogSeal.objects.exists():
            raise Forked(f"the copies of the log's seals in {directory} are gone: demarc log rebuild begins them anew")
        for one in LogSeal.objects.filter(number__gt=number).order_by("number").iterator(chunk_size=20):
            with (directory / f"{(one.number - 1) // SEALS_IN_A_FILE:06d}.jsonl").open("ab") as file:
                file.write(json.dumps(_line(one)).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())


def rebuild(*, by: Actor = SYSTEM, at: datetime) -> int:
    """Copy all seals anew, after their files were lost or moved aside: how many. The log says that it was done.

    Refused: there are copies. Raises Forked when what is there cannot be read.
    """
    with sealer_waits():
        if last_copied():
            raise Refused(f"There are seals in {seals_directory()}: move them aside first, and keep them.", code="log")
        log.record("seals_rebuilt", by=by, at=at, subject=("log", None), seals=LogSeal.objects.count())
        with transaction.atomic():
            _seal_fresh(at)
        copy_out(anew=True)
        return LogSeal.objects.count()


def last_copied() -> dict[str, Any] | None:
    """The last seal of the files: what `checkpoint_of` takes. A line that a crash cut off is taken away. Raises Forked
    for a last line that is no seal."""
    directory = seals_directory()
    if not directory.is_dir():
        return None
    with _alone_in(directory):
        return _last_copied(directory)


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """No other process that asks for this writes there: nor one whose lock in the database went with its connection."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _last_copied(directory: Path) -> dict[str, Any] | None:
    for path in sorted(directory.glob("*.jsonl"), reverse=True):
        with path.open("r+b") as file:
            line = _last_line(file)
        if line:
            return _told(line, path)
    return None


def _told(line: bytes, path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(line)
        checkpoint_of(told)
        return told | {"seal": int(told["seal"]), "head": bytes.fromhex(told["head"]).hex()}
    except (ValueError, KeyError, TypeError) as error:
        raise Forked(f"the last line of {path} is no seal") from error


def _sealed_once() -> bool:
    """Whether all seals are of the first sealing, or there are none: a crash may have come before their copies."""
    made = LogSeal.objects.order_by("number").values_list("snapshot", flat=True)
    return made.first() == made.last()


def checkpoint_of(told: dict[str, Any]) -> dict[str, Any]:
    """What is worth handing elsewhere of a seal: who has it can prove that nothing before was changed."""
    entries = told["first"] + len(told["ids"]) - 1
    return {"seal": told["seal"], "entries": entries} | {key: told[key] for key in ("at", "head", "signature")}


def _last_line(file: IO[bytes]) -> bytes:
    """The last whole line; what follows it is cut off."""
    end = file.seek(0, os.SEEK_END)
    start, tail = end, b""
    while start and tail.count(b"\n") < 2:
        start = max(0, start - TAIL)
        file.seek(start)
        tail = file.read(end - start)
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        file.truncate(start + len(whole))
    return whole.splitlines()[-1] if whole else b""


def _line(one: LogSeal) -> dict[str, Any]:
    return {
        "seal": one.number,
        "first": one.first,
        "at": _written(one.sealed_at),
        "ids": one.ids,
        "leaves": bytes(one.leaves).hex(),
        "head": bytes(one.head).hex(),
        "signature": bytes(one.signature).hex(),
    }


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
