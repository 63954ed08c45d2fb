"""`python -m bench.campaigns.malformed --count 100000 --seed 1`: malformed RADIUS packets at a running server.

From the corpus and mutations of tests/wire/radius, a third of them signed with the NAS's own secret. Between them real
customers log in and account: they must be answered. Memory and descriptors must not grow, and the server's own
counters must account for every packet.
"""

import argparse
import json
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from tests.sim.nas import PretendNas
from tests.wire.radius.mutations import malformed

from bench.campaigns.clients import log_in
from bench.campaigns.ground import SECRET, children, ground, wait
from bench.campaigns.report import Failed, Report, commit

NAS = "127.0.0.23"
BURST = 200
"""Datagrams between two real requests: fewer than what fits into the sockets' buffers."""

SAMPLES = 20
GROWTH_MAX = 0.05
DRAIN_S = 60.0
ACCOUNTING_REQUEST, STATUS_SERVER = 4, 12


@dataclass
class Target:
    """A running radiusd. `told`: the file in which it says how it is; `login`: a customer of the NAS."""

    pid: int
    auth: tuple[str, int]
    acct: tuple[str, int]
    told: Path
    login: dict[str, Any]

    def status(self) -> dict[str, Any]:
        """As of now: written after this call."""
        before = time.time()
        wait(lambda: "" if self.told.exists() and self.told.stat().st_mtime > before else "not told yet", 10)
        status: dict[str, Any] = json.loads(self.told.read_text())
        return status

    def sample(self) -> "Sample":
        """What radiusd and its shipper hold."""
        shipper = next(iter(children(self.pid)), 0)
        return Sample(resident(self.pid), resident(shipper), len(list(Path(f"/proc/{self.pid}/fd").iterdir())))


@dataclass(frozen=True)
class Sample:
    """Resident memory in KiB, and open descriptors of radiusd."""

    radiusd: int
    shipper: int
    descriptors: int


@dataclass
class Outcome:
    """What came of the flood. `counted`: the server's counters, over the flood."""

    sent: int = 0
    status_servers: int = 0
    real: int = 0
    unanswered: int = 0
    replies: Counter[int] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    sessions: int = 0
    undrained: str = ""

    def growth(self, of: str) -> float:
        """How much more memory it held at most in the last quarter than in the second, when it was warm."""
        held = [getattr(sample, of) for sample in self.samples]
        quarter = len(held) // 4
        return float(max(held[-quarter:]) / max(held[quarter : 2 * quarter]) - 1)

    @property
    def leaked_descriptors(self) -> int:
        """How many more are open at the least: connections to the database come and go."""
        half = len(self.samples) // 2
        early, late = self.samples[:half], self.samples[half:]
        return min(sample.descriptors for sample in late) - min(sample.descriptors for sample in early)

    @property
    def unaccounted(self) -> int:
        """Packets that no counter knows; a Status-Server that was answered is counted by none."""
        return self.sent + self.real - self.counted.total()

    def findings(self) -> Iterator[str]:
        """What is wrong, in words."""
        if self.unanswered:
            yield f"{self.unanswered} of {self.real} real requests were not answered"
        if self.counted["bug"]:
            yield f"{self.counted['bug']} packets were dropped by a bug"
        if self.parked:
            yield f"the shipper could not apply {self.parked} records"
        if self.undrained:
            yield f"after {DRAIN_S:.0f} s: {self.undrained}"
        if not 0 <= self.unaccounted <= self.status_servers:
            yield f"{self.unaccounted} packets are in no counter"
        for of in ("radiusd", "shipper"):
            if self.growth(of) >= GROWTH_MAX:
                yield f"the memory of {of} grew by {self.growth(of):.1%}: {[getattr(s, of) for s in self.samples]}"
        if self.leaked_descriptors > 0:
            yield f"open descriptors grew: {[sample.descriptors for sample in self.samples]}"


