"""An Accept as attributes of the NAS's make: what every make reads, and what the make's template adds.

Must not know why somebody is let in.
"""

from struct import Struct

from demarc.core.access import Accept, Cause, Ipv6
from demarc.radiusd.logins import Login
from demarc.radiusd.model import Client
from demarc.radiusd.online import NO_PREFIXES, Prefixes
from demarc.wire.radius import Value, encode_attribute, encode_attributes, templates

PPP = 1
FRAMED = 2
_CLASS = Struct(">2sBQQ")
_NO_CAUSE = 255
_CLASS_MARK = b"dm"
_CAUSES = frozenset(map(int, Cause))
PROFILES_MAX = 8192
"""Kinds of Accept remembered per NAS: plans, times the even spread of interim intervals."""

ADDRESS_HEAD = bytes((8, 6))
CLASS_HEAD = bytes((25, 2 + _CLASS.size))


def profile(accept: Accept, login: Login | None, client: Client, ppp: bool) -> bytes:
    """All attributes of an Accept that stay the same from one request to the next."""
    facts = _facts(accept, login, client.answers.personal)
    key = (accept.cause is None, ppp, accept.session_timeout_s, accept.interim_s, facts)
    shared = client.profiles.get(key)
    if shared is None:
        if len(client.profiles) >= PROFILES_MAX:
            client.profiles.clear()
        shared = client.profiles[key] = _shared(accept, client, ppp, facts)
    if not accept.routes and accept.ipv6 is None:
        return shared
    own: list[tuple[str, Value]] = [("Framed-Route", route) for route in accept.routes]
    if accept.ipv6 is not None:
        own += _ipv6(accept.ipv6)
    return shared + encode_attributes(own)


def _shared(accept: Accept, client: Client, ppp: bool, facts: templates.Facts) -> bytes:
    """What all get who have the same facts: mostly all of a plan."""
    pairs: list[tuple[str, Value]] = [("Service-Type", FRAMED)]
    if ppp:
        pairs.append(("Framed-Protocol", PPP))
    if accept.session_timeout_s:
        pairs.append(("Session-Timeout", accept.session_timeout_s))
    if accept.interim_s:
        pairs.append(("Acct-Interim-Interval", accept.interim_s))
    lines = client.answers.online if accept.cause is None else client.answers.blocked
    return encode_attributes(pairs + templates.render(lines, facts))


def _ipv6(held: Ipv6) -> list[tuple[str, Value]]:
    """RFC 3162 section 2.3, RFC 4818 section 3, RFC 6911 section 3.1."""
    named: tuple[tuple[str, Value | None], ...] = (
        ("Framed-IPv6-Prefix", held.prefix),
        ("Delegated-IPv6-Prefix", held.delegated),
        ("Framed-IPv6-Address", held.address),
    )
    return [(name, value) for name, value in named if value is not None]


def leased(prefixes: Prefixes) -> bytes:
    """The prefixes that a session gets from pools."""
    if prefixes == NO_PREFIXES:
        return b""
    return encode_attributes(_ipv6(Ipv6(*prefixes)))


def _facts(accept: Accept, login: Login | None, personal: bool) -> templates.Facts:
    limited = accept.down_kbps or accept.up_kbps
    return templates.Facts(
        login.name.decode() if login and personal else "",
        accept.down_kbps,
        accept.up_kbps,
        login.rate_limit if login and limited else "",
        accept.list_name or "",
        "" if accept.cause is None else str(int(accept.cause)),
        accept.session_timeout_s,
    )


def class_of(subscriber_id: int, cause: Cause | None, token: int) -> bytes:
    """The Class attribute: whose session it will be, and how he was let in; 0 for a stranger.

    RFC 2865 section 5.25: the NAS repeats it in accounting.
    """
    return CLASS_HEAD + _CLASS.pack(_CLASS_MARK, _NO_CAUSE if cause is None else cause, subscriber_id, token)


def read_class(value: bytes) -> tuple[int, Cause | None] | None:
    """Subscriber and cause in a Class of ours, None for anybody else's."""
    if len(value) != _CLASS.size or value[:2] != _CLASS_MARK:
        return None
    _, cause, subscriber_id, _ = _CLASS.unpack(value)
    return subscriber_id, Cause(cause) if cause in _CAUSES else None


def framed_pool(name: str) -> bytes:
    """Framed-Pool: the NAS allocates from this pool of its own."""
    return encode_attribute("Framed-Pool", name)
