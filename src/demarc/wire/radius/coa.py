"""Telling a NAS to change or to end a session, and reading its answer (RFC 5176).

Knows how a session is named to a NAS; must not know why, when to repeat, or what else to try.
"""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Network

from . import keys
from .attributes import Value, encode_attributes
from .dictionary import ERROR_CAUSES
from .errors import Malformed
from .packet import decode
from .secret import Secret
from .signing import ZERO, encode_request, verify_reply


@dataclass(frozen=True, slots=True)
class SessionIdentity:
    """What names a session (RFC 5176 section 3). The NAS must match all that is given, so give what it told us; "" and
    None are left out. MikroTik's hotspot needs the address."""

    user_name: str = ""
    session_id: str = ""
    framed_ipv4: IPv4Address | None = None
    framed_ipv6_prefix: IPv6Network | None = None
    calling_station_id: str = ""
    nas_ip: IPv4Address | None = None
    nas_identifier: str = ""

    def attributes(self) -> bytes:
        pairs: tuple[tuple[str, Value | None], ...] = (
            ("NAS-IP-Address", self.nas_ip),
            ("NAS-Identifier", self.nas_identifier),
            ("User-Name", self.user_name),
            ("Acct-Session-Id", self.session_id),
            ("Calling-Station-Id", self.calling_station_id),
            ("Framed-IP-Address", self.framed_ipv4),
            ("Framed-IPv6-Prefix", self.framed_ipv6_prefix),
        )
        return encode_attributes((name, value) for name, value in pairs if value)


@dataclass(frozen=True, slots=True)
class Answer:
    acknowledged: bool
    error_cause: int | None

    @property
    def reason(self) -> str:
        """The Error-Cause by name, "" if none was given."""
        if self.error_cause is None:
            return ""
        return ERROR_CAUSES.get(self.error_cause, f"Error-Cause {self.error_cause}")


def disconnect_request(identifier: int, session: SessionIdentity, at: datetime, secret: Secret) -> bytes:
    """End the session. Keep the bytes to repeat them: a repetition is identical, its time included."""
    return _request(keys.DISCONNECT_REQUEST, identifier, session.attributes(), at, secret)


def coa_request(identifier: int, session: SessionIdentity, changes: bytes, at: datetime, secret: Secret) -> bytes:
    """Change the session. `changes`: encoded attributes; one that the NAS does not know refuses the whole."""
    return _request(keys.COA_REQUEST, identifier, session.attributes() + changes, at, secret)


def _request(code: int, identifier: int, attributes: bytes, at: datetime, secret: Secret) -> bytes:
    # RFC 5176 section 6.3: the timestamp keeps an old request from being replayed
    attributes += encode_attributes([("Event-Timestamp", at)])
    return encode_request(code, identifier, ZERO, attributes, secret)


_ANSWERS = {
    keys.DISCONNECT_REQUEST: (keys.DISCONNECT_ACK, keys.DISCONNECT_NAK),
    keys.COA_REQUEST: (keys.COA_ACK, keys.COA_NAK),
}


def parse_answer(datagram: bytes, request: bytes, secret: Secret) -> Answer:
    """The NAS's answer to the request that we sent. Raises Malformed if it is no answer to it or not the NAS's."""
    reply = decode(datagram)
    if reply.identifier != request[1] or reply.code not in _ANSWERS[request[0]]:
        raise Malformed("no answer to this request")
    if not verify_reply(reply, request[4:20], secret):
        raise Malformed("answer by someone who does not know the secret")
    return Answer(reply.code in (keys.DISCONNECT_ACK, keys.COA_ACK), reply.integer(keys.ERROR_CAUSE))
