"""`python -m bench.campaigns.mutated --count 10000000 --seed 1`: mutated packets through decode and answer, in process.

No sockets between, so that millions are a matter of minutes: half of the packets derive from the kept corpus, half from
what real customers' NASes send here, so that many come far in. Nobody may meet a bug, no answer may take over 50 ms of
the processor's time, and memory must stay flat. bench.campaigns.malformed sends them at a whole running server.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address
from itertools import islice
from pathlib import Path

from tests.radiusd.serving import NOW, PASSWORDS, SECRET, Serving, serving
from tests.sim.nas import PretendNas
from tests.wire.radius.mutations import malformed

from bench.campaigns.malformed import resident
from bench.campaigns.report import Report, commit
from demarc.radiusd.acct import Accountant
from demarc.radiusd.auth import Authenticator, Deeds
from demarc.radiusd.journal import delete_before
from demarc.radiusd.server import AcctPort, AuthPort, Port, listen
from demarc.wire import radius
from demarc.wire.radius import Malformed, Secret, eap, encode_attributes, tlv

NAS = "127.0.0.1"
BATCH = 2000
SLOWEST_MS = 50.0
GROWTH_MAX = 0.05
SAMPLES = 20
PORTS = 64
"""Source ports that the packets come from in turn, so that few repeat another's identifier."""


def real_packets(secret: str = SECRET) -> list[bytes]:
    """One of each kind that the NASes of `serving`'s customers send, with everything right."""
    key, packets = Secret(secret.encode()), []
    place = encode_attributes([("Calling-Station-Id", "02:00:00:00:00:01"), ("NAS-Port-Id", "ether1"), ("NAS-Port", 7)])
    ppp = place + encode_attributes([("Service-Type", 2), ("Framed-Protocol", 1), ("NAS-Identifier", "bras")])
    ask = (radius.pap_request, radius.chap_request, radius.mschapv2_request)
    for number, (login, password) in enumerate(zip(("alice", "bob", "dora", "mac"), PASSWORDS.values(), strict=True)):
        for request in ask:
            packets.append(request(number, bytes(range(number, number + 16)), (login, password), ppp, key))
        name = tlv(radius.keys.USER_NAME, login.encode())
        hello = eap.attributes(eap.encode(eap.RESPONSE, 1, eap.IDENTITY, login.encode()))
        packets.append(radius.encode_request(1, number, bytes(range(number, number + 16)), name + hello + place, key))
        for status in (1, 2, 3, 7, 8):
            session = encode_attributes(
                [("User-Name", login), ("Acct-Status-Type", status), ("Acct-Session-Id", f"8100{number}"),
                 ("Framed-IP-Address", IPv4Address("172.16.0.9")), ("Acct-Session-Time", 60),
                 ("Acct-Input-Octets", 1_000), ("Acct-Output-Gigawords", 1), ("Acct-Delay-Time", 2)],
            )  # fmt: skip
            packets.append(radius.accounting_request(number, session + place, key))
    packets.append(radius.status_server(9, bytes(range(16)), key))
    return packets


class Mute(Port):
    """A port that is offered datagrams, and whose replies are counted, not sent."""

    heard: Counter[int]

    def offer(self, datagram: bytes, source: tuple[str, int]) -> None:
        """As if it had come. Malformed as the port sees it."""
        self._take(datagram, source)

    def shut(self) -> None:
        """Its socket, which nothing went through."""
        self._flush()
        self._sock.close()

    def _send(self, reply: bytes, source: tuple[str, int]) -> None:
        self.heard[reply[0]] += 1


class MuteAuth(Mute, AuthPort):
    """For logins."""


class MuteAcct(Mute, AcctPort):
    """For accounting."""


class Direct:
    """Both ports of a server, to be called on its loop."""

    def __init__(self, server: Serving) -> None:
        def clock() -> datetime:
            return NOW

        deeds = Deeds(lambda key: None, lambda subscriber_id, mac: None, server.notes)
        auth = Authenticator(server.model, server.online, server.leases, server.counters, clock, deeds)
        acct = Accountant(server.model, server.online, server.leases, server.kept, server.counters, clock)
        rest = server.model, server.online, server.counters
        self.auth, self.acct = MuteAuth(listen(NAS, 0), *rest, auth), MuteAcct(listen(NAS, 0), *rest, acct)
        self.auth.eap = server.eap
        self.replies = self.auth.heard = self.acct.heard = Counter()

    def take(self, datagram: bytes, number: int) -> None:
        """To the port of its kind."""
        port = self.acct if datagram[:1] == b"\x04" else self.auth
        port.offer(datagram, (NAS, 20_000 + number % PORTS))

    def close(self) -> None:
        """Both."""
        self.auth.shut()
        self.acct.shut()


