"""One journal record: what arrived, when, and whom it is about. Written by the packet path, read by the shipper.

Knows the layout only; what a record does to a session is in core.sessions.
"""

from datetime import UTC, datetime, timedelta
from struct import Struct, error
from typing import NamedTuple

PACKET = 1
CLOSED = 2

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD = Struct(">BqqqqqIB")


class Record(NamedTuple):
    """`kind` PACKET: `octets` is an Accounting-Request. CLOSED: we learned otherwise that a session is over, and
    `octets` is what `closed` made. Ids are 0 where nobody is known. `list_name`: the list he was let in with."""

    kind: int
    arrived_us: int
    nas_id: int
    partner_id: int
    subscriber_id: int
    service_id: int
    vrf: int
    list_name: str
    octets: bytes

    @property
    def arrived(self) -> datetime:
        return moment(self.arrived_us)


def microseconds(at: datetime) -> int:
    """Since 1970, exactly."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(us: int) -> datetime:
    """The other way round."""
    return _EPOCH + timedelta(microseconds=us)


def encode(record: Record) -> bytes:
    """The payload of a journal record."""
    name = record.list_name.encode()
    return _HEAD.pack(*record[:7], len(name)) + name + record.octets


def decode(payload: bytes) -> Record:
    """Read a payload. Raises ValueError for what `encode` did not write."""
    try:
        kind, arrived_us, nas_id, partner_id, subscriber_id, service_id, vrf, length = _HEAD.unpack_from(payload)
    except error as problem:
        raise ValueError("not a record of ours") from problem
    begins = _HEAD.size + length
    name = payload[_HEAD.size : begins].decode() if length else ""
    return Record(kind, arrived_us, nas_id, partner_id, subscriber_id, service_id, vrf, name, payload[begins:])


def closed(session_id: str, user_name: str, started: datetime) -> bytes:
    """The octets of a CLOSED record: which session."""
    return f"{microseconds(started)}\0{session_id}\0{user_name}".encode()


def read_closed(octets: bytes) -> tuple[str, str, datetime]:
    """Acct-Session-Id, User-Name and start in a CLOSED record."""
    started, session_id, user_name = octets.decode().split("\0", 2)
    return session_id, user_name, moment(int(started))
