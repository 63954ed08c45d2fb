"""Who a visitor of the blocking pages is and why he is here, from memory: addresses, causes, sums, providers' words.

Filled from rows of `store_pages`, whether they come from the database or from the snapshot file. It knows customers by
number alone, so no page can name one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, NamedTuple

from demarc.core.access import PRESETS, Cause, CauseRule
from demarc.core.addressing import Span
from demarc.core.money import CURRENCIES, Money

PREFIX_KINDS = ("prefix", "delegated")

Row = list[Any]

CAUSES: dict[int | None, Cause | None] = {None: None, **{int(cause): cause for cause in Cause}}
UNPROVEN = {Cause.NOT_FOUND, Cause.WRONG_MAC, Cause.WRONG_PASSWORD}
"""Causes of sessions whose caller did not show that he is the customer: he learns nothing about the customer."""

DEFAULT_RULES = {row.cause: CauseRule(row.cause, row.list_name, None, row.page_port) for row in PRESETS["demarc"]}


@dataclass(frozen=True, slots=True)
class Provider:
    """Who runs the network: contact, own words ("": the shipped ones), looks, and the table of causes."""

    id: int
    name: str
    language: str
    phone: str
    email: str
    website: str
    title: str
    message: str
    how_to_pay: str
    colour: str
    logo: bytes
    logo_type: str
    rules: Mapping[Cause, CauseRule]


@dataclass(frozen=True, slots=True)
class Visitor:
    """What the page is about. `provider` None: none is set up yet; `cause` None: not blocked (any more);
    `owed` None: unknown, or not for this visitor's eyes. `used_up`: it is not money that is missing, but the month's
    volume that is used up."""

    provider: Provider | None
    cause: Cause | None
    owed: Money | None = None
    used_up: bool = False


class Standing(NamedTuple):
    """How one subscriber stands. `static`: his own address, "" when he has none."""

    partner_id: int
    cause: Cause | None
    owed: int | None
    currency: str
    static: str
    used_up: bool = False


class Session(NamedTuple):
    """Whose session an address belongs to, and the list that its router was told to put it in."""

    partner_id: int
    subscriber_id: int | None
    list_name: str


class Pool(NamedTuple):
    id: int
    partner_id: int
    span: Span


class PagesModel:
    """The read model of the pages process."""

    def __init__(self) -> None:
        self.providers: dict[int, Provider] = {}
        self.pools: list[Pool] = []
        self.standings: dict[int, Standing] = {}
        self.statics: dict[str, int] = {}
        self.sessions: dict[str, Session] = {}
        self.prefix_lengths: set[int] = set()
        self.last_session_id = 0
        self.sessions_until = 0.0
        """The moment (seconds since 1970, the database's clock) of the newest sign of life of a session."""

    def put_providers(self, rows: Iterable[Row]) -> None:
        """Take all providers, instead of those known."""
        self.providers = {row[0]: _provider(row) for row in rows}

    def put_pools(self, rows: Iterable[Row]) -> None:
        """Take all pools of IPv4, instead of those known: nobody who is limited has another. Overlapping address worlds
        (vrf) cannot be told apart here."""
        self.pools = [
            Pool(pool_id, partner_id, Span(IPv4Address(first), IPv4Address(last)))
            for pool_id, partner_id, _router, kind, vrf, first, last, *_ in rows
            if vrf == 0 and kind not in PREFIX_KINDS
        ]

    def put_standings(self, rows: Iterable[Row]) -> None:
        """Take how these subscribers stand, instead of what was known of each."""
        for subscriber_id, partner_id, cause, owed, currency, static, *used_up in rows:
            self.drop_standing(subscriber_id)
            known = Standing(partner_id, CAUSES[cause], owed, currency, static or "", used_up == [True])
            self.standings[subscriber_id] = known
            if static:
                self.statics[static] = subscriber_id

    def drop_standing(self, subscriber_id: int) -> None:
        """Forget a subscriber, if he is known."""
        known = self.standings.pop(subscriber_id, None)
        if known and self.statics.get(known.static) == subscriber_id:
            del self.statics[known.static]

    def put_sessions(self, rows: Iterable[Row]) -> None:
        """Take these sessions; each replaces what was known of its addresses."""
        for session_id, partner_id, subscriber_id, list_name, ipv4, ipv6, prefix, delegated, heard in rows:
            session = Session(partner_id, subscriber_id, list_name)
            if ipv4:
                self.sessions[ipv4] = session
            if ipv6:
                self.sessions[str(IPv6Address(ipv6))] = session
            for network in (prefix, delegated):
                if network:
                    known = IPv6Network(network, strict=False)
                    self.prefix_lengths.add(known.prefixlen)
                    self.sessions[str(known)] = session
            self.last_session_id = max(self.last_session_id, session_id)
            self.sessions_until = max(self.sessions_until, heard)

    def visit(self, address: str, port: int, folder: int) -> Visitor:
        """Who comes from `address` to the page at `port`, the `folder`-th of the page ports."""
        where = ip_address(address)
        session = self._session(where)
        pool = self._pool(where)
        subscriber_id = session.subscriber_id if session else self.statics.get(address)
        standing = self.standings.get(subscriber_id or 0)
        provider = self._provider(standing or session or pool)
        rules = provider.rules if provider else DEFAULT_RULES
        told = _told(rules, session, pool)
        if told and told <= UNPROVEN:
            return Visitor(provider, _lowest(told))
        if standing and standing.cause is not None:
            return Visitor(provider, standing.cause, _sum(standing), standing.used_up)
        asked = _lowest(told or _of_port(rules, port, folder))
        if standing and asked not in UNPROVEN:
            return Visitor(provider, None)
        return Visitor(provider, asked)

    def _session(self, where: IPv4Address | IPv6Address) -> Session | None:
        found = self.sessions.get(str(where))
        if found is None and isinstance(where, IPv6Address):
            networks = (
                str(IPv6Network((where, length), strict=False)) for length in sorted(self.prefix_lengths, reverse=True)
            )
            found = next((self.sessions[network] for network in networks if network in self.sessions), None)
        return found

    def _pool(self, where: IPv4Address | IPv6Address) -> Pool | None:
        if isinstance(where, IPv6Address):
            return None
        return next((pool for pool in self.pools if where in pool.span), None)

    def _provider(self, known: Standing | Session | Pool | None) -> Provider | None:
        found = self.providers.get(known.partner_id) if known else None
        return found or next(iter(self.providers.values()), None)


def _told(rules: Mapping[Cause, CauseRule], session: Session | None, pool: Pool | None) -> set[Cause]:
    """What the network shows by itself: the address is from a reject pool, or its session is in a list."""
    of_pool = {rule.cause for rule in rules.values() if pool and rule.pool_id == pool.id}
    return of_pool or {rule.cause for rule in rules.values() if session and rule.list_name == session.list_name}


def _of_port(rules: Mapping[Cause, CauseRule], port: int, folder: int) -> set[Cause]:
    """What a port is for. Where the pages listen on other ports than the table says, the n-th stands for 810n."""
    exact, default = ({rule.cause for rule in rules.values() if rule.page_port == at} for at in (port, 8100 + folder))
    return exact or default or {Cause.NOT_ACTIVE}


def _lowest(causes: set[Cause]) -> Cause:
    """One cause among several: the lowest, but "not found" last."""
    return min(causes, key=lambda cause: (cause is Cause.NOT_FOUND, cause))


def _sum(standing: Standing) -> Money | None:
    if standing.cause is not Cause.NO_MONEY or not standing.owed or standing.owed < 0:
        return None
    return Money(standing.owed, standing.currency) if standing.currency in CURRENCIES else None


def _provider(row: Row) -> Provider:
    *facts, logo, logo_type, causes = row
    rules = {
        Cause(int(cause)): CauseRule(Cause(int(cause)), rule["list"], rule.get("pool_id"), rule["page_port"])
        for cause, rule in causes.items()
    }
    looks: list[Any] = [*facts, bytes.fromhex(logo), logo_type, rules or DEFAULT_RULES]
    return Provider(*looks)