@dataclass
class Outcome:
    """What came of it. `slowest_ms`: processor time of the slowest packet; `bugs`: what was raised, for which."""

    sent: int = 0
    malformed: int = 0
    slowest_ms: float = 0.0
    bugs: Counter[str] = field(default_factory=Counter)
    replies: Counter[int] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    kib: list[int] = field(default_factory=list)
    alive: bool = False

    @property
    def growth(self) -> float:
        """How much more memory it held at most in the last quarter than in the second."""
        quarter = len(self.kib) // 4
        return max(self.kib[-quarter:]) / max(self.kib[quarter : 2 * quarter]) - 1

    def findings(self) -> Iterator[str]:
        """What is wrong, in words."""
        if self.bugs:
            yield f"bugs: {dict(self.bugs.most_common(5))}"
        if self.dropped["bug"]:
            yield f"{self.dropped['bug']} bugs beside the packets, in the log"
        if self.slowest_ms > SLOWEST_MS:
            yield f"an answer took {self.slowest_ms:.1f} ms"
        if self.growth >= GROWTH_MAX:
            yield f"memory grew by {self.growth:.1%}: {self.kib}"
        if not self.alive:
            yield "a real login was not answered afterwards"


def mutate(count: int, seed: int, directory: Path, each: Callable[[Outcome], None] = lambda outcome: None) -> Outcome:
    """Offer `count` packets to the packet path of a server in `directory`; then a real login over its real socket."""
    outcome = Outcome()
    with serving(directory) as server:
        server.put(server.subscriber(5, "erin", static="198.51.100.9"))  # nobody's packet names her
        server.make_certificate()
        direct = Direct(server)
        packets = malformed(count, seed, SECRET.encode(), real_packets())
        sample_at = 0
        while batch := list(islice(packets, BATCH)):
            finished: Future[None] = Future()
            server.loop.call_soon_threadsafe(_offer, direct, batch, outcome, finished)
            finished.result(60)
            if outcome.sent >= sample_at or outcome.sent == count:
                sample_at += count // SAMPLES
                delete_before(server.directory, server.kept.position.file)
                gc.collect()
                outcome.kib.append(resident(os.getpid()))
                each(outcome)
        direct.close()
        outcome.replies, outcome.dropped = direct.replies, server.counters.dropped
        outcome.alive = _answers(server)
    return outcome


def _offer(direct: Direct, batch: list[bytes], outcome: Outcome, finished: "Future[None]") -> None:
    """On the server's loop, as packets come."""
    for datagram in batch:
        outcome.sent += 1
        began = time.thread_time()
        try:
            direct.take(datagram, outcome.sent)
        except Malformed:
            outcome.malformed += 1
        except Exception as bug:  # noqa: BLE001 - what is looked for
            outcome.bugs[f"{bug!r} for {datagram.hex()}"] += 1
        outcome.slowest_ms = max(outcome.slowest_ms, (time.thread_time() - began) * 1000)
    finished.set_result(None)


def _answers(server: Serving) -> bool:

    with PretendNas(NAS, secret=SECRET) as nas:
        reply = nas.log_in(server.auth, "erin", "secret")
    return reply is not None and reply.kind == "Access-Accept"


def main() -> int:
    """Run, and keep what was printed under bench/results."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=10_000_000)
    arguments.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    given = arguments.parse_args()
    report = Report()
    report.say(f"mutated: seed {given.seed}, commit {commit()}, {given.count:,} packets")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        outcome = mutate(
            given.count, given.seed, Path(directory),
            lambda now: report.say(f"{now.sent:>12,} {now.kib[-1]:>9,} KiB, slowest {now.slowest_ms:.1f} ms"),
        )  # fmt: skip
    report.say(f"{given.count / (time.monotonic() - began):,.0f} packets a second")
    report.say(f"malformed {outcome.malformed:,}; replies by code {dict(outcome.replies.most_common())}")
    report.say(f"dropped {dict(outcome.dropped.most_common())}; memory {outcome.growth:+.1%}")
    found = list(outcome.findings())
    for finding in found:
        report.say(f"FAILED: {finding}")
    report.keep("mutated")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
