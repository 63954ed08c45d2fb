"""The clients of a campaign: they pay, log in and account all at once, repeat until they are acknowledged, and remember
what was. What they remember is the truth that the oracle holds the installation to.
"""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.flows.programs import Api
from tests.sim.nas import Heard, PretendNas

PATIENCE_S = 90.0
"""Whoever is not acknowledged for so long has found a fault."""

ABANDONED, REPEATED = 0.05, 0.1
"""How many payments are sent once and never again, and how many again though they were acknowledged."""

WIDE_MAX, NARROW_MAX = 3_000_000_000, 1_000_000
"""Octets between two records of a session, for NASes with Acct-*-Gigawords and without."""


@dataclass
class Payment:
    """A payment as its sender knows it; `number`: of the answer that acknowledged it."""

    key: str
    account_id: int
    amount: int
    number: str = ""
    tries: int = 0


@dataclass
class Session:
    """A session as its NAS knows it. Octets as last acknowledged."""

    id: str
    login: dict[str, Any]
    nas: str
    address: Any
    echoed: bytes
    wide: bool
    seconds: int = 0
    octets_in: int = 0
    octets_out: int = 0
    stopped: bool = False


@dataclass
class Book:
    """What the clients did and were told, over all rounds."""

    payments: list[Payment] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    on: dict[str, Session] = field(default_factory=dict)
    """The sessions that are on, by login."""
    troubles: list[str] = field(default_factory=list)
    accounted: int = 0
    logins: int = 0
    unheard: int = 0
    """Tries of any kind that got no answer, or the answer that it did not work."""


class Client:
    """One who works until told to finish; what he has begun, he then brings to its end."""

    def __init__(self, book: Book, random: Random, finish: threading.Event) -> None:
        self.book = book
        self.random = random
        self.finish = finish
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin, beside the others."""
        self._thread.start()

    def join(self) -> None:
        """Wait until he has finished."""
        self._thread.join(PATIENCE_S + 30)
        if self._thread.is_alive():
            self.book.troubles.append(f"{type(self).__name__} did not come to an end")

    def _work(self) -> None:
        try:
            while not self.finish.is_set() and not self.book.troubles:
                self.step()
        except Exception as error:  # noqa: BLE001 - a client must not fall silent
            self.book.troubles.append(f"{type(self).__name__}: {type(error).__name__}: {error}")

    def step(self) -> None:
        raise NotImplementedError

    def until(self, acknowledged: Callable[[], bool], what: str) -> bool:
        """Try until it is; a trouble when that takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while not acknowledged():
            self.book.unheard += 1
            if time.monotonic() > deadline:
                self.book.troubles.append(f"no acknowledgement for {PATIENCE_S:.0f} s: {what}")
                return False
            time.sleep(0.1)
        return True


class Payer(Client):
    """Pays into accounts over the API, each payment under a key of its own."""

    def __init__(self, api: Api, accounts: tuple[list[int], list[int]], name: str, *given: Any) -> None:
        super().__init__(*given)
        self.api = api
        self.poor, self.all = accounts
        self._name, self._count = name, 0

    def step(self) -> None:
        self._count += 1
        account_id = self.random.choice(self.poor if self.random.random() < 0.5 else self.all)
        payment = Payment(f"{self._name}-{self._count}", account_id, self.random.randint(1, 500))
        self.book.payments.append(payment)
        if self.random.random() < ABANDONED:
            self._send(payment)
            return
        if self.until(lambda: self._send(payment), f"payment {payment.key}") and self.random.random() < REPEATED:
            self.until(lambda: self._send(payment), f"payment {payment.key} again")
        time.sleep(0.02)

    def _send(self, payment: Payment) -> bool:
        payment.tries += 1
        amount = f"{payment.amount // 100}.{payment.amount % 100:02d}"
        body = {"account_id": payment.account_id, "amount": amount, "method": "card", "comment": payment.key}
        try:
            status, answer = self.api.call("POST", "/payments", body, key=payment.key)
        except (OSError, http.client.HTTPException, ValueError):  # the web or its answer is away
            return False
        if status >= 500 or status == 429:
            return False
        if status != 201:
            raise AssertionError(f"payment {payment.key} was refused: {status} {answer}")
        if payment.number and payment.number != answer["number"]:
            raise AssertionError(f"payment {payment.key} is now {answer['number']}, was {payment.number}")
        payment.number = answer["number"]
        return True


