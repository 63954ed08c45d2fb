"""Who is online, in memory: sessions as accounting tells them, and grants whose session has not begun yet.

Serves simultaneous use and the blocking pages. The database's truth is made by the shipper from the journal; this is
the same told to the packet path without delay. Times here are on the steady clock, but for `started_at`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network
from typing import NamedTuple, TypeVar

from demarc.core.addressing import Place as Leased

GRANT_S = 30.0
"""How long an Accept counts as a session before its accounting begins."""

MISSED_INTERIMS = 3
"""A session that missed so many says nothing any more."""

SLICE = 1000
"""Of what is looked through from time to time: packets come between."""

T = TypeVar("T")
Key = tuple[int, str, str]
Prefixes = tuple[IPv6Network | None, IPv6Network | None]
NO_PREFIXES: Prefixes = (None, None)


class Place(NamedTuple):
    """Where a session is: its NAS, the caller's device as the NAS names it, and the port; b"" where it does not say."""

    nas_id: int
    station: bytes
    port: bytes

    def succeeds(self, old: "Place") -> bool:
        """Whether a session here takes the place of one there: the same device, come again at the same port, or moved
        to another NAS, as all do when a concentrator dies; without a device, the same port."""
        if self == old:
            return True
        return bool(self.station) and self.station == old.station and self.nas_id != old.nas_id


@dataclass(slots=True)
class Session:
    """`key`: NAS, Acct-Session-Id, User-Name. `limited`: in a reject pool, so that it counts for nothing.
    `started_at`: seconds since 1970. `elsewhere`: its accounting goes to another process (see `peers`). `prefixes`: of
    its line and for its router."""

    key: Key
    subscriber_id: int | None
    service_id: int | None
    place: Place
    ipv4: IPv4Address | None
    limited: bool
    started_at: float
    heard_at: float
    interim_s: int = 300
    elsewhere: bool = False
    prefixes: Prefixes = NO_PREFIXES

    def held(self) -> list[Leased]:
        """All that is leased to it."""
        return [place for place in (self.ipv4, *self.prefixes) if place is not None]


class Grant(NamedTuple):
    """An Accept whose session has not begun. `until`: on the steady clock."""

    ipv4: IPv4Address | None
    until: float
    prefixes: Prefixes = NO_PREFIXES


