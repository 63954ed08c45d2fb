"""RADIUS beside FreeRADIUS 3.2: authentications and accounting a second, latency, loss, and how soon a change is live.

100,000 subscribers (10,000 with --quick), each bound to his device, once online at most, IPv4 from a pool and an IPv6
prefix for good; 200 changes a second come in through the feed all the while. Two peers, of eight threads each:
FreeRADIUS on the same PostgreSQL beside one process of radiusd, and FreeRADIUS answering from memory beside two, where
everybody has come once before. Rounds alternate; figures are medians of 5 (3 with --quick). The generator (radload.c)
verifies every reply, and all sign. The generator, the servers and PostgreSQL share the machine, so read the ratios.
"""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench import peer
from bench.changes import Changes
from bench.stage import Stage, conclude, flags, median, spread, stage
from demarc.radiusd.journal import Position, end_of, path_of, segments

SUBSCRIBERS, SUBSCRIBERS_QUICK = 100_000, 10_000
CHANGES_PER_S = 200
SUSTAINED_PER_S = 8_000
SUSTAINED_S, SUSTAINED_QUICK_S = 60, 10
NASES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
WINDOW = 32
AUTH_PORT, ACCT_PORT, PEER_AUTH_PORT, PEER_ACCT_PORT, FILES_PORT = 21812, 21813, 22812, 22813, 23812
HERE = Path(__file__).parent


def generator(directory: Path) -> Path:
    """Compile the load generator."""
    program = directory / "radload"
    subprocess.run(["cc", "-O2", "-o", str(program), str(HERE / "radload.c")], check=True)
    return program


