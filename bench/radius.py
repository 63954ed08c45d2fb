"""RADIUS beside FreeRADIUS 3.2 on the same PostgreSQL: authentications and accounting a second, latency, loss.

Rounds alternate A B A B; figures are medians of 5 (3 with --quick). One radiusd process; the generator (radload.c)
verifies every reply. The generator, both servers and PostgreSQL share the machine, so read the ratios.
"""

import importlib
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench import peer
from bench.stage import Stage, conclude, flags, median, spread, stage
from demarc.radiusd.journal import Position, path_of, segments

SUBSCRIBERS = 10_000
NASES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
WINDOW = 32
AUTH_PORT, ACCT_PORT, PEER_AUTH_PORT, PEER_ACCT_PORT = 21812, 21813, 22812, 22813
HERE = Path(__file__).parent


def generator(directory: Path) -> Path:
    """Compile the load generator."""
    program = directory / "radload"
    subprocess.run(["cc", "-O2", "-o", str(program), str(HERE / "radload.c")], check=True)
    return program


class Load:
    """Runs the generator against one port."""

    def __init__(self, program: Path, users: Path, secret: str) -> None:
        self._command = [str(program), "-u", str(users), "-S", ",".join(NASES), "-s", secret]
        self._sessions = 0

    def run(self, port: int, count: int, *options: str) -> dict[str, Any]:
        """One run; sessions of accounting are fresh each time."""
        numbered = ["-b", str(self._sessions)]
        self._sessions += count
        command = [*self._command, "-p", str(port), "-n", str(count), "-d", "60", *numbered, *options]
        if "-r" not in options:
            command += ["-w", str(WINDOW)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        result: dict[str, Any] = json.loads(done.stdout)
        if result["bad"]:
            raise RuntimeError(f"replies that do not verify: {result}")
        return result


@contextmanager
def radiusd(at_stage: Stage) -> Any:
    """One radiusd with its shipper, ready to answer."""
    ports = {"DEMARC_RADIUS_AUTH_PORT": str(AUTH_PORT), "DEMARC_RADIUS_ACCT_PORT": str(ACCT_PORT)}
    log = (at_stage.config.data / "radiusd.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "demarc.radiusd"], env=at_stage.environment(**ports), stdout=log, stderr=log
    )
    try:
        wait_for(at_stage, lambda status: status["subscribers"] >= SUBSCRIBERS, 60)
        time.sleep(2)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_for(at_stage: Stage, question: Any, within_s: float) -> float:
    """Ask radiusd's status until it is so; how long it took."""
    started = time.monotonic()
    while time.monotonic() - started < within_s:
        try:
            if question(json.loads((at_stage.config.run / "radiusd.json").read_text())):
                return time.monotonic() - started
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.02)
    raise RuntimeError(f"radiusd is not as expected; see {at_stage.config.data}/radiusd.log")


def drain(at_stage: Stage, load: Load, count: int) -> tuple[dict[str, Any], float]:
    """Accounting-Starts at full speed: what was acknowledged, and rows a second from first packet to last row.

    The end is seen in the shipper's bookmark, which moves with the rows; that all are there is counted after it."""
    journal = at_stage.config.data / "radius" / "journal-0"
    with psycopg.connect(at_stage.config.owner_url(), autocommit=True) as conn:
        before = live(conn)
        started = time.monotonic()
        acknowledged = load.run(ACCT_PORT, count, "-A", "-I", "1")
        last = max(segments(journal))
        end = Position(last, path_of(journal, last).stat().st_size)
        while bookmark(conn) < end:
            if time.monotonic() - started > 60:
                raise RuntimeError(f"acknowledged sessions are not in the database: {bookmark(conn)} of {end}")
            time.sleep(0.02)
        took = time.monotonic() - started
        if live(conn) != before + count:
            raise RuntimeError(f"{live(conn) - before} of {count} acknowledged sessions are in the database")
    return acknowledged, count / took


def live(conn: psycopg.Connection) -> int:
    """How many live sessions the database has."""
    row = conn.execute("SELECT count(*) FROM access_sessionlive").fetchone()
    return int(row[0]) if row else 0


