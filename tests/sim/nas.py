"""A pretend NAS on a loopback address: logs customers in, sends accounting, and takes CoA and Disconnect as told to.

    with PretendNas("127.0.0.3", secret="s3cret") as nas:
        reply = nas.log_in(("127.0.0.1", 1812), "alice", "password")
        nas.account(("127.0.0.1", 1813), "Start", "alice", "81000001", Framed_IP_Address=reply.ip("Framed-IP-Address"))
        told = nas.wait_for(kind="CoA-Request", within_s=2)

`behaviour`: "ack", "silent", or an Error-Cause such as 503 to refuse with. Reusable by flow tests; loopback only.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from demarc.wire.radius import (
    BY_KEY,
    CODE_NAMES,
    Packet,
    Secret,
    accounting_request,
    chap_request,
    decode,
    decode_value,
    encode_attribute,
    encode_attributes,
    encode_reply,
    mschapv2_request,
    pap_request,
    verify_reply,
    verify_request_authenticator,
)

METHODS = {"pap": pap_request, "chap": chap_request, "mschapv2": mschapv2_request}
STATUS = {"Start": 1, "Stop": 2, "Interim-Update": 3, "Accounting-On": 7, "Accounting-Off": 8}
REFUSALS = {40: 42, 43: 45}
CONSENTS = {40: 41, 43: 44}


@dataclass
class Heard:
    """A packet taken apart: its kind by name, its attributes by name, and when it came (steady clock)."""

    kind: str
    attributes: dict[str, Any]
    at: float
    octets: bytes
    source: tuple[str, int] = ("", 0)

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    def get(self, name: str) -> Any:
        return self.attributes.get(name)


def told(packet: Packet, source: tuple[str, int] = ("", 0)) -> Heard:
    attributes = {BY_KEY[key].name: decode_value(BY_KEY[key], raw) for key, raw in packet.attributes if key in BY_KEY}
    return Heard(CODE_NAMES.get(packet.code, str(packet.code)), attributes, time.monotonic(), packet.octets, source)


@dataclass
class PretendNas:
    """One NAS. `address`: where its packets come from and where CoA reaches it, on `port` (0: a free one)."""

    address: str = "127.0.0.1"
    secret: str = "testing123-testing123"
    port: int = 0
    behaviour: str | int = "ack"
    heard: list[Heard] = field(default_factory=list)
    on_coa: Callable[[Heard], str | int | None] | None = None

    def __post_init__(self) -> None:
        self._secret = Secret(self.secret.encode())
        self._changed = threading.Condition()
        self._identifier = 0
        self._stopping = False
        self._listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._listening.bind((self.address, self.port))
        self._listening.settimeout(0.1)
        self.port = self._listening.getsockname()[1]
        self._asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._asking.bind((self.address, 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "PretendNas":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join()
        self._listening.close()
        self._asking.close()

    # --- as a client ---

    def log_in(
        self, server: tuple[str, int], login: str, password: str, method: str = "pap", **attributes: Any
    ) -> Heard | None:
        """Ask for access and return the verified reply; None when there is none in time. Names with _ for -."""
        packet = METHODS[method](self._next(), os.urandom(16), (login, password), _encode(attributes), self._secret)
        return self.ask(server, packet)

    def account(
        self,
        server: tuple[str, int],
        status: str,
        login: str,
        session_id: str,
        *,
        timeout_s: float = 2.0,
        times: int = 1,
        **attributes: Any,
    ) -> Heard | None:
        """Send accounting about a session, up to `times` times, and return the answer; None when there is none."""
        named = {"Acct_Status_Type": STATUS[status], "NAS_IP_Address": IPv4Address(self.address)}
        if login:
            named["User_Name"] = login
        if session_id:
            named["Acct_Session_Id"] = session_id
        packet = accounting_request(self._next(), _encode(named | attributes), self._secret)
        return self.ask(server, packet, timeout_s=timeout_s, times=times)

    def ask(self, server: tuple[str, int], packet: bytes, *, timeout_s: float = 2.0, times: int = 1) -> Heard | None:
        """Send a request as it is, up to `times` times, and return the verified reply."""
        for _ in range(times):
            self._asking.sendto(packet, server)
            reply = self._reply(packet, time.monotonic() + timeout_s)
            if reply is not None:
                return reply
        return None

    def _reply(self, packet: bytes, until: float) -> Heard | None:
        while (left_s := until - time.monotonic()) > 0:
            self._asking.settimeout(left_s)
            try:
                datagram, source = self._asking.recvfrom(4096)
            except TimeoutError:
                return None
            reply = decode(datagram)
            if reply.identifier == packet[1] and verify_reply(reply, packet[4:20], self._secret):
                return told(reply, source)
        return None

    def _next(self) -> int:
        self._identifier = (self._identifier + 1) % 256
        return self._identifier

    # --- as the one who is told ---

    def wait_for(self, within_s: float = 5.0, kind: str | None = None, after: int = 0, **attributes: Any) -> Heard:
        """The first packet heard from place `after` on that is of this kind and has these attributes."""
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        until = time.monotonic() + within_s
        with self._changed:
            while True:
                for one in self.heard[after:]:
                    if kind in (None, one.kind) and all(one.get(name) == value for name, value in wanted.items()):
                        return one
                left_s = until - time.monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    raise AssertionError(f"no {kind or 'packet'} with {wanted} within {within_s} s: {self.heard}")

    def _listen(self) -> None:
        while not self._stopping:
            try:
                datagram, source = self._listening.recvfrom(4096)
            except TimeoutError:
                continue
            packet = decode(datagram)
            if not verify_request_authenticator(packet, self._secret):
                continue
            one = told(packet, source)
            with self._changed:
                self.heard.append(one)
                self._changed.notify_all()
            answer = (self.on_coa(one) if self.on_coa else None) or self.behaviour
            if answer != "silent":
                self._listening.sendto(self._answer(packet, answer), source)

    def _answer(self, packet: Packet, answer: str | int) -> bytes:
        if answer == "ack":
            return encode_reply(CONSENTS[packet.code], packet, b"", self._secret)
        cause = encode_attribute("Error-Cause", int(answer))
        return encode_reply(REFUSALS[packet.code], packet, cause, self._secret)


def _encode(named: dict[str, Any]) -> bytes:
    return encode_attributes((name.replace("_", "-"), value) for name, value in named.items())
