"""What radiusd knows, in memory: routers by address, logins by name, policies, pools. Filled from rows of `store`,
whether they come from the database, the feed or the snapshot file. Secrets stay sealed here; it asks no database.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Network
from typing import Any, NamedTuple, TypeVar

from demarc.base.seal import Opener, Unsealable
from demarc.core import access
from demarc.core.addressing import Place, Prefixes, Span
from demarc.radiusd.logins import Login, Logins, Named, Row
from demarc.wire.radius import Malformed, Secret
from demarc.wire.radius.makes import SHIPPED, Make
from demarc.wire.radius.requirement import Requirement
from demarc.wire.radius.templates import Line
from demarc.wire.radius.templates import parse as parse_template

T = TypeVar("T")

FAIR_USE = {"cut": access.Answer.LIST, **{answer.value: answer for answer in access.Answer}}
"""How a login is answered whose volume is used up: whether its session is told or cut is the database's to say."""


class Mode(StrEnum):
    """What is done with the packets of a NAS whose customers are moving here from another RADIUS server: it gets those
    that we do not know, it gets all of them and we compare, or we answer nothing."""

    UNKNOWN = "unknown"
    COMPARE = "compare"
    LISTEN = "listen"


@dataclass(frozen=True, slots=True)
class Moving:
    """The server that a NAS had before us. `secret` None: there is none, or it cannot be read; `learn`: passwords."""

    id: int
    mode: Mode
    host: str
    auth_port: int
    acct_port: int
    sealed: str
    secret: Secret | None
    timeout_s: float
    learn: bool


class Answers(NamedTuple):
    """A make's templates, read once (wire.radius.makes.Templates); those for a block by fair use are the ones for any
    block where it has none of its own. `personal`: a login is named in what is told at a login."""

    online: tuple[Line, ...]
    blocked: tuple[Line, ...]
    coa_block: tuple[Line, ...]
    coa_restore: tuple[Line, ...]
    coa_fair_use: tuple[Line, ...]
    coa_fair_restore: tuple[Line, ...]
    personal: bool