def bookmark(conn: psycopg.Connection) -> Position:
    """How far the journal has come into the database."""
    row = conn.execute('SELECT file, "offset" FROM access_bookmark').fetchone()
    return Position(*row) if row else Position()


def main(quick: bool = False, as_json: bool = False) -> int:
    """Run it all; exit code 0 also when a figure falls short, for the table says so."""
    rounds, count = (3, 20_000) if quick else (5, 40_000)
    with stage() as at_stage:
        directory = at_stage.config.data / "bench"
        directory.mkdir()
        people = importlib.import_module("bench.people")  # its models need Django, which the stage has set up
        users = people.subscribers(SUBSCRIBERS, NASES)
        listed = directory / "users"
        listed.write_text("".join(f"{login} {password}\n" for login, password in users))
        load = Load(generator(directory), listed, peer.SECRET)
        url = at_stage.database("radius_peer")
        peer.fill_database(url, users, 20_000)
        other = peer.start(directory / "freeradius", url, PEER_AUTH_PORT, PEER_ACCT_PORT)
        try:
            with radiusd(at_stage):
                figures, rows = measure(at_stage, load, url, rounds, count)
        finally:
            other.stop()
    conclude(rows, figures, as_json=as_json)
    return 0


def measure(
    at_stage: Stage, load: Load, peer_url: str, rounds: int, count: int
) -> tuple[dict[str, object], list[tuple[str, str, str]]]:
    """The rounds: Demarc, then FreeRADIUS, and again."""
    ours, theirs, acked, drained, starts, lost = [], [], [], [], [], 0
    for _ in range(rounds):
        auth = load.run(AUTH_PORT, count)
        lost += auth["lost"] + auth["rejected"]
        ours.append(auth["per_s"])
        with psycopg.connect(peer_url, autocommit=True) as conn:
            peer.refill_pool(conn, 20_000)
        theirs.append(load.run(PEER_AUTH_PORT, 5_000)["per_s"])
        acknowledged, rate = drain(at_stage, load, count)
        lost += acknowledged["lost"]
        acked.append(acknowledged["per_s"])
        drained.append(rate)
        starts.append(load.run(PEER_ACCT_PORT, 10_000, "-A", "-I", "1")["per_s"])
    half = median(ours) / 2
    slow = [load.run(AUTH_PORT, int(half * 3), "-r", str(half)) for _ in range(rounds)]
    lost += sum(run["lost"] for run in slow)
    p99_ms = median([run["p99_us"] / 1000 for run in slow])
    ratio = median([a / b for a, b in zip(ours, theirs, strict=True)])
    acct_ratio = median([a / b for a, b in zip(drained, starts, strict=True)])
    figures: dict[str, object] = {
        "auth_per_s": median(ours),
        "auth_ratio_sqlpool": round(ratio, 2),
        "acct_per_s": median(acked),
        "acct_drained_per_s": round(median(drained)),
        "acct_ratio_sql": round(acct_ratio, 2),
        "p99_ms_half_load": round(p99_ms, 2),
        "lost": lost,
        "subscribers": SUBSCRIBERS,
        "nas": len(NASES),
        "in_flight": WINDOW,
        "rounds": rounds,
        "requests_per_round": count,
    }
    rows = [
        ("auth_per_s", spread(ours), ">= 20,000"),
        ("  FreeRADIUS + sqlippool", spread(theirs), ""),
        ("auth_ratio_sqlpool", f"{ratio:.1f}", ">= 15"),
        ("acct_per_s", spread(acked), ">= 15,000"),
        ("acct_drained_per_s", spread(drained), ">= 5,000"),
        ("  FreeRADIUS Start", spread(starts), ""),
        ("acct_ratio_sql", f"{acct_ratio:.2f}", ">= 2"),
        ("p99_ms_half_load", f"{p99_ms:.2f} at {half:,.0f}/s", "< 20"),
        ("lost", str(lost), "0"),
    ]
    return figures, rows


if __name__ == "__main__":
    sys.exit(main(**flags()))
