"""Accounting-Request in: verify, journal, answer when the disk has it (RFC 2866 section 4.1). Always by that one way,
whether the database is there or not. Keeps the memory of who is online up to date.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Network
from typing import Any

from demarc.core.access import Cause
from demarc.core.sessions import Event
from demarc.radiusd import profiles, records
from demarc.radiusd.counters import Counters
from demarc.radiusd.journal import Journal
from demarc.radiusd.leases import Leases
from demarc.radiusd.logins import Login
from demarc.radiusd.model import Client, Model
from demarc.radiusd.online import MISSED_INTERIMS, NO_PREFIXES, Key, Online, Place, Prefixes, Session
from demarc.wire.radius import Packet, decode, keys

STARTS_OR_LASTS = (Event.START, Event.INTERIM)
REBOOTS = (Event.ON, Event.OFF)
INTERIM_S = 300
"""Of a NAS that is not known any more."""

STRANGER_ELSEWHERE = -(1 << 50)
"""Who holds the address of a session without a service: nobody that is numbered here."""


class Accountant:
    """Takes accounting in. `clock` gives the time of arrival."""

    def __init__(
        self, model: Model, online: Online, leases: Leases, journal: Journal, counters: Counters,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._model = model
        self._online = online
        self._leases = leases
        self._journal = journal
        self._counters = counters
        self._clock = clock

    def take(self, packet: Packet, client: Client, steady: float, done: Callable[[bool], None]) -> bool:
        """Journal an authentic request; `done(True)` is called when it may be acknowledged.

        False: it was not taken, say nothing. `steady`: the steady clock.
        """
        status = packet.integer(keys.ACCT_STATUS_TYPE)
        session_id = packet.first.get(keys.ACCT_SESSION_ID)
        if status is None or (not session_id and status not in REBOOTS):
            self._counters.dropped["malformed"] += 1
            return False
        if self._journal.full:
            self._counters.dropped["journal_full"] += 1
            return False
        self._counters.acct += 1
        login, cause = self._whose(packet, client)
        arrived_us = records.microseconds(self._clock())
        record = records.Record(
            records.PACKET,
            arrived_us,
            client.id,
            client.partner_id,
            login.id if login else 0,
            login.service_id if login else 0,
            0,
            _list_of(client, cause),
            packet.octets,
        )
        self._journal.put(records.encode(record), done)
        self._remember(packet, client, login, status, arrived_us / 1e6, steady)
        return True

    def close(self, session: Session, partner_id: int) -> None:
        """Journal that a session is over though no Stop came, and forget it here."""
        nas_id, session_id, user_name = session.key
        record = records.Record(
            records.CLOSED,
            records.microseconds(self._clock()),
            nas_id,
            partner_id,
            session.subscriber_id or 0,
            session.service_id or 0,
            0,
            "",
            records.closed(session_id, user_name, datetime.fromtimestamp(session.started_at, UTC)),
        )
        self._journal.put(records.encode(record), lambda kept: None)
        self._forget(session)

    def _whose(self, packet: Packet, client: Client) -> tuple[Login | None, Cause | None]:
        """Whose session it is and how he was let in: as our own Class says, else by name and as he stands now.

        Only among the logins of the NAS's partner, whatever the Class says.
        """
        for value in packet.get_all(keys.CLASS):
            told = profiles.read_class(value)
            if told is None:
                continue
            subscriber_id, cause = told
            login = self._model.logins.get(subscriber_id)
            if login is not None and login.partner_id == client.partner_id:
                return login, cause
            if not subscriber_id:
                return None, cause
        login = client.logins.get(packet.first.get(keys.USER_NAME, b""))
        if login is None or self._in_reject_pool(packet.integer(keys.FRAMED_IP_ADDRESS)):
            return None, None  # whoever is there may only have given the customer's name
        return login, login.rule.blocked

    def _in_reject_pool(self, address: int | None) -> bool:
        pool = self._model.pool_at(address) if address else None
        return pool is not None and pool.kind == "reject"

    def _remember(
        self, packet: Packet, client: Client, login: Login | None, status: int, arrived_s: float, steady: float
    ) -> None:
        delay_s = packet.integer(keys.ACCT_DELAY_TIME) or 0
        if status in REBOOTS:
            for session in self._online.of_nas(client.id, arrived_s - delay_s):
                self._forget(session)
            return
        key: Key = (client.id, packet.text(keys.ACCT_SESSION_ID), packet.text(keys.USER_NAME))
        if status == Event.STOP:
            known = self._online.sessions.get(key)
            if known:
                self._forget(known)
        elif status in STARTS_OR_LASTS:
            self._renew(key, packet, client, login, arrived_s - delay_s, steady)

    def _renew(self, key: Key, packet: Packet, client: Client, login: Login | None, at_s: float, steady: float) -> None:
        ipv4, prefixes = packet.ip(keys.FRAMED_IP_ADDRESS), _prefixes(packet)
        known = self._online.sessions.get(key)
        if known:  # what a record does not tell is as it was; often the first Interim is the first to tell of IPv6
            ipv4 = ipv4 or known.ipv4
            prefixes = prefixes[0] or known.prefixes[0], prefixes[1] or known.prefixes[1]
            if known.ipv4 == ipv4 and known.prefixes == prefixes:
                known.heard_at, known.elsewhere = steady, False
                return
        session = Session(
            key=key,
            subscriber_id=login.id if login else None,
            service_id=login.service_id if login else None,
            place=Place(
                client.id, packet.first.get(keys.CALLING_STATION_ID, b""), packet.first.get(keys.NAS_PORT_ID, b"")
            ),
            ipv4=ipv4,
            limited=self._in_reject_pool(int(ipv4) if ipv4 else None),
            started_at=at_s - (packet.integer(keys.ACCT_SESSION_TIME) or 0),
            heard_at=steady,
            interim_s=client.interim_s,
            prefixes=prefixes,
        )
        self._online.put(session)
        held = session.held()
        for place in known.held() if known else ():
            if place not in held:
                self._leases.release(place, key)
        if held:
            holder = login.service_id if login else self._leases.stranger(packet, client)
            for place in held:
                self._leases.confirm(holder, place, key)

    def restore(self, row: list[Any], steady: float) -> None:
        """Remember a session that the database or the snapshot knows (store.LIVE_SESSIONS)."""
        _, nas_id, session_id, user_name, subscriber_id, service_id, station, port, _, address, started_s = row[:11]
        client = self._model.clients_by_id.get(nas_id)
        ipv4 = IPv4Address(address) if address else None
        session = Session(
            key=(nas_id, session_id, user_name),
            subscriber_id=subscriber_id,
            service_id=service_id,
            place=Place(nas_id, station.encode(), port.encode()),
            ipv4=ipv4,
            limited=self._in_reject_pool(int(ipv4) if ipv4 else None),
            started_at=started_s,
            heard_at=steady,
            interim_s=client.interim_s if client else INTERIM_S,
            elsewhere=True,  # until its NAS speaks of it to us
            prefixes=_restored(*row[12:14]),
        )
        self._online.put(session)

    def elsewhere(self, told: Sequence[Any], steady: float, now_s: float, *, read: bool = False) -> None:
        """Remember a session that another process has accounting of, as it tells it (peers.announcements).

        `read`: from the database, where those of a NAS that speaks to us are older than what we have heard of it.
        Not one that came too late: whose address somebody has got since.
        """
        nas_id, session_id, user_name, subscriber_id, service_id, station, port, address, started_s, heard_s = told
        key = (nas_id, session_id, user_name)
        heard_at = steady - max(now_s - heard_s, 0.0)
        known = self._online.sessions.get(key)
        if known is not None and (known.ipv4 is None or str(known.ipv4) == address):
            known.heard_at = max(known.heard_at, heard_at)
            return
        client = self._model.clients_by_id.get(nas_id)
        interim_s = client.interim_s if client else INTERIM_S
        if read and steady - self._online.heard.get(nas_id, float("-inf")) < MISSED_INTERIMS * interim_s:
            return
        ipv4 = IPv4Address(address) if address else None
        holder = self._online.at_address(ipv4) if ipv4 else None
        if holder is not None and holder.started_at > started_s:
            return
        place = Place(nas_id, station.encode(), port.encode())
        limited = self._in_reject_pool(int(ipv4) if ipv4 else None)
        self._online.put(
            Session(key, subscriber_id, service_id, place, ipv4, limited, started_s, heard_at, interim_s, True)
        )
        if ipv4 is not None:
            self._leases.confirm(service_id or STRANGER_ELSEWHERE, ipv4, key)

    def over_elsewhere(self, key: Key, *, ours: bool) -> None:
        """A session is over, as another process tells, or our own shipper of one that we took to be elsewhere."""
        known = self._online.sessions.get(key)
        if known is not None and (known.elsewhere or not ours):
            self._forget(known)

    def keep_elsewhere(self, found: set[Key]) -> None:
        """Of the sessions elsewhere only these are on."""
        for session in list(self._online.sessions.values()):
            if session.elsewhere and session.key not in found:
                self._forget(session)

    def replay(self, payload: bytes, steady: float) -> None:
        """Remember what a record of the journal says that the database does not know yet.

        Raises ValueError for what is none.
        """
        record = records.decode(payload)
        client = self._model.clients_by_id.get(record.nas_id)
        if client is None:
            return
        if record.kind == records.CLOSED:
            session_id, user_name, _ = records.read_closed(record.octets)
            self._online.remove((record.nas_id, session_id, user_name))
            return
        packet = decode(record.octets)
        login = self._model.logins.get(record.subscriber_id)
        status = packet.integer(keys.ACCT_STATUS_TYPE) or 0
        self._remember(packet, client, login, status, record.arrived.timestamp(), steady)

    def forget_silent(self, steady: float) -> Iterator[None]:
        """Sessions that fell silent are over here; a later record brings them back. A slice at a time."""
        for silent in self._online.silent(steady):
            for session in silent:
                self._forget(session)
            yield

    def _forget(self, session: Session) -> None:
        self._online.remove(session.key)
        for place in session.held():
            self._leases.release(place, session.key)


def _prefixes(packet: Packet) -> Prefixes:
    """RFC 3162 section 2.3, RFC 4818 section 3."""
    first = packet.first
    if keys.FRAMED_IPV6_PREFIX in first or keys.DELEGATED_IPV6_PREFIX in first:
        return packet.prefix(keys.FRAMED_IPV6_PREFIX), packet.prefix(keys.DELEGATED_IPV6_PREFIX)
    return NO_PREFIXES


def _restored(prefix: str | None = None, delegated: str | None = None) -> Prefixes:
    """Missing in the snapshot of an earlier version."""
    return IPv6Network(prefix) if prefix else None, IPv6Network(delegated) if delegated else None


def _list_of(client: Client, cause: Cause | None) -> str:
    rule = client.policy.rules.get(cause) if cause is not None else None
    return rule.list_name if rule else ""
