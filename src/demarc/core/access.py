"""Who gets on the network and how: the decision behind one RADIUS request. Knows no attributes, packets or
passwords.

One table, cause -> list -> reject pool -> page port, drives RADIUS answers, router rules and page texts
alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

MIN_INTERIM_S = 60
"""RFC 2869 section 5.16: Acct-Interim-Interval must not be smaller."""

ONE_SECOND = timedelta(seconds=1)

_MAC_SEPARATORS = str.maketrans("", "", ":-. ")


class Cause(IntEnum):
    """Why someone is not simply let in; the number n of Reject_n, of the reject pool and of the default page
    port."""

    NOT_FOUND = 0
    NOT_ACTIVE = 1
    NO_MONEY = 2
    WRONG_MAC = 3
    WRONG_PASSWORD = 4


class Answer(StrEnum):
    """What a NAS is told for a cause. LIST: Accept with the own address, on the list. POOL: Accept with an
    address of the reject pool, on the list. REJECT: Access-Reject."""

    LIST = "list"
    POOL = "pool"
    REJECT = "reject"


class Check(StrEnum):
    """What became of the credentials. UNKNOWN: they could not be checked (no such login, secret not
    readable)."""

    PASS = "pass"  # noqa: S105 - the outcome of a check, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where an address comes from. NAS: we name none, the NAS allocates as it is configured."""

    STATIC = "static"
    POOL = "pool"
    REJECT_POOL = "reject_pool"
    FRAMED_POOL = "framed_pool"
    NAS = "nas"


@dataclass(frozen=True, slots=True)
class CauseRule:
    """One row of the table. `pool_id` None: this cause has no reject pool."""

    cause: Cause
    list_name: str
    pool_id: int | None
    page_port: int


@dataclass(frozen=True, slots=True)
class CausePreset:
    """A row of the table as shipped, before its pool has an id."""

    cause: Cause
    list_name: str
    network: IPv4Network
    page_port: int


def _preset(ports: Mapping[Cause, int]) -> tuple[CausePreset, ...]:
    return tuple(
        CausePreset(cause, f"Reject_{cause:d}", IPv4Network(f"10.250.{250 + cause:d}.0/24"), ports[cause])
        for cause in Cause
    )


DEMARC_PORTS = {
    Cause.NOT_FOUND: 8101,
    Cause.NOT_ACTIVE: 8101,
    Cause.NO_MONEY: 8102,
    Cause.WRONG_MAC: 8103,
    Cause.WRONG_PASSWORD: 8104,
}
PRESETS: dict[str, tuple[CausePreset, ...]] = {
    "demarc": _preset(DEMARC_PORTS),
    "splynx": _preset({**DEMARC_PORTS, Cause.WRONG_MAC: 8104, Cause.WRONG_PASSWORD: 8103}),
}

_WHY = {
    Cause.NOT_FOUND: "There is no such login.",
    Cause.NOT_ACTIVE: "The service is not active.",
    Cause.NO_MONEY: "The balance does not cover the day.",
    Cause.WRONG_MAC: "The device is not one of the customer's.",
    Cause.WRONG_PASSWORD: "The password is wrong.",
}

USED_UP = "The month's volume is used up."
"""Why a customer without access, though he has paid, is answered as one without money is, or as its own rule says."""

DEFAULT_ANSWERS: dict[Cause, Answer] = {
    Cause.NOT_FOUND: Answer.REJECT,
    Cause.NOT_ACTIVE: Answer.LIST,
    Cause.NO_MONEY: Answer.LIST,
    Cause.WRONG_MAC: Answer.POOL,
    Cause.WRONG_PASSWORD: Answer.REJECT,
}
"""Strangers are not let in unless an administrator says so for a NAS: an accepted wrong password is any
password."""


BLOCKS = (Cause.NOT_ACTIVE, Cause.NO_MONEY)
"""The causes of a customer who is known and is not to be online."""