class Load:
    """Runs the generator against one port."""

    def __init__(self, program: Path, users: Path, secret: str = peer.SECRET) -> None:
        self._command = [str(program), "-u", str(users), "-S", ",".join(NASES), "-s", secret]
        self.sessions = 0

    def run(self, port: int, count: int, *options: str) -> dict[str, Any]:
        """One run; sessions of accounting are fresh each time, and each run goes on with the next users."""
        numbered = ["-b", str(self.sessions), "-f", str(self.sessions)]
        self.sessions += count
        command = [*self._command, "-p", str(port), "-n", str(count), "-d", "60", *numbered, *options]
        if "-r" not in options:
            command += ["-w", str(WINDOW)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        result: dict[str, Any] = json.loads(done.stdout)
        if result["bad"]:
            raise RuntimeError(f"replies that do not verify: {result}")
        return result


@contextmanager
def radiusd(
    at_stage: Stage, subscribers: int, within_s: float = 60, processes: int = 1, **more: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """radiusd with its shipper, ready to answer."""
    ports = {
        "DEMARC_RADIUS_AUTH_PORT": str(AUTH_PORT),
        "DEMARC_RADIUS_ACCT_PORT": str(ACCT_PORT),
        "DEMARC_RADIUS_PROCESSES": str(processes),
    }
    told = [at_stage.config.run / ("radiusd.json" if n == 0 else f"radiusd-{n}.json") for n in range(processes)]
    for path in told:
        path.unlink(missing_ok=True)  # an earlier one's
    log = (at_stage.config.data / "radiusd.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "demarc.radiusd"], env=at_stage.environment(**ports, **more), stdout=log, stderr=log
    )
    try:
        for path in told:
            wait_for(path, lambda status: status["serving"] and status["subscribers"] >= subscribers, within_s)
        time.sleep(2)
        yield process
    except Exception as error:
        said = (at_stage.config.data / "radiusd.log").read_text(errors="replace")
        error.add_note(f"radiusd said: {said[-2000:]}")
        raise
    finally:
        process.terminate()
        process.wait(20)


def wait_for(status: Path, question: Any, within_s: float) -> float:
    """Ask radiusd's status until it is so; how long it took."""
    started = time.monotonic()
    while time.monotonic() - started < within_s:
        try:
            if question(json.loads(status.read_text())):
                return time.monotonic() - started
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.02)
    raise RuntimeError(f"radiusd is not as expected, {status} says")


def drain(at_stage: Stage, load: Load, count: int) -> tuple[dict[str, Any], float]:
    """Accounting-Starts at full speed: what was acknowledged, and rows a second from first packet to last row.

    The end is seen in the shipper's bookmark, which moves with the rows; that all are there is counted after it."""
    journal = at_stage.config.data / "radius" / "journal-0"
    with psycopg.connect(at_stage.config.owner_url(), autocommit=True) as conn:
        before = live(conn)
        started = time.monotonic()
        acknowledged = load.run(ACCT_PORT, count, "-A", "-I", "1")
        last = max(segments(journal))
        end = Position(last, end_of(path_of(journal, last)))
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


def backlog(at_stage: Stage) -> int:
    """Records that are acknowledged and not in the database."""
    return int(json.loads((at_stage.config.run / "radiusd.json").read_text())["journal_backlog_records"])


def sustained(at_stage: Stage, load: Load, sessions: int, for_s: int) -> tuple[dict[str, Any], list[int]]:
    """Interim-Updates of `sessions` sessions at an even rate: what came of it, and the backlog at each second."""
    first = load.sessions - sessions
    samples: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        options = ("-A", "-I", "3", "-r", str(SUSTAINED_PER_S), "-w", "2000", "-m", str(sessions))
        load.sessions = first
        running = pool.submit(load.run, ACCT_PORT, SUSTAINED_PER_S * for_s, *options, "-d", str(2 * for_s))
        while not running.done():
            time.sleep(1)
            samples.append(backlog(at_stage))
        return running.result(), samples


def grew(samples: list[int]) -> bool:
    """Whether the journal's backlog did: its last third holds a second's worth more than the one before it."""
    third = max(len(samples) // 3, 1)
    return median(samples[-third:]) > median(samples[-2 * third : -third]) + SUSTAINED_PER_S


@dataclass
class Rounds:
    """What was measured, round by round."""

    auth: list[float] = field(default_factory=list)
    sql: list[float] = field(default_factory=list)
    pair_first: float = 0.0
    pair: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)
    acct: list[float] = field(default_factory=list)
    drained: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    lost: int = 0
    why: dict[str, int] = field(default_factory=dict)
    sustained: dict[str, Any] = field(default_factory=dict)
    backlog: list[int] = field(default_factory=list)
    live_p99_ms: float = 0.0


def main(quick: bool = False, as_json: bool = False) -> int:
    """Run it all; exit code 0 also when a figure falls short, for the table says so."""
    rounds, count = (3, 20_000) if quick else (5, 40_000)
    subscribers = SUBSCRIBERS_QUICK if quick else SUBSCRIBERS
    with stage() as at_stage, ExitStack() as running:
        directory = at_stage.config.data / "bench"
        directory.mkdir()
        people = importlib.import_module("bench.people")  # its models need Django, which the stage has set up
        users = people.subscribers(subscribers + 1, NASES)  # the last one is the probe; the others divide by the NASes
        listed = directory / "users"
        listed.write_text("".join(f"{one.login} {one.password}\n" for one in users[:-1]))
        load = Load(generator(directory), listed)
        url = at_stage.database("radius_peer")
        peer.fill_database(url, users, 20_000)
        for other in (
            peer.start_sql(directory / "freeradius", url, PEER_AUTH_PORT, PEER_ACCT_PORT),
            peer.start_files(directory / "freeradius-files", users, FILES_PORT),
        ):
            running.callback(other.stop)
        found = Rounds()
        probed = (at_stage.config.owner_url(), CHANGES_PER_S, users[-1], ("127.0.0.1", AUTH_PORT))
        with radiusd(at_stage, subscribers), Changes(*probed) as changes:
            for _ in range(rounds):
                one_round(at_stage, load, url, count, found)
            half = median(found.auth) / 2
            for _ in range(rounds):
                slow = load.run(AUTH_PORT, int(half * 3), "-r", str(half))
                found.p99_ms.append(slow["p99_us"] / 1000)
                found.lost += slow["lost"]
            for_s = SUSTAINED_QUICK_S if quick else SUSTAINED_S
            drain(at_stage, load, count)
            found.sustained, found.backlog = sustained(at_stage, load, count, for_s)
            found.live_p99_ms = changes.p99_ms()
            note_why(at_stage, found)
        with radiusd(at_stage, subscribers, processes=2), Changes(*probed):
            two_processes(at_stage, load, subscribers, count, found, rounds)
    sizes = {"subscribers": subscribers, "rounds": rounds, "requests_per_round": count, "changes_made": changes.made}
    conclude(table(found), figures(found) | sizes, as_json=as_json)
    return 0


def two_processes(at_stage: Stage, load: Load, subscribers: int, count: int, found: Rounds, rounds: int) -> None:
    """Everybody once, then rounds in turn with FreeRADIUS, which has read everybody's file when it starts. First what
    the minute before has left in the journal is shipped."""
    wait_for(at_stage.config.run / "radiusd.json", lambda status: not status["journal_backlog_records"], 120)
    first = load.run(AUTH_PORT, subscribers)
    found.pair_first = first["per_s"]
    whole(load.run(FILES_PORT, subscribers, "-N"))
    found.lost += first["lost"] + first["rejected"]
    for _ in range(rounds):
        auth = load.run(AUTH_PORT, count)
        found.pair.append(auth["per_s"])
        found.lost += auth["lost"] + auth["rejected"]
        found.files.append(whole(load.run(FILES_PORT, count, "-N"))["per_s"])
    note_why(at_stage, found, processes=2)


def note_why(at_stage: Stage, found: Rounds, processes: int = 1) -> None:
    """What radiusd says of those that it refused or did not answer."""
    time.sleep(1)
    for index in range(processes):
        status = json.loads((at_stage.config.run / f"radiusd{f'-{index}' if index else ''}.json").read_text())
        for word, number in [
            *status["reject_causes"].items(),
            *status["dropped"].items(),
            ("udp", status["udp_drops"]),
        ]:
            if number:
                found.why[word] = found.why.get(word, 0) + number


def one_round(at_stage: Stage, load: Load, peer_url: str, count: int, found: Rounds) -> None:
    """Demarc, then FreeRADIUS; logins, then accounting."""
    auth = load.run(AUTH_PORT, count)
    found.auth.append(auth["per_s"])
    with psycopg.connect(peer_url, autocommit=True) as conn:
        peer.refill_pool(conn, 20_000)
    found.sql.append(load.run(PEER_AUTH_PORT, 5_000)["per_s"])
    acknowledged, rate = drain(at_stage, load, count)
    found.acct.append(acknowledged["per_s"])
    found.drained.append(rate)
    found.starts.append(load.run(PEER_ACCT_PORT, 10_000, "-A", "-I", "1")["per_s"])
    found.lost += auth["lost"] + auth["rejected"] + acknowledged["lost"]


def whole(result: dict[str, Any]) -> dict[str, Any]:
    """A run of the peer in which everybody was accepted; RuntimeError otherwise: it would compare nothing."""
    if result["rejected"] or result["lost"]:
        raise RuntimeError(f"the peer did not accept everybody: {result}")
    return result


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios."""
    return round(median([a / b for a, b in zip(ours, theirs, strict=True)]), 2)


def figures(found: Rounds) -> dict[str, object]:
    """The medians."""
    return {
        "auth_per_s": median(found.auth),
        "auth_ratio_sqlpool": ratio(found.auth, found.sql),
        "auth_two_processes_first_per_s": found.pair_first,
        "auth_two_processes_per_s": median(found.pair),
        "auth_ratio_files": ratio(found.pair, found.files),
        "acct_per_s": median(found.acct),
        "acct_drained_per_s": round(median(found.drained)),
        "acct_ratio_sql": ratio(found.drained, found.starts),
        "acct_sustained_per_s": found.sustained["per_s"],
        "journal_grew": grew(found.backlog),
        "journal_backlog_max": max(found.backlog),
        "p99_ms_half_load": round(median(found.p99_ms), 2),
        "change_live_p99_ms": round(found.live_p99_ms, 1),
        "lost": found.lost + found.sustained["lost"],
        "refused_or_dropped": found.why,
        "nas": len(NASES),
        "in_flight": WINDOW,
        "changes_per_s": CHANGES_PER_S,
    }


def table(found: Rounds) -> list[tuple[str, str, str]]:
    """Figure, measured, wanted."""
    told = {name: f"{value:,}" for name, value in figures(found).items() if not isinstance(value, dict)}
    sustained_s = found.sustained["seconds"]
    return [
        ("auth_per_s", spread(found.auth), ">= 20,000"),
        ("  FreeRADIUS + sqlippool", spread(found.sql), ""),
        ("auth_ratio_sqlpool", told["auth_ratio_sqlpool"], ">= 15"),
        (
            "auth_two_processes_per_s",
            f"{spread(found.pair)}; to newcomers {told['auth_two_processes_first_per_s']}",
            "",
        ),
        ("  FreeRADIUS from memory", spread(found.files), ""),
        ("auth_ratio_files", told["auth_ratio_files"], ">= 0.8"),
        ("acct_per_s", spread(found.acct), ">= 20,000"),
        ("acct_drained_per_s", spread(found.drained), ">= 8,000"),
        ("acct_sustained_per_s", f"{told['acct_sustained_per_s']} for {sustained_s:.0f} s", ">= 8,000"),
        ("journal_grew", f"{grew(found.backlog)}, at most {told['journal_backlog_max']} records", "False"),
        ("  FreeRADIUS Start", spread(found.starts), ""),
        ("acct_ratio_sql", told["acct_ratio_sql"], ">= 2.5"),
        ("p99_ms_half_load", f"{told['p99_ms_half_load']} at {median(found.auth) / 2:,.0f}/s", "< 10"),
        ("change_live_p99_ms", told["change_live_p99_ms"], "< 1,000"),
        ("lost", f"{told['lost']} {found.why or ''}", "0"),
    ]


if __name__ == "__main__":
    sys.exit(main(**flags()))