def resident(pid: int) -> int:
    """KiB of a process in memory."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def counters(status: dict[str, Any]) -> Counter[str]:
    """Everything that is counted once a packet."""
    taken = {
        "accepts": status["accept_total"],
        "rejects": status["reject_total"],
        "acct": status["acct_total"],
        "challenges": status["eap"].get("challenges", 0),
        "repeated": status["repeated"],
    }
    return Counter(taken) + Counter(status["dropped"]) + Counter({"kernel": status["udp_drops"]})


def flood(target: Target, nas: PretendNas, count: int, seed: int, each: Callable[[Sample], None]) -> Outcome:
    """Send `count` packets, real requests between them; `each` hears the samples."""
    outcome, random = Outcome(), Random(seed)
    packets = malformed(count, seed, secret=nas.secret.encode())
    before = target.status()
    sample_at = 0
    while burst := list(islice(packets, BURST)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:  # on a port of its own: no burst repeats another
            sock.bind((nas.address, 0))
            sock.setblocking(False)
            for packet in burst:
                sock.sendto(packet, _port(target, packet, random))
                outcome.status_servers += packet[:1] == bytes((STATUS_SERVER,))
            outcome.sent += len(burst)
            _ask(target, nas, outcome)
            _hear(sock, outcome)
        if outcome.sent >= sample_at or outcome.sent == count:
            sample_at += count // SAMPLES
            outcome.samples.append(target.sample())
            each(outcome.samples[-1])
    outcome.undrained = wait(lambda: _undrained(target), DRAIN_S)
    after = target.status()
    outcome.counted = counters(after) - counters(before)
    outcome.parked, outcome.sessions = after["journal_parked"], after["sessions"]
    return outcome


def _port(target: Target, packet: bytes, random: Random) -> tuple[str, int]:
    """Mostly the port that takes its kind."""
    fits = target.acct if packet[:1] == bytes((ACCOUNTING_REQUEST,)) else target.auth
    return fits if random.random() < 0.8 else random.choice((target.auth, target.acct))


def _ask(target: Target, nas: PretendNas, outcome: Outcome) -> None:
    """A customer logs in and his session lasts; both must be answered at the first try."""
    login = target.login
    reply = log_in(nas, target.auth, login)
    outcome.unanswered += reply is None or reply.kind != "Access-Accept"
    outcome.unanswered += not nas.account(
        target.acct, "Interim-Update", login["login"], "real-1", Acct_Session_Time=outcome.sent,
        Acct_Input_Octets=outcome.sent, Acct_Output_Octets=outcome.sent, Calling_Station_Id=login["mac"],
    )  # fmt: skip
    outcome.real += 2


def _hear(sock: socket.socket, outcome: Outcome) -> None:
    with suppress(BlockingIOError):
        while True:
            outcome.replies[sock.recv(8192)[0]] += 1


def _undrained(target: Target) -> str:
    left = target.status()["journal_backlog_bytes"]
    return f"{left} bytes of the journal are not shipped" if left else ""


def campaign(count: int, seed: int, say: Callable[[str], None] = print) -> Outcome:
    """Flood a fresh installation."""
    say(f"malformed: seed {seed}, commit {commit()}, {count:,} packets")
    with PretendNas(NAS, secret=SECRET) as nas, ground(0, 10, [(NAS, nas.port)]) as at:
        ports = at.demarc.ports
        pid = at.pid("radiusd") or 0
        target = Target(
            pid, ("127.0.0.1", ports["auth"]), ("127.0.0.1", ports["acct"]), at.demarc.data / "run" / "radiusd.json",
            at.people["logins"][0],
        )  # fmt: skip
        say("radiusd KiB  shipper KiB  descriptors")
        began = time.monotonic()
        outcome = flood(
            target, nas, count, seed, lambda s: say(f"{s.radiusd:>11,}  {s.shipper:>11,}  {s.descriptors:>11}")
        )
        rate = count / (time.monotonic() - began)
        say(f"{rate:,.0f} packets a second; {outcome.real} real requests, {outcome.unanswered} not answered")
        say(f"counted: {dict(outcome.counted.most_common())}; in no counter: {outcome.unaccounted}")
        say(f"replies by code: {dict(outcome.replies.most_common())}")
        say(f"sessions at the end: {outcome.sessions}; records set aside: {outcome.parked}")
        say(f"memory of radiusd {outcome.growth('radiusd'):+.1%}, of its shipper {outcome.growth('shipper'):+.1%}")
        if found := list(outcome.findings()):
            for finding in found:
                say(f"     {finding}")
            raise Failed(f"seed {seed}: {found[0]}")
    return outcome


def main() -> int:
    """Play, and keep what was printed under bench/results."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    given = arguments.parse_args()
    report = Report()
    try:
        campaign(given.count, given.seed, report.say)
        code = 0
    except Failed as failure:
        report.say(f"FAILED: {failure}")
        code = 1
    report.keep("malformed")
    return code


if __name__ == "__main__":
    sys.exit(main())