@dataclass(slots=True)
class Client:
    """A NAS. `policy` has the partner's rules and this NAS's own answers; `logins` are those of its partner.

    `require` is the setting, `requires` what we have learned it to mean; `signs`: whether its last login was signed;
    `answers`: what its make is told; `profiles`: in octets, see there.
    """

    id: int
    partner_id: int
    router_id: int
    address: str
    secret: Secret
    require: Requirement
    requires: Requirement
    signs: bool | None
    coa_enabled: bool
    coa_port: int
    interim_s: int
    answers: Answers
    node: str
    policy: access.Policy
    logins: Named
    moving: Moving | None = None
    profiles: dict[Any, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pool:
    id: int
    partner_id: int
    router_id: int | None
    kind: str
    vrf: int
    span: Span | Prefixes
    first: int
    last: int

    def block(self, first: str, last: str) -> Span | Prefixes:
        """The run from one address, or prefix's address, to another, as the database writes them."""
        return _span(first, last, self.span.first.prefixlen if isinstance(self.span, Prefixes) else 32)

    def gives(self, prefix: IPv6Network) -> bool:
        """Whether it is one of this pool's."""
        return isinstance(self.span, Prefixes) and prefix in self.span


class Model:
    """The read model of one process. `fresh_at`: when the database was last heard, on the steady clock."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self.clients: dict[str, Client] = {}
        self.clients_by_id: dict[int, Client] = {}
        self.pools: dict[int, Pool] = {}
        self._by_first: list[Pool] = []
        self._firsts: list[int] = []
        self._of_prefixes: list[Pool] = []
        self.policies: dict[int, dict[str, Any]] = {}
        self.unreadable: set[str] = set()
        self.logins = Logins(self.unreadable)
        self.fresh_at = float("-inf")
        self._read: dict[tuple[int, str], Answers] = {}

    def client(self, address: str) -> Client | None:
        """The NAS at a source address, None for a stranger."""
        return self.clients.get(address) or self.clients.get(address.removeprefix("::ffff:"))

    def pool_of(self, address: Place, vrf: int = 0) -> Pool | None:
        """The pool that hands out this address or prefix; pools of one VRF never overlap."""
        if isinstance(address, IPv6Network):
            return next((pool for pool in self._of_prefixes if pool.vrf == vrf and pool.gives(address)), None)
        return self.pool_at(int(address), vrf)

    def pool_at(self, address: int, vrf: int = 0) -> Pool | None:
        """The same for an IPv4 address as a whole number."""
        number = vrf << 32 | address
        at = bisect_right(self._firsts, number)
        pool = self._by_first[at - 1] if at else None
        return pool if pool is not None and number <= pool.last else None

    def password(self, login: Login) -> bytes | None:
        """The password in clear, None when it was sealed for somebody else."""
        if login.password is None and login.sealed:
            try:
                login.password = self._opener.open(login.sealed, f"access_subscriber.secret.{login.id}")
            except Unsealable:
                self.unreadable.add(f"subscriber {login.id}")
        return login.password

    def put_network(
        self, policies: Iterable[Row], pools: Iterable[Row], nases: Iterable[Row], moving: Iterable[Row] = ()
    ) -> None:
        """Take all policies, pools, NASes and their old servers, instead of those known: they are few and hang
        together."""
        self.policies = {row[0]: row[1] for row in policies}
        self._read.clear()
        self.pools = {row[0]: _pool(row) for row in pools}
        self._by_first = sorted((pool for pool in self.pools.values() if isinstance(pool.span, Span)), key=_first)
        self._of_prefixes = [pool for pool in self.pools.values() if isinstance(pool.span, Prefixes)]
        self._firsts = [pool.first for pool in self._by_first]
        clients = [client for row in nases if (client := self._readable(self._client, row, "NAS"))]
        self.clients = {client.address: client for client in clients}
        self.clients_by_id = {client.id: client for client in clients}
        for row in moving:
            client = self.clients_by_id.get(row[1])
            if client is not None:
                client.moving = self._readable(self._moving, row, "old server")

    def put_subscribers(self, rows: Iterable[Row]) -> None:
        """Take these subscribers, instead of what was known of each."""
        for row in rows:
            self._readable(self.logins.put, row, "subscriber")

    def _readable(self, read: Callable[[Row], T], row: Row, what: str) -> T | None:
        """One row that makes no sense must not keep the others out: it is named in the status and left out."""
        try:
            found = read(row)
        except (Unsealable, ValueError, LookupError, TypeError, AttributeError):
            self.unreadable.add(f"{what} {row[0]}")
            return None
        self.unreadable.discard(f"{what} {row[0]}")
        return found

    def _client(self, row: Row) -> Client:
        nas_id, partner_id, router_id, address, sealed = row[:5]
        secret = Secret(self._opener.open(bytes.fromhex(sealed), f"access_nas.secret.{nas_id}"))
        require, signs, coa_enabled, coa_port, interim_s, framed_pool, nas_type, answers, node = row[5:]
        rules = self._nas_rules(partner_id, router_id, framed_pool, answers)
        told = self.policies.get(partner_id, {}).get("answers", {}).get(nas_type, {})
        if "block" in told:
            usual = {cause: access.Answer(told["block"]) for cause in access.BLOCKS}
            replaces = told["second"] == "replace" and coa_enabled
            used_up = FAIR_USE.get(told.get("fair_use", ""))
            rules = replace(rules, answers={**usual, **rules.answers}, replaces=replaces, used_up=used_up)
        known = self.clients_by_id.get(nas_id)
        same = known is not None and known.require == require and known.address == address
        return Client(
            id=nas_id,
            partner_id=partner_id,
            router_id=router_id,
            address=address,
            secret=secret,
            require=Requirement(require),
            requires=known.requires if known and same else Requirement(require),
            signs=known.signs if known and same else signs,
            coa_enabled=coa_enabled,
            coa_port=coa_port,
            interim_s=interim_s,
            answers=self._answers(partner_id, nas_type),
            node=node,
            policy=self._policy(partner_id, nas_id, interim_s, rules),
            logins=self.logins.of_partner(partner_id),
        )

    def _moving(self, row: Row) -> Moving:
        """With a secret that cannot be read nobody can be passed on; answering them ourselves would turn them away."""
        moving_id, _, mode, host, auth_port, acct_port, sealed, timeout_ms, learn = row
        secret = None
        if sealed:
            try:
                secret = Secret(self._opener.open(bytes.fromhex(sealed), f"access_movingin.secret.{moving_id}"))
            except Unsealable:
                self.unreadable.add(f"secret of old server {moving_id}")
        return Moving(moving_id, Mode(mode), host or "", auth_port, acct_port, sealed, secret, timeout_ms / 1000, learn)

    def _answers(self, partner_id: int, nas_type: str) -> Answers:
        """As published, each read once; as shipped for what is not published yet or cannot be read."""
        found = self._read.get((partner_id, nas_type))
        if found is None:
            shipped = SHIPPED[Make(nas_type)]
            told = self.policies.get(partner_id, {}).get("answers", {}).get(nas_type, {})
            texts = shipped._replace(**{name: told[name] for name in shipped._fields if name in told})
            fair = told.get("coa_fair_use") or texts.coa_block, told.get("coa_fair_restore") or texts.coa_restore
            try:
                found = _answers(*texts, *fair)
            except Malformed:
                self.unreadable.add(f"templates of {nas_type}, partner {partner_id}")
                found = _answers(*shipped, shipped.coa_block, shipped.coa_restore)
            self._read[partner_id, nas_type] = found
        return found

    def _nas_rules(
        self, partner_id: int, router_id: int, framed_pool: str, answers: dict[str, str] | None
    ) -> access.NasRules:
        """A router's own pools come first, then those that its partner shares among all routers."""

        def pools(kind: str) -> tuple[int, ...]:
            found = [pool for pool in self.pools.values() if (pool.partner_id, pool.kind) == (partner_id, kind)]
            own = (pool.id for pool in found if pool.router_id == router_id)
            return (*own, *(pool.id for pool in found if pool.router_id is None))

        return access.NasRules(
            pool_ids=pools("dynamic"),
            ipv6=access.Ipv6Pools(pools("prefix"), pools("delegated")),
            framed_pool=framed_pool,
            answers={access.Cause(int(cause)): access.Answer(answer) for cause, answer in (answers or {}).items()},
        )

    def _policy(self, partner_id: int, nas_id: int, interim_s: int, rules: access.NasRules) -> access.Policy:
        body = self.policies.get(partner_id, {})
        return access.Policy(
            rules={
                access.Cause(int(cause)): access.CauseRule(
                    access.Cause(int(cause)), rule["list"], rule.get("pool_id"), rule["page_port"]
                )
                for cause, rule in body.get("causes", {}).items()
            },
            interim_s=interim_s,
            blocked_session_timeout_s=body.get("blocked_session_timeout_s", 300),
            nas={nas_id: rules},
        )


def _answers(*texts: str) -> Answers:
    """Raises Malformed."""
    read = [parse_template(text) for text in texts]
    return Answers._make([*read, any("login" in line.parts[1::2] for line in read[0] + read[1])])


def parse(lines: Iterable[tuple[str]]) -> list[Row]:
    """Rows of one JSON column, as lists."""
    loads: Callable[[str], Row] = json.loads
    return [loads(line) for (line,) in lines]


def _pool(row: Row) -> Pool:
    pool_id, partner_id, router_id, kind, vrf, first, last = row[:7]
    length = row[7] if len(row) > 7 else 32  # missing in the snapshot of an earlier version
    span = _span(first, last, length)
    if isinstance(span, Prefixes):
        return Pool(pool_id, partner_id, router_id, kind, vrf, span, 0, 0)
    return Pool(pool_id, partner_id, router_id, kind, vrf, span, _number(vrf, span.first), _number(vrf, span.last))


def _span(first: str, last: str, length: int) -> Span | Prefixes:
    if ":" in first:
        return Prefixes(IPv6Network((first, length)), IPv6Network((last, length)))
    return Span(IPv4Address(first), IPv4Address(last))


def _number(vrf: int, address: IPv4Address) -> int:
    """VRF and address in one, in order; comparing address objects would cost ten times as much."""
    return vrf << 32 | int(address)


def _first(pool: Pool) -> int:
    return pool.first
