"""A million subscribers in one radiusd: how long it takes to start, with the database and without, and what it holds.

1,000,000 logins (100,000 with --quick), bound to their devices, IPv4 from a pool, an IPv6 prefix for good. Started from
the database; changes at 200 a second, and `LOGINS` of them log in; then it starts from its snapshot while the database
is away, and they log in again. Rows are written straight in SQL: what is measured is radiusd, not Django.
"""

import importlib
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from bench import peer
from bench.changes import Changes
from bench.radius import AUTH_PORT, CHANGES_PER_S, NASES, Load, generator, radiusd
from bench.stage import Stage, conclude, flags, median, spread, stage
from demarc.base.seal import Sealer

SUBSCRIBERS, SUBSCRIBERS_QUICK = 1_000_000, 100_000
LOGINS, LOGINS_QUICK = 200_000, 50_000
ROUNDS = 5
RESTS_S = 2
"""`radiusd` gives it back so long after it is ready."""

CHANGES_FOR_S = 20
START_WITHIN_S = 300
FIRST_ID = 1000
"""Of the copies; before them is the one that they are copies of."""

COPY = """
    COPY access_subscriber (id, partner_id, service_id, realm, login, secret, bind_mac, learn_macs, learn_replaces,
        simultaneous_limit, nas_port_id, session_timeout_s, active, cause, framed_ipv6_prefix, routes, macs, down_kbps,
        up_kbps, rate_limit, owed_currency) FROM STDIN
"""


def main(quick: bool = False, as_json: bool = False) -> int:
    """Run it all; exit code 0 also when a figure falls short, for the table says so."""
    count, logins = (SUBSCRIBERS_QUICK, LOGINS_QUICK) if quick else (SUBSCRIBERS, LOGINS)
    figures: dict[str, Any] = {"subscribers": count, "logins": logins}
    with stage() as at_stage:
        people = importlib.import_module("bench.people")  # its models need Django, which the stage has set up
        people.subscribers(1, NASES)
        users = [people.user(number) for number in range(count)]
        probe = users[-1]
        fill(at_stage, users[1:])
        listed = at_stage.config.data / "users"
        listed.write_text("".join(f"{one.login} {one.password}\n" for one in users[:-1]))
        load = Load(generator(at_stage.config.data), listed)
        snapshot = at_stage.config.data / "radius" / "snapshot-0.jsonl"
        began = time.monotonic()
        with radiusd(at_stage, count, START_WITHIN_S) as process:
            figures["start_from_database_s"] = round(time.monotonic() - began - RESTS_S, 1)
            figures["started_mb"] = resident_mb(process.pid)
            figures |= changed(at_stage, probe)
            figures |= logged_in(load, logins)
            figures["after_logins_mb"] = resident_mb(process.pid)
        at = time.time()
        with radiusd(at_stage, count, START_WITHIN_S):
            written(snapshot, after=at, within_s=START_WITHIN_S)  # soon after a start; then seldom, as it is large
        figures["snapshot_mb"] = snapshot.stat().st_size >> 20
        figures |= from_snapshot(at_stage, count, load, logins)
    told = table(figures)
    conclude(told, figures, as_json=as_json)
    return 0


def fill(at_stage: Stage, users: list[peer.User]) -> None:
    """Subscribers beside the one that is there, each with a service of its own that nothing else knows."""
    public = (at_stage.config.keys / "radius.pub").read_bytes()
    sealer = Sealer(public)
    database = at_stage.config.owner_url()
    with psycopg.connect(at_stage.superuser_url, dbname=psycopg.conninfo.conninfo_to_dict(database)["dbname"]) as conn:
        conn.execute("SET session_replication_role = replica")  # no checks of foreign keys
        row = conn.execute("SELECT partner_id, down_kbps, up_kbps, rate_limit FROM access_subscriber").fetchone()
        if row is None:
            raise RuntimeError("there is no subscriber to copy")
        partner_id, down, up, rate = row
        with conn.cursor().copy(COPY) as copy:
            for number, one in enumerate(users, FIRST_ID):
                secret = sealer.seal(one.password.encode(), f"access_subscriber.secret.{number}")
                copy.write_row(
                    (number, partner_id, number, "", one.login, secret, True, 0, False, 1, "", 0, True, None,
                     one.prefix, [], [one.device], down, up, rate, "")
                )  # fmt: skip
        conn.execute("ANALYZE access_subscriber")


def changed(at_stage: Stage, probe: peer.User) -> dict[str, Any]:
    """How soon a change is live."""
    url = at_stage.config.owner_url()
    with Changes(url, CHANGES_PER_S, probe, ("127.0.0.1", AUTH_PORT)) as changes:
        time.sleep(CHANGES_FOR_S)
        return {"change_live_p99_ms": round(changes.p99_ms(), 1), "changes_made": changes.made}


def logged_in(load: Load, logins: int) -> dict[str, Any]:
    """So many log in at full speed."""
    rates, rejected, lost = [], 0, 0
    load.sessions = 0
    for _ in range(ROUNDS):
        result = load.run(AUTH_PORT, logins // ROUNDS)
        rates.append(result["per_s"])
        rejected, lost = rejected + result["rejected"], lost + result["lost"]
    return {"auth_per_s": median(rates), "spread": spread(rates), "rejected": rejected, "lost": lost}


def written(snapshot: Path, *, after: float, within_s: float) -> None:
    """Wait until the shipper has written the snapshot anew; `after`: seconds since 1970."""
    until = time.monotonic() + within_s
    while not snapshot.exists() or snapshot.stat().st_mtime < after:
        if time.monotonic() > until:
            raise RuntimeError("there is no new snapshot")
        time.sleep(0.5)


def from_snapshot(at_stage: Stage, count: int, load: Load, logins: int) -> dict[str, Any]:
    """A start without a database; the same ones log in again."""
    away = {"DEMARC_RADIUS_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    began = time.monotonic()
    with radiusd(at_stage, count, START_WITHIN_S, **away) as process:
        found: dict[str, Any] = {"start_from_snapshot_s": round(time.monotonic() - began - RESTS_S, 1)}
        found["alone_started_mb"] = resident_mb(process.pid)
        found |= {f"alone_{name}": value for name, value in logged_in(load, logins).items()}
        found["alone_after_logins_mb"] = resident_mb(process.pid)
    return found


def resident_mb(pid: int) -> int:
    """Memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) >> 10


def table(figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Figure, measured, wanted."""
    wanted = {
        "start_from_snapshot_s": "< 20",
        "started_mb": "< 1,500",
        "after_logins_mb": "< 1,500",
        "alone_after_logins_mb": "< 1,500",
        "change_live_p99_ms": "< 1,000",
        **dict.fromkeys(("rejected", "lost", "alone_rejected", "alone_lost"), "0"),
    }
    return [(name, f"{value:,}" if isinstance(value, (int, float)) else value, wanted.get(name, ""))
            for name, value in figures.items()]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(**flags()))
