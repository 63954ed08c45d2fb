"""How each request was decided, taken down on the packet path as a small tuple, told in full off it.

The notes of a second become rows of the database, as many as `notes` has room for. No password gets here, and of
values that are octets only their length is told.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import psycopg

from demarc.core.access import Accept, normal_mac
from demarc.radiusd import store_moving
from demarc.radiusd.credentials import Verdict
from demarc.radiusd.feed import Connection, connect
from demarc.radiusd.logins import Login
from demarc.radiusd.notes import Decided, Elsewhere, Note, Notes
from demarc.wire.radius import BY_KEY, Attribute, Malformed, Packet, decode, decode_value, keys
from demarc.wire.radius.attributes import read_text

REMEMBERED = 4096
"""Notes kept while the database is away; then the oldest go."""

EVERY_S = 1.0
ROWS_MAX = 500
SLICE = 50
"""Rows that are made at a time, packets in between."""

SENT_MAX, SENT_LENGTH_MAX, WHY_LENGTH_MAX = 40, 300, 200

WORDS = {
    "wrong_secret": ("silent", "The password is noise: the router's secret is probably not the one here."),
    "address_arriving": ("silent", "An address was on its way; the router asks again."),
    "no_address": ("reject", "No address is left in the pools."),
    "eap_no_method": ("reject", "The device wants none of PEAP with MS-CHAPv2, TTLS and MD5."),
    "eap_untrusted": ("reject", "The device does not trust the RADIUS server's certificate."),
    "eap_tls": ("reject", "No TLS connection with the device came about."),
    "eap_malformed": ("reject", "What the device sent is not what its EAP method allows."),
    "eap_withdrawn": ("reject", "The device did not believe our proof of the password, or broke off."),
    "eap_too_long": ("reject", "The device needed more packets than a login can take."),
    "eap_gone": ("reject", "This EAP conversation is not known here, or not any more; the device starts anew."),
    "eap_silent": ("silent", "The device stopped answering; many do when they do not trust the certificate."),
}
log = logging.getLogger(__name__)


class Trace:
    """Tells the notes of one process. `latest`: those not written yet."""

    def __init__(self, notes: Notes, writer: str) -> None:
        self._notes = notes
        self._writer = writer
        self.latest: deque[Note] = deque(maxlen=REMEMBERED)
        self.written = self.bugs = 0

    @property
    def waiting(self) -> int:
        """How many notes are not written yet."""
        return len(self.latest) + len(self._notes.plain) + len(self._notes.odd)

    async def run(self, url: str) -> None:
        """Write until cancelled; while the database is away the latest are kept."""
        while True:
            try:
                async with await connect(url) as conn:
                    while True:
                        self.collect()
                        await self.write(conn)
                        await asyncio.sleep(EVERY_S)
            except psycopg.DataError:
                log.exception("a second's decisions cannot be written")
            except psycopg.Error:
                self.collect()  # the follower tells that the database is away
            await asyncio.sleep(EVERY_S)

    def collect(self) -> None:
        """Make room for more on the packet path."""
        self.latest.extend(self._notes.take())

    async def write(self, conn: Connection) -> None:
        """All that there are. Those of a batch that the database does not take are given up."""
        while self.latest:
            rows: list[dict[str, Any]] = []
            while self.latest and len(rows) < ROWS_MAX:
                rows += self._rows(self.latest.popleft())
                if len(rows) % SLICE == 0:
                    await asyncio.sleep(0)
            await conn.execute(store_moving.DECIDED, {"rows": json.dumps(rows)})
            self.written += len(rows)

    def _rows(self, note: Note) -> list[dict[str, Any]]:
        try:
            return [row_of(note, self._writer)]
        except Exception:
            if not self.bugs:
                log.exception("a decision cannot be told")
            self.bugs += 1
            return []


def row_of(note: Note, writer: str) -> dict[str, Any]:
    """A row of access_decision, as JSON values."""
    (at, client, login, name, place, others), decided, verdict, ipv4, word = note
    answer = decided.answer if decided else None
    outcome, by, why = _outcome(answer, word)
    why = f"{why} {verdict.inside}" if verdict.inside else why
    station = read_text(place.station)
    return {
        "at": at.isoformat(),
        "node": writer,
        "nas_id": client.id,
        "partner_id": client.partner_id,
        "subscriber_id": login.id if login else None,
        "login": read_text(name)[:253],
        "found": "none" if login is None else "exact" if login.name == name else "domain",
        "method": verdict.method,
        "credentials": "noise" if verdict.check is None else verdict.check.value,
        "needs_proof": verdict.needs_proof,
        "station": station[:80],
        "port": read_text(place.port)[:120],
        "mac_rule": _mac_rule(login, station),
        "others": min(others, 32_767),
        "session_limit": login.rule.simultaneous if login else 0,
        "cause": answer.cause if answer is not None else None,
        "outcome": outcome,
        "answered_by": by,
        "why": why[:WHY_LENGTH_MAX],
        "address": str(ipv4) if ipv4 else None,
        "address_from": answer.address.source.value if isinstance(answer, Accept) else "",
        "sent": list(_sent(decided, verdict, ipv4)),
        "old": list(_heard(word)),
        "differs": [text[:SENT_LENGTH_MAX] for text in word.differs] if isinstance(word, Elsewhere) else [],
    }


def _outcome(answer: Any, word: str | Elsewhere) -> tuple[str, str, str]:
    """Outcome, by whom, and why."""
    why = answer.why if answer is not None else ""
    if isinstance(word, Elsewhere):
        if word.by == "nobody":
            return _ours(answer), "nobody", why or WORDS["wrong_secret"][1]
        codes = {keys.ACCESS_ACCEPT: "accept", keys.ACCESS_REJECT: "reject", keys.ACCESS_CHALLENGE: "challenge"}
        outcome = codes[word.reply.code] if word.reply else "silent"
        return outcome, "old", word.why or f"Passed on. Ours would have been: {why}"
    if word:
        outcome, why = WORDS[word]
        return outcome, "us", why
    return _ours(answer), "us", why


def _ours(answer: Any) -> str:
    if answer is None:
        return "silent"
    if not isinstance(answer, Accept):
        return "reject"
    return "accept" if answer.cause is None else "limited"


def _mac_rule(login: Login | None, station: str) -> str:
    if login is None or not login.rule.macs:
        return "any"
    return "listed" if normal_mac(station) in login.rule.macs else "other"


def _sent(decided: Decided | None, verdict: Verdict, ipv4: IPv4Address | None) -> Iterator[str]:
    """The attributes of our answer, but for those that are the packet's own (Class, signature, Proxy-State)."""
    if decided is None:
        return
    accepted = isinstance(decided.answer, Accept)
    if ipv4:
        yield f"Framed-IP-Address = {ipv4}"
    yield from told((decided.profile + verdict.accept) if accepted else verdict.reject)


def _heard(word: str | Elsewhere) -> Iterator[str]:
    if isinstance(word, Elsewhere) and word.reply is not None:
        yield from _in_words(word.reply)


def told(attributes: bytes) -> Iterator[str]:
    """Attributes as they stand in a packet, in words."""
    try:
        packet = decode(bytes((0, 0)) + (20 + len(attributes)).to_bytes(2, "big") + bytes(16) + attributes)
    except Malformed:
        return
    yield from _in_words(packet)


def _in_words(packet: Packet) -> Iterator[str]:
    shown = [pair for pair in packet.attributes if pair[0] not in (keys.PROXY_STATE, keys.MESSAGE_AUTHENTICATOR)]
    for key, raw in shown[:SENT_MAX]:
        attribute = BY_KEY.get(key)
        name = attribute.name if attribute else f"Attribute {key}"
        value = _value(attribute, raw) if attribute and attribute.kind != "octets" else ""
        yield f"{name} = {value}"[:SENT_LENGTH_MAX] if value else f"{name}, {len(raw)} octets"


def _value(attribute: Attribute, raw: bytes) -> str:
    try:
        return str(decode_value(attribute, raw))
    except Malformed:
        return ""
