"""Access-Request in, Accept or Reject out: packet -> login -> credentials -> core.access.decide -> attributes.

Everything comes from memory; no query on this path. Must not know sockets.
"""

import os
from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Address
from zlib import crc32

from demarc.core.access import Accept, Address, Check, Reject, Request, Source, decide, normal_mac
from demarc.radiusd import credentials, profiles
from demarc.radiusd.counters import Counters
from demarc.radiusd.leases import Leases
from demarc.radiusd.model import Client, Login, Model
from demarc.radiusd.online import Online, place_of
from demarc.wire.radius import Packet, authentic, encode_reply, keys
from demarc.wire.radius.requirement import admits, learned


class Authenticator:
    """Answers Access-Requests. `clock` gives the time that the rules go by."""

    def __init__(
        self, model: Model, online: Online, leases: Leases, counters: Counters, clock: Callable[[], datetime]
    ) -> None:
        self._model = model
        self._online = online
        self._leases = leases
        self._counters = counters
        self._clock = clock
        self._hashes = credentials.Hashes()

    def answer(self, packet: Packet, client: Client, steady: float) -> bytes | None:
        """The reply to an authentic request, None to say nothing. `steady`: the steady clock."""
        self._counters.auth += 1
        login = self._login(packet, client)
        password = self._model.password(login) if login else None
        verdict = credentials.check(packet, client, login, password, self._hashes)
        if verdict.check is None:
            self._counters.dropped["wrong_secret"] += 1
            return None
        place = place_of(
            client.id, packet.first.get(keys.CALLING_STATION_ID, b""), packet.first.get(keys.NAS_PORT_ID, b"")
        )
        now = self._clock()
        others = self._online.others(login.id, place, steady) if login else 0
        decision = decide(
            _request(packet, client, login, verdict), login.rule if login else None, client.policy, others, now
        )
        if isinstance(decision, Reject):
            return self._reject(packet, client, verdict.reject, decision.cause)
        given = self._address(decision, packet, client, now)
        if given is None:
            if self._leases.arriving(decision.address.pool_ids):
                self._counters.dropped["address_arriving"] += 1  # the NAS asks again, and then there is one
                return None
            return self._reject(packet, client, verdict.reject, None, "no_address")
        self._counters.accepts += 1
        known = login if decision.subscriber_id is not None else None  # not one who only gave his name
        if known is not None and decision.address.source is not Source.REJECT_POOL:
            self._online.grant(known.id, place, steady)
        attributes = (
            profiles.profile(decision, known, client, keys.FRAMED_PROTOCOL in packet.first)
            + given
            + profiles.class_of(known.id if known else 0, decision.cause, int.from_bytes(os.urandom(8), "big"))
            + verdict.accept
        )
        return encode_reply(keys.ACCESS_ACCEPT, packet, attributes, client.secret)

    def _login(self, packet: Packet, client: Client) -> Login | None:
        name = packet.first.get(keys.USER_NAME, b"")
        login = client.logins.get(name)
        if login is None and b"\\" in name:
            login = client.logins.get(name.rpartition(b"\\")[2])  # Windows sends DOMAIN\name
        return login

    def _address(self, accept: Accept, packet: Packet, client: Client, now: datetime) -> bytes | None:
        """The attribute that gives the address; b"" when the NAS finds one itself, None when there is none left."""
        address: Address = accept.address
        if address.source is Source.STATIC and address.ipv4 is not None:
            return profiles.ADDRESS_HEAD + address.ipv4.packed
        if address.source is Source.FRAMED_POOL:
            return profiles.framed_pool(address.framed_pool)
        if address.source is Source.NAS:
            return b""
        holder = accept.service_id or _stranger(packet, client)
        given: IPv4Address | None = self._leases.take(holder, address.pool_ids, now)
        return None if given is None else profiles.ADDRESS_HEAD + given.packed

    def _reject(
        self, packet: Packet, client: Client, attributes: bytes, cause: int | None, why: str = "simultaneous"
    ) -> bytes:
        self._counters.rejects += 1
        self._counters.reject_causes[why if cause is None else str(int(cause))] += 1
        return encode_reply(keys.ACCESS_REJECT, packet, attributes, client.secret)


def _request(packet: Packet, client: Client, login: Login | None, verdict: credentials.Verdict) -> Request:
    return Request(
        login="",
        check=verdict.check or Check.UNKNOWN,
        nas_id=client.id,
        mac=normal_mac(packet.text(keys.CALLING_STATION_ID)) if login and login.rule.macs else "",
        needs_proof=verdict.needs_proof,
    )


def _stranger(packet: Packet, client: Client) -> int:
    """A number for somebody without a service, the same whenever he asks, so that he keeps his address: negative."""
    who = packet.first.get(keys.CALLING_STATION_ID) or packet.first.get(keys.USER_NAME, b"")
    return -1 - crc32(b"%d %b" % (client.id, who))


def trusted(packet: Packet, client: Client) -> str:
    """ "" when an Access-Request may be looked at, else why not. Learns whether the client signs."""
    if not authentic(packet, client.secret):
        return "wrong_secret"
    if not admits(client.requires, packet):
        return "unsigned"
    client.requires = learned(client.requires, packet)
    client.signs = packet.signature_at > 0
    return ""