@dataclass(frozen=True, slots=True)
class Ipv6:
    """What a customer has of IPv6 for good: the prefix of his line, one delegated to his router, an address."""

    prefix: IPv6Network | None = None
    delegated: IPv6Network | None = None
    address: IPv6Address | None = None


@dataclass(frozen=True, slots=True)
class Ipv6Pools:
    """The pools, first one first, that a session's prefixes come from: that of its line, and one for its router."""

    prefix: tuple[int, ...] = ()
    delegated: tuple[int, ...] = ()


class Subscriber(NamedTuple):
    """All that a packet needs to know of one login.

    `blocked` None: active; `used_up`: blocked because he used up his month's volume. `macs` empty: any; else normal
    form (see `normal_mac`). `learns`: up to so many MACs are taken as his own as they come, and where it `relearns`,
    more of them instead of the oldest. `port` "": any; else what one of the request's ports must be. `pool_ids` empty:
    the pools of the NAS. Rates, `simultaneous` and `session_timeout_s` 0: no limit. `ends_at`: access ends then, by
    itself.
    """

    id: int
    service_id: int
    blocked: Cause | None = None
    used_up: bool = False
    static_ipv4: IPv4Address | None = None
    ipv6: Ipv6 | None = None
    routes: tuple[str, ...] = ()
    macs: frozenset[str] = frozenset()
    learns: int = 0
    relearns: bool = False
    port: str = ""
    down_kbps: int = 0
    up_kbps: int = 0
    pool_ids: tuple[int, ...] = ()
    simultaneous: int = 1
    session_timeout_s: int = 0
    ends_at: datetime | None = None


