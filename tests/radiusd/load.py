"""Routers at work on one or two radiusd, as real ones are: ask, ask again, turn to the next server; and what they saw.

Each thread is a router with customers of its own; `Seen` is what all of them know afterwards, to compare with the
database.
"""

import itertools
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.sim.nas import Heard, PretendNas

Server = tuple[tuple[str, int], tuple[str, int]]
"""Where authentication and accounting are answered."""

LONGER = float(os.environ.get("LONGER", "1"))
"""How many times as long as in the suite; for campaigns, run by hand."""

PATIENCE_S = 1.0
TRIES = 3


@dataclass
class Seen:
    """`refused`: valid logins that were not let in; `mute`: those that no server answered; `slowest_s`: the longest
    wait for an answer; `stopped`: session ids whose Stop was acknowledged; `twice`: addresses given to two at once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    let_in: int = 0
    refused: list[str] = field(default_factory=list)
    mute: list[str] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    held: dict[object, str] = field(default_factory=dict)
    twice: list[object] = field(default_factory=list)
    slowest_s: float = 0.0
    troubles: list[str] = field(default_factory=list)


class Router(threading.Thread):
    """Logs its customers in, one after the other, holds some sessions for a while, ends them, until told to stop."""

    def __init__(
        self, nas: PretendNas, servers: Sequence[Server], logins: Sequence[str], seen: Seen, stop: threading.Event,
        hold: int = 3,
    ) -> None:  # fmt: skip
        super().__init__(daemon=True)
        self.nas, self.servers, self.logins, self.seen, self.stop = nas, list(servers), logins, seen, stop
        self.hold = hold
        self.numbers = itertools.count(1)
        self.on: list[tuple[str, str, object]] = []

    def run(self) -> None:
        try:
            for login in itertools.cycle(self.logins):
                if self.stop.is_set():
                    break
                self.come(login)
                if len(self.on) > min(self.hold, len(self.logins) - 1):
                    self.leave(*self.on.pop(0))
            while self.on:
                self.leave(*self.on.pop(0))
        except Exception as trouble:  # noqa: BLE001 - told to the test
            self.seen.troubles.append(repr(trouble))

    def come(self, login: str) -> None:
        began = time.monotonic()
        reply = self.ask(lambda server: self.nas.log_in(server[0], login, "secret", Calling_Station_Id=f"mac-{login}"))
        with self.seen.lock:
            self.seen.slowest_s = max(self.seen.slowest_s, time.monotonic() - began)
            if reply is None:
                self.seen.mute.append(login)
                return
            if reply.kind != "Access-Accept":
                self.seen.refused.append(login)
                return
            self.seen.let_in += 1
            address = reply.get("Framed-IP-Address")
            if self.seen.held.setdefault(address, login) != login:
                self.seen.twice.append(address)
        session = f"{self.nas.address}-{next(self.numbers)}"
        self.account("Start", login, session, Framed_IP_Address=address, Calling_Station_Id=f"mac-{login}")
        self.on.append((login, session, address))

    def leave(self, login: str, session: str, address: object) -> None:
        octets = {"Acct_Session_Time": 60, "Acct_Input_Octets": 1, "Acct_Output_Octets": 10}
        with self.seen.lock:
            self.seen.held.pop(address, None)  # before the Stop leaves: from then on it may be somebody else's
        if self.account("Stop", login, session, Framed_IP_Address=address, **octets):
            with self.seen.lock:
                self.seen.stopped.add(session)

    def account(self, status: str, login: str, session: str, **attributes: object) -> Heard | None:
        return self.ask(
            lambda server: self.nas.account(server[1], status, login, session, timeout_s=PATIENCE_S, **attributes)
        )

    def ask(self, one) -> Heard | None:
        """Each server some tries; the one that answered is asked first from then on."""
        for server in list(self.servers):
            for _ in range(TRIES):
                reply = one(server)
                if reply is not None:
                    self.servers.sort(key=lambda known, good=server: known != good)
                    return reply
        return None


def at_work(routers: Sequence[Router], for_s: float, meanwhile=lambda: None) -> None:
    """Let them work so long, and something happen in the middle of it; then let them end their sessions."""
    for router in routers:
        router.start()
    time.sleep(for_s * LONGER / 3)
    try:
        meanwhile()
        time.sleep(for_s * LONGER * 2 / 3)
    finally:
        for router in routers:
            router.stop.set()
        for router in routers:
            with suppress(RuntimeError):
                router.join(30)
