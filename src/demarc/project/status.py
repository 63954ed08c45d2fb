"""How a running Demarc is: one check per thing that can be ill, each with a sentence and its figures. Reads only."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from demarc.base import clock
from demarc.core.errors import Refused
from demarc.project import process
from demarc.project.config import Config
from demarc.project.roles import connect

RADIUSD_SILENT_S = 5  # it writes every second
MODEL_AGE_MAX_S = 30
BACKLOG_MAX = 100_000  # accounting records not yet in the database
JOB_WAIT_MAX_S = {"now": 30}
OTHER_JOB_WAIT_MAX_S = 1800
SEALED_LATE = timedelta(minutes=1)
BILLING_LATE = timedelta(hours=1)

JOBS = """
    select job.queue_name, count(*), extract(epoch from now() - min(greatest(job.scheduled_at, born.at)))::int
    from procrastinate_jobs job
    left join lateral (select min(at) as at from procrastinate_events where job_id = job.id and type = 'deferred') born
        on true
    where job.status = 'todo' and (job.scheduled_at is null or job.scheduled_at <= now())
    group by 1 order by 1
"""
FAILED_JOBS = "select count(*) from procrastinate_jobs where status = 'failed'"
BILLING_DAYS = """
    select partner.name, partner.zone, max(done.day)
    from base_partner partner left join billing_billingday done
        on done.partner_id = partner.id and done.finished_at is not null
    group by partner.id order by partner.id
"""
# What has been committed since the last seal, and is older than it may be.
UNSEALED = """
    select count(*), min(l.at), (select max(sealed_at) from base_logseal)
    from base_operationlog l, (
        select coalesce((select snapshot from base_logseal order by number desc limit 1), '1:1:')::pg_snapshot as seen
    ) s
    where l.xid >= pg_snapshot_xmin(s.seen) and not pg_visible_in_snapshot(l.xid, s.seen) and l.at < %s
"""
VERIFIED = "select at, result from base_operationlog where verb = 'log_verified' order by id desc limit 1"
DATABASE = "select current_setting('server_version'), pg_database_size(current_database())"


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is well, what to say of it, and the figures behind that."""

    name: str
    ok: bool
    text: str
    figures: dict[str, Any] = field(default_factory=dict)


def checks(config: Config) -> Iterator[Check]:
    """Look at everything, in the order of a start."""
    now = clock.Clock(config.data).now()
    known = _read(config.run / "status.json")
    if not known or not process.alive(known["supervisor"]):
        yield Check("processes", False, f"Demarc does not run on {config.data}; start it with demarc up.")
        return
    yield processes(known)
    yield ports(known)
    yield from of_database(config, now)
    yield radius([told for path in sorted(config.run.glob("radiusd*.json")) if (told := _read(path))], now)


def processes(known: dict[str, Any]) -> Check:
    """What the supervisor wrote, and whether each process is really there."""
    table = known["processes"]
    ill = [name for name, row in table.items() if row["state"] != "running" or not process.alive(row["pid"])]
    restarts = sum(row["restarts"] for row in table.values())
    text = f"{len(table) - len(ill)} of {len(table)} run, {restarts} restarts"
    if ill:
        text += f"; not running: {', '.join(ill)}"
    return Check("processes", not ill, text, {"supervisor": known["supervisor"], "table": table})


def ports(known: dict[str, Any]) -> Check:
    """Whether somebody listens on every port."""
    silent = [
        f"{bind}:{number}/{transport}"
        for _, transport, bind, number in known["ports"]
        if not _heard(transport, bind, number)
    ]
    text = f"{len(known['ports']) - len(silent)} of {len(known['ports'])} answer"
    if silent:
        text += f"; silent: {', '.join(silent)}"
    return Check("ports", not silent, text, {"silent": silent})


def of_database(config: Config, now: datetime) -> Iterator[Check]:
    """The database and what it says of jobs and billing."""
    url = config.radius_url() if config.joined else config.app_url()
    try:
        with connect(url, "DEMARC_DATABASE_URL", timeout_s=3) as conn:
            yield database(conn)
            if config.joined:
                return
            yield jobs(conn)
            yield billing(conn, now)
            yield sealed(conn, now)
    except Refused as refusal:
        yield Check("database", False, refusal.message)
    except psycopg.Error as error:
        yield Check("database", False, " ".join(str(error).split()))


def database(conn: psycopg.Connection) -> Check:
    """It answers."""
    version, size = conn.execute(DATABASE).fetchone() or ("?", 0)
    return Check("database", True, f"PostgreSQL {version}, {size // 1_000_000} MB", {"version": version, "bytes": size})