class Online:
    """All sessions: of the NASes whose packets reach this process, and those elsewhere as the others tell them."""

    def __init__(self) -> None:
        self.sessions: dict[Key, Session] = {}
        self._of_subscriber: dict[int, dict[Key, Session]] = {}
        self._at_address: dict[IPv4Address, Session] = {}
        self._grants: dict[int, dict[Place, Grant]] = {}
        self.heard: dict[int, float] = {}
        """NAS -> when it last sent something authentic."""

    def others(self, subscriber_id: int, place: Place, now: float) -> int:
        """The sessions and fresh grants of a subscriber, but for those that one at `place` would replace."""
        sessions = self._of_subscriber.get(subscriber_id)
        count = 0
        if sessions:
            for session in sessions.values():
                silent = now - session.heard_at > MISSED_INTERIMS * session.interim_s
                if not (session.limited or silent or place.succeeds(session.place)):
                    count += 1
        grants = self._grants.get(subscriber_id)
        if grants:
            for granted, grant in grants.items():
                if grant.until > now and not place.succeeds(granted):
                    count += 1
        return count

    def replaced(self, subscriber_id: int, place: Place, now: float, limit: int) -> list[Session]:
        """The sessions that must go so that one at `place` makes `limit`: the oldest ones."""
        rivals = [
            session
            for session in self._of_subscriber.get(subscriber_id, {}).values()
            if not (session.limited or now - session.heard_at > MISSED_INTERIMS * session.interim_s)
            and not place.succeeds(session.place)
        ]
        rivals.sort(key=_began)
        return rivals[: max(0, len(rivals) + 1 - limit)]

    def address_at(self, subscriber_id: int, place: Place, now: float) -> IPv4Address | None:
        """The address of the session, or of the fresh grant, that one at `place` would replace."""
        for session in self._of_subscriber.get(subscriber_id, {}).values():
            if session.place == place and session.ipv4 is not None:
                return session.ipv4
        grant = self._grants.get(subscriber_id, {}).get(place)
        return grant.ipv4 if grant and grant.until > now else None

    def prefixes_at(self, subscriber_id: int, place: Place, now: float) -> Prefixes:
        """The prefixes of the session, or of the fresh grant, that one at `place` would replace."""
        for session in self._of_subscriber.get(subscriber_id, {}).values():
            if session.place == place and session.prefixes != NO_PREFIXES:
                return session.prefixes
        grant = self._grants.get(subscriber_id, {}).get(place)
        return grant.prefixes if grant and grant.until > now else NO_PREFIXES

    def grant(
        self, subscriber_id: int, place: Place, ipv4: IPv4Address | None, now: float, prefixes: Prefixes = NO_PREFIXES
    ) -> None:
        """An Accept went out; it counts until its session begins or GRANT_S have passed."""
        grants = self._grants.get(subscriber_id)
        if grants is None:
            grants = self._grants[subscriber_id] = {}
        grants[place] = Grant(ipv4, now + GRANT_S, prefixes)

    def put(self, session: Session) -> None:
        """A session is on, as its latest record tells. One that had its address is over."""
        if session.key in self.sessions:
            self.remove(session.key)
        if session.ipv4 is not None:
            holder = self._at_address.get(session.ipv4)
            if holder is not None:
                self.remove(holder.key)
            self._at_address[session.ipv4] = session
        self.sessions[session.key] = session
        if session.subscriber_id is not None:
            self._of_subscriber.setdefault(session.subscriber_id, {})[session.key] = session
            self._drop_grant(session.subscriber_id, session.place)

    def remove(self, key: Key) -> Session | None:
        """A session is over."""
        session = self.sessions.pop(key, None)
        if session is None:
            return None
        if session.ipv4 is not None and self._at_address.get(session.ipv4) is session:
            del self._at_address[session.ipv4]
        if session.subscriber_id is not None:
            siblings = self._of_subscriber[session.subscriber_id]
            del siblings[key]
            if not siblings:
                del self._of_subscriber[session.subscriber_id]
        return session

    def at_address(self, address: IPv4Address) -> Session | None:
        """The session that has this address."""
        return self._at_address.get(address)

    def of_nas(self, nas_id: int, started_before: float) -> list[Session]:
        """The sessions of a NAS that were on at a moment (seconds since 1970): those its restart has ended."""
        return [s for s in self.sessions.values() if s.key[0] == nas_id and s.started_at < started_before]

    def silent(self, now: float) -> Iterator[list[Session]]:
        """The sessions that missed so many interim intervals while their NAS was alive; of one that is cut off nothing
        is known. A slice of all at a time, with room for packets between them."""
        for keys in sliced(list(self.sessions)):
            yield [session for key in keys if (session := self.sessions.get(key)) and self._is_silent(session, now)]

    def _is_silent(self, session: Session, now: float) -> bool:
        return (
            now - session.heard_at > MISSED_INTERIMS * session.interim_s
            and now - self.heard.get(session.key[0], float("-inf")) <= session.interim_s
        )

    def forget_grants(self, now: float) -> Iterator[None]:
        """Drop what no longer counts, so that memory stays flat. A slice of all at a time."""
        for subscribers in sliced(list(self._grants)):
            for subscriber_id in subscribers:
                grants = self._grants.get(subscriber_id, {})
                for place in [place for place, grant in grants.items() if grant.until <= now]:
                    del grants[place]
                if not grants:
                    self._grants.pop(subscriber_id, None)
            yield

    def _drop_grant(self, subscriber_id: int, place: Place) -> None:
        grants = self._grants.get(subscriber_id)
        if grants:
            grants.pop(place, None)


def sliced(some: list[T]) -> Iterator[list[T]]:
    """Some milliseconds' work at a time."""
    for start in range(0, len(some), SLICE):
        yield some[start : start + SLICE]


def _began(session: Session) -> float:
    return session.started_at