class Request(NamedTuple):
    """A request for access, whatever the protocol. `mac` in normal form or "". `ports`: how its NAS names where the
    caller is (port, circuit or remote id of option 82); empty when nobody is bound to one.

    `needs_proof`: an Accept must prove that we know the password (MS-CHAPv2, RFC 2759 section 5; EAP), so a
    caller who did not pass can only be rejected.
    """

    login: str
    check: Check
    nas_id: int
    mac: str = ""
    needs_proof: bool = False
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NasRules:
    """What one NAS adds: its own pools of addresses and of IPv6 prefixes (`framed_pool`, when set, is a pool that the
    NAS itself holds), and its answer for each cause; a cause that is missing is answered as in DEFAULT_ANSWERS.
    `replaces`: whoever has as many sessions as he may have is let in, and his oldest one is to be cut. `used_up`: the
    answer to one who has used up his volume; None: that of his cause."""

    pool_ids: tuple[int, ...] = ()
    ipv6: Ipv6Pools = Ipv6Pools()
    framed_pool: str = ""
    answers: Mapping[Cause, Answer] = field(default_factory=dict)
    replaces: bool = False
    used_up: Answer | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of all answers. Times in seconds. A NAS missing in `nas` has no pools and the default
    answers."""

    rules: Mapping[Cause, CauseRule]
    interim_s: int = 300
    blocked_session_timeout_s: int = 300
    nas: Mapping[int, NasRules] = field(default_factory=dict)


_NO_RULES = NasRules()
_NO_IPV6, _NO_POOLS = Ipv6(), Ipv6Pools()


class Address(NamedTuple):
    """Where the address is to come from; only the field that `source` names is filled."""

    source: Source
    ipv4: IPv4Address | None = None
    pool_ids: tuple[int, ...] = ()
    framed_pool: str = ""


class Accept(NamedTuple):
    """Let in. Zero or empty means that nothing is sent for it. `cause` None: as a paying customer; else limited.

    `subscriber_id` and `service_id` None: the caller did not prove to be anyone, so the session is nobody's.
    `replaces`: older sessions of his are to be cut, so that the limit holds. `ipv6`: only of a paying customer; lists
    and reject pools hold IPv4, so whoever is limited has no other; `ipv6_pools`: where those come from that he
    does not have for good, None for nowhere. `learns`: the caller's MAC is his from now on.
    """

    address: Address
    interim_s: int
    session_timeout_s: int
    why: str
    subscriber_id: int | None = None
    service_id: int | None = None
    down_kbps: int = 0
    up_kbps: int = 0
    routes: tuple[str, ...] = ()
    list_name: str | None = None
    cause: Cause | None = None
    replaces: bool = False
    ipv6: Ipv6 | None = None
    ipv6_pools: Ipv6Pools | None = None
    learns: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """Not let in. `why` is for staff and the log, never for the caller. `cause` None: too many sessions."""

    why: str
    cause: Cause | None = None
    subscriber_id: int | None = None


def normal_mac(text: str) -> str:
    """A MAC address as "AA:BB:CC:DD:EE:FF" whatever separators it was written with; "" when it is none."""
    digits = text.translate(_MAC_SEPARATORS)
    try:
        octets = bytes.fromhex(digits) if len(digits) == 12 else b""
    except ValueError:
        return ""
    return octets.hex(":").upper() if len(octets) == 6 else ""


def jittered(interval_s: int, subscriber_id: int) -> int:
    """`interval_s` moved by up to a tenth either way, the same for one subscriber always, at least MIN_INTERIM_S.

    Without it all interims align after a power cut and arrive in one burst ever after.
    """
    reach = interval_s // 10
    # Multiplying by 2^32 / golden ratio spreads consecutive ids evenly (Knuth, TAOCP 6.4).
    spread = (subscriber_id * 2654435761 % 2**32) * (2 * reach + 1) >> 32
    return max(MIN_INTERIM_S, interval_s - reach + spread)


def decide(
    request: Request, subscriber: Subscriber | None, policy: Policy, open_sessions: int, now: datetime
) -> Accept | Reject:
    """The answer to one request; `now` aware.

    `open_sessions`: the other live sessions of this subscriber, without those in a reject pool and those that the
    new one would replace (same MAC and port). That a caller is who they say comes first: nothing else about a
    customer is answered to a stranger.
    """
    if subscriber is None:
        return _limited(request, None, policy, Cause.NOT_FOUND)
    if request.check is Check.UNKNOWN:
        return Reject("The password could not be checked.", None, subscriber.id)
    cause = _trouble(request, subscriber, now)
    answer = _full(request, subscriber, policy, now) if cause is None else _limited(request, subscriber, policy, cause)
    if isinstance(answer, Reject) or answer.address.source is Source.REJECT_POOL:
        return answer
    if subscriber.learns and request.mac and request.mac not in subscriber.macs:
        answer = answer._replace(learns=True)
    if not 0 < subscriber.simultaneous <= open_sessions:
        return answer
    if policy.nas.get(request.nas_id, _NO_RULES).replaces:
        return answer._replace(replaces=True)
    return Reject(f"Already online: {open_sessions} of {subscriber.simultaneous} sessions.", None, subscriber.id)


def _trouble(request: Request, subscriber: Subscriber, now: datetime) -> Cause | None:
    if request.check is Check.FAIL:
        return Cause.WRONG_PASSWORD
    if not _at_home(request, subscriber):
        return Cause.WRONG_MAC
    if subscriber.ends_at is not None and subscriber.ends_at <= now:
        return Cause.NOT_ACTIVE
    return subscriber.blocked


def _at_home(request: Request, subscriber: Subscriber) -> bool:
    """Whether the caller is where, and with what, he may be."""
    if subscriber.port and subscriber.port not in request.ports:
        return False
    if request.mac in subscriber.macs:
        return True
    if subscriber.learns:
        return bool(request.mac) and (subscriber.relearns or len(subscriber.macs) < subscriber.learns)
    return not subscriber.macs


def _full(request: Request, subscriber: Subscriber, policy: Policy, now: datetime) -> Accept:
    nas = policy.nas.get(request.nas_id, _NO_RULES)
    return Accept(
        address=_own_address(subscriber, nas),
        interim_s=jittered(policy.interim_s, subscriber.id),
        session_timeout_s=_session_timeout_s(subscriber, now),
        why="The customer is active.",
        subscriber_id=subscriber.id,
        service_id=subscriber.service_id,
        down_kbps=subscriber.down_kbps,
        up_kbps=subscriber.up_kbps,
        routes=subscriber.routes,
        ipv6=subscriber.ipv6,
        ipv6_pools=_ipv6_pools(subscriber.ipv6 or _NO_IPV6, nas.ipv6),
    )


def _limited(request: Request, subscriber: Subscriber | None, policy: Policy, cause: Cause) -> Accept | Reject:
    """What the table says for `cause`. Only a caller who passed may keep the own address; others get the pool."""
    nas = policy.nas.get(request.nas_id, _NO_RULES)
    answer, why = _answer(subscriber, nas, cause)
    rule = policy.rules.get(cause)
    subscriber_id = subscriber.id if subscriber is not None else None
    proven = subscriber if request.check is Check.PASS else None
    if answer is Answer.REJECT or rule is None:
        return Reject(why, cause, subscriber_id)
    if request.needs_proof and proven is None:
        return Reject(f"{why} This kind of login cannot be accepted without it.", cause, subscriber_id)
    if answer is Answer.LIST and proven is not None:
        address, routes = _own_address(proven, nas), proven.routes
    elif rule.pool_id is not None:
        address, routes = Address(Source.REJECT_POOL, pool_ids=(rule.pool_id,)), ()
    else:
        return Reject(f"{why} There is no reject pool for it.", cause, subscriber_id)
    accept = Accept(
        address=address,
        interim_s=jittered(policy.interim_s, subscriber_id or 0),
        session_timeout_s=policy.blocked_session_timeout_s,
        why=why,
        list_name=rule.list_name,
        cause=cause,
    )
    if proven is None:
        return accept
    return accept._replace(
        subscriber_id=proven.id,
        service_id=proven.service_id,
        down_kbps=proven.down_kbps,
        up_kbps=proven.up_kbps,
        routes=routes,
    )


def _answer(subscriber: Subscriber | None, nas: NasRules, cause: Cause) -> tuple[Answer, str]:
    """What is answered for a cause, and why in words."""
    answer = nas.answers.get(cause, DEFAULT_ANSWERS[cause])
    if subscriber is not None and subscriber.used_up and cause is subscriber.blocked:
        return nas.used_up or answer, USED_UP
    return answer, _WHY[cause]


def _own_address(subscriber: Subscriber, nas: NasRules) -> Address:
    if subscriber.static_ipv4 is not None:
        return Address(Source.STATIC, ipv4=subscriber.static_ipv4)
    if subscriber.pool_ids:
        return Address(Source.POOL, pool_ids=subscriber.pool_ids)
    if nas.framed_pool:
        return Address(Source.FRAMED_POOL, framed_pool=nas.framed_pool)
    if nas.pool_ids:
        return Address(Source.POOL, pool_ids=nas.pool_ids)
    return Address(Source.NAS)


def _ipv6_pools(held: Ipv6, pools: Ipv6Pools) -> Ipv6Pools | None:
    wanted = Ipv6Pools(() if held.prefix else pools.prefix, () if held.delegated else pools.delegated)
    return None if wanted == _NO_POOLS else wanted


def _session_timeout_s(subscriber: Subscriber, now: datetime) -> int:
    """The shorter of the limit and the time until access ends, whole seconds rounded up; 0: none."""
    if subscriber.ends_at is None:
        return subscriber.session_timeout_s
    left = -((now - subscriber.ends_at) // ONE_SECOND)
    return min(left, subscriber.session_timeout_s or left)