def jobs(conn: psycopg.Connection) -> Check:
    """Whether jobs that are due wait too long; failed ones are counted."""
    waiting = {queue: {"waiting": count, "oldest_s": oldest or 0} for queue, count, oldest in conn.execute(JOBS)}
    (failed,) = conn.execute(FAILED_JOBS).fetchone() or (0,)
    late = [
        queue for queue, row in waiting.items() if row["oldest_s"] > JOB_WAIT_MAX_S.get(queue, OTHER_JOB_WAIT_MAX_S)
    ]
    words = [f"{row['waiting']} waiting in {queue} (oldest {row['oldest_s']} s)" for queue, row in waiting.items()]
    text = f"{', '.join(words) or 'none waiting'}; {failed} failed"
    return Check("jobs", not late, text, {"queues": waiting, "failed": failed})


def sealed(conn: psycopg.Connection, now: datetime) -> Check:
    """Whether the operation log is sealed as it grows, and was found as sealed when last verified."""
    waiting, since, until = conn.execute(UNSEALED, (now - SEALED_LATE,)).fetchone() or (0, None, None)
    verified, result = conn.execute(VERIFIED).fetchone() or (None, "done")
    words = [f"sealed until {until:%Y-%m-%d %H:%M:%S %Z}" if until else "nothing sealed yet"]
    words += [f"{waiting} entries wait since {since:%Y-%m-%d %H:%M:%S %Z}"] if waiting else []
    words += [f"verified {verified:%Y-%m-%d %H:%M %Z}"] if verified else []
    words += ["it is NOT as it was sealed: demarc verify-log says where"] if result != "done" else []
    return Check("log", not waiting and result == "done", ", ".join(words), {"unsealed": waiting})


def billing(conn: psycopg.Connection, now: datetime) -> Check:
    """Whether every provider's last billing day is today's, with an hour's grace after its midnight."""
    last: dict[str, str | None] = {}
    late = []
    for name, zone, day in conn.execute(BILLING_DAYS):
        last[name] = day.isoformat() if day else None
        if day and day < _day_due(now, zone):
            late.append(name)
    text = ", ".join(f"{name}: {day or 'none yet'}" for name, day in last.items()) or "no provider yet"
    return Check("billing", not late, f"last day {text}" if last else text, {"last_day": last, "late": late})


def radius(told: list[dict[str, Any]], now: datetime) -> Check:
    """What each radiusd process writes of itself every second; the worst of them counts."""
    if not told:
        return Check("radius", False, "radiusd has not reported yet")
    silent_s = max((now - datetime.fromisoformat(one["at"])).total_seconds() for one in told)
    age_s = max(one["model_age_s"] for one in told)
    backlog = sum(one["journal_backlog_records"] for one in told)
    subscribers = max(one["subscribers"] for one in told)
    text = f"{subscribers} subscribers, read model {age_s:.0f} s old, {backlog} accounting records to ship"
    if len(told) > 1:
        text = f"{len(told)} processes, {text}"
    if drops := sum(one.get("udp_drops", 0) for one in told):
        text += f", {drops} datagrams dropped by the kernel"
    if troubles := sorted({one["journal_trouble"] for one in told if one.get("journal_trouble")}):
        text += f", accounting is not taken: {'; '.join(troubles)}"
    old = [server for one in told for server in one.get("old_servers", ())]
    if mute := [server for server in old if not server["alive"]]:
        text += f", {len(mute)} of {len(old)} ports of old servers do not answer"
    if untrusted := sorted({one["eap_trouble"] for one in told if one.get("eap_trouble")}):
        text += f", the certificate for 802.1X cannot be used: {'; '.join(untrusted)}"
    if silent_s > RADIUSD_SILENT_S:
        text = f"silent for {silent_s:.0f} s; {text}"
    ok = not troubles and silent_s <= RADIUSD_SILENT_S and age_s <= MODEL_AGE_MAX_S and backlog <= BACKLOG_MAX
    figures = {"model_age_s": age_s, "journal_backlog_records": backlog, "processes": told}
    return Check("radius", ok, text, figures)


def _day_due(now: datetime, zone: str) -> date:
    return (now - BILLING_LATE).astimezone(ZoneInfo(zone)).date()


def _heard(transport: str, bind: str, number: int) -> bool:
    if transport == "UDP":
        return _udp_bound(number)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - compared, not bound
    try:
        socket.create_connection((host, number), 2).close()
    except OSError:
        return False
    return True


def _udp_bound(number: int) -> bool:
    """Whether any UDP socket of this machine has the port, by the kernel's table (local address in column 2)."""
    tables = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
    rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    return any(int(row[1].rpartition(":")[2], 16) == number for row in rows)


def _read(path: Path) -> dict[str, Any] | None:
    reader: Callable[[str], dict[str, Any]] = json.loads
    try:
        return reader(path.read_text())
    except (OSError, ValueError):
        return None