class Router(Client):
    """A NAS: logs its customers in, and sends Start, Interim-Update and Stop until each is acknowledged, in order."""

    def __init__(
        self, nas: PretendNas, ports: dict[str, Any], logins: list[dict[str, Any]], name: str, *given: Any
    ) -> None:
        super().__init__(*given)
        self.nas = nas
        self.auth, self.acct = ("127.0.0.1", ports["auth"]), ("127.0.0.1", ports["acct"])
        self.logins = logins
        self._name, self._count = name, 0

    def step(self) -> None:
        login = self.random.choice(self.logins)
        session = self.book.on.get(login["login"])
        if session is None:
            self._begin(login)
        elif self.random.random() < 0.2:
            self._stop(session)
        else:
            self._last(session)
        time.sleep(0.01)

    def _begin(self, login: dict[str, Any]) -> None:
        reply = self._log_in(login)
        if reply is None:
            return
        self._count += 1
        wide = self.random.random() < 0.5
        number, address = f"{self._name}-{self._count}", reply["Framed-IP-Address"]
        session = Session(number, login, self.nas.address, address, reply["Class"], wide)
        for other, theirs in list(self.book.on.items()):
            if theirs.address == address:
                raise AssertionError(f"{address} was given to {login['login']} while {other} is on with it")
        self.book.sessions.append(session)
        self.book.on[login["login"]] = session
        self._tell(session, "Start")

    def _log_in(self, login: dict[str, Any]) -> Heard | None:
        replies: list[Heard] = []

        def answered() -> bool:
            self.book.logins += 1
            method = self.random.choice(("pap", "chap", "mschapv2"))
            reply = log_in(self.nas, self.auth, login, method)
            replies.extend([reply] if reply else [])
            return bool(replies)

        self.until(answered, f"login of {login['login']}")
        if replies and replies[0].kind != "Access-Accept":
            raise AssertionError(f"{login['login']} was answered {replies[0].kind} {replies[0].attributes}")
        return replies[0] if replies else None

    def _last(self, session: Session) -> None:
        most = WIDE_MAX if session.wide else NARROW_MAX
        session.seconds += self.random.randint(60, 300)
        session.octets_in += self.random.randint(0, most // 5)
        session.octets_out += self.random.randint(0, most)
        self._tell(session, "Interim-Update")

    def _stop(self, session: Session) -> None:
        session.seconds += self.random.randint(1, 60)
        session.octets_out += self.random.randint(0, NARROW_MAX)
        session.stopped = True
        del self.book.on[session.login["login"]]  # from now on its address may be another's
        self._tell(session, "Stop", Acct_Terminate_Cause=1)

    def _tell(self, session: Session, status: str, **more: Any) -> None:
        """Until it is acknowledged; now and then once more, as one who did not hear it."""
        told = self.until(
            lambda: self._account(session, status, more), f"{status} of session {session.id} of {self.nas.address}"
        )
        self.book.accounted += told
        if told and self.random.random() < REPEATED:
            self.until(lambda: self._account(session, status, more), f"{status} of session {session.id} again")

    def _account(self, session: Session, status: str, more: dict[str, Any]) -> bool:
        said = {
            "Framed_IP_Address": session.address,
            "Calling_Station_Id": session.login["mac"],
            "Class": session.echoed,
            "Acct_Session_Time": session.seconds,
            "Acct_Input_Octets": session.octets_in & 0xFFFFFFFF,
            "Acct_Output_Octets": session.octets_out & 0xFFFFFFFF,
            **more,
        }
        if session.wide:
            said["Acct_Input_Gigawords"] = session.octets_in >> 32
            said["Acct_Output_Gigawords"] = session.octets_out >> 32
        reply = self.nas.account(self.acct, status, session.login["login"], session.id, timeout_s=0.5, times=3, **said)
        return reply is not None


def log_in(nas: PretendNas, server: tuple[str, int], login: dict[str, Any], method: str = "pap") -> Heard | None:
    """Ask for access for one of the people."""
    return nas.log_in(server, login["login"], login["password"], method, Calling_Station_Id=login["mac"])
