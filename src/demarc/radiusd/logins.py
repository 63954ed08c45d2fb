"""The logins of all subscribers, by number and by name. There may be a million, so each is kept packed, a few hundred
octets, and opened when it is asked for; those opened last stay open. Secrets stay sealed in it; it asks no database.
"""

import marshal
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from socket import AF_INET6, inet_pton
from typing import Any

from demarc.core import access

Row = list[Any]

OPEN_MAX = 150_000
"""How many logins, and the passwords of those who asked, are open at a time: some 2 KiB each."""

ID, PARTNER, SERVICE, REALM, NAME, SECRET, MACS = range(7)
CAUSE = 11
_CAUSES = frozenset({None, *map(int, access.Cause)})


@dataclass(slots=True)
class Login:
    """A subscriber as the packet path needs him. `sealed` b"": his password is to be learned from the old server;
    `password`: in clear, once it was asked for. `decided`: what auth has decided of him before, see there."""

    id: int
    partner_id: int
    service_id: int
    name: bytes
    sealed: bytes
    rule: access.Subscriber
    rate_limit: str
    owed: int | None
    owed_currency: str
    password: bytes | None = field(default=None, repr=False)
    decided: dict[Any, Any] = field(default_factory=dict)


class Logins:
    """All of them. `unreadable` is told of those that make no sense, which nobody finds."""

    def __init__(self, unreadable: set[str]) -> None:
        self._packed: dict[int, bytes] = {}
        self._named: dict[int, dict[bytes, int]] = {}
        self._open: dict[int, Login] = {}
        self._unreadable = unreadable

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, subscriber_id: int) -> bool:
        return subscriber_id in self._packed

    def __getitem__(self, subscriber_id: int) -> Login:
        """Raises KeyError."""
        found = self.get(subscriber_id)
        if found is None:
            raise KeyError(subscriber_id)
        return found

    def get(self, subscriber_id: int) -> Login | None:
        """The login with this number."""
        return self._open.get(subscriber_id) or self._opened(subscriber_id)

    def of_partner(self, partner_id: int) -> "Named":
        """A partner's, by name; what is put later is among them."""
        return Named(self, self._named.setdefault(partner_id, {}))

    def put(self, row: Row) -> None:
        """Take a row of the database (store.SUBSCRIBERS), instead of what was known of the subscriber. Raises
        ValueError, LookupError, TypeError or AttributeError for one that makes no sense, and forgets him."""
        self.drop(row[ID])
        if row[CAUSE] not in _CAUSES:
            raise ValueError(f"cause {row[CAUSE]}")
        packed = marshal.dumps([*row[:SECRET], bytes.fromhex(row[SECRET]), *row[MACS:]])
        self._named.setdefault(row[PARTNER], {})[_name(row)] = row[ID]
        self._packed[row[ID]] = packed

    def drop(self, subscriber_id: int) -> None:
        """Forget a subscriber, if he is known."""
        packed = self._packed.pop(subscriber_id, None)
        if packed is None:
            return
        self._open.pop(subscriber_id, None)
        row = _unpacked(packed)
        names, name = self._named[row[PARTNER]], _name(row)
        if names.get(name) == subscriber_id:
            del names[name]  # unless another has taken the name meanwhile

    def keep_only(self, ids: set[int]) -> None:
        """Forget all others."""
        for subscriber_id in [known for known in self._packed if known not in ids]:
            self.drop(subscriber_id)

    def learn(self, login: Login, mac: str) -> None:
        """A MAC is his from now on; his row in the database will say so, too."""
        login.rule = login.rule._replace(macs=login.rule.macs | {mac})
        login.decided.clear()
        packed = self._packed.get(login.id)
        if packed is not None:
            row = _unpacked(packed)
            row[MACS].append(mac)
            self._packed[login.id] = marshal.dumps(row)

    def _opened(self, subscriber_id: int) -> Login | None:
        packed = self._packed.get(subscriber_id)
        if packed is None:
            return None
        try:
            login = _login(_unpacked(packed))
        except (ValueError, LookupError, TypeError, AttributeError, OSError):
            self._unreadable.add(f"subscriber {subscriber_id}")
            return None
        if len(self._open) >= OPEN_MAX:
            del self._open[next(iter(self._open))]  # opened first
        self._open[subscriber_id] = login
        return login


class Named:
    """The logins of one partner by name, as the packet path asks for them."""

    __slots__ = ("_ids", "_logins")

    def __init__(self, logins: Logins, ids: dict[bytes, int]) -> None:
        self._logins = logins
        self._ids = ids

    def __contains__(self, name: bytes) -> bool:
        return name in self._ids

    def __getitem__(self, name: bytes) -> Login:
        """Raises KeyError."""
        return self._logins[self._ids[name]]

    def get(self, name: bytes) -> Login | None:
        """The one with this name, realm and all."""
        subscriber_id = self._ids.get(name)
        return None if subscriber_id is None else self._logins.get(subscriber_id)


def _unpacked(packed: bytes) -> Row:
    row: Row = marshal.loads(packed)  # noqa: S302 - packed by us, never left this process
    return row


def _name(row: Row) -> bytes:
    realm, login = row[REALM : NAME + 1]
    name: str = f"{login}@{realm}" if realm else login
    return name.encode()


def _login(row: Row) -> Login:
    subscriber_id, partner_id, service_id, _, _, sealed, macs, limit, pool_id, timeout_s = row[:10]
    active, cause, static, routes, down_kbps, up_kbps, rate_limit, owed, owed_currency = row[10:19]
    if cause is None and not active:
        cause = access.Cause.NOT_ACTIVE
    rule = access.Subscriber(
        id=subscriber_id,
        service_id=service_id,
        blocked=None if cause is None else access.Cause(cause),
        static_ipv4=IPv4Address(static) if static else None,
        ipv6=_ipv6(*row[19:22]),
        **_bound(*row[22:26]),
        routes=tuple(routes),
        macs=_macs(macs),
        down_kbps=down_kbps,
        up_kbps=up_kbps,
        pool_ids=(pool_id,) if pool_id else (),
        simultaneous=limit,
        session_timeout_s=timeout_s,
    )
    return Login(
        id=subscriber_id,
        partner_id=partner_id,
        service_id=service_id,
        name=_name(row),
        sealed=sealed,
        rule=rule,
        rate_limit=rate_limit,
        owed=owed,
        owed_currency=owed_currency,
    )


def _macs(macs: Iterable[str]) -> frozenset[str]:
    return frozenset(map(access.normal_mac, macs))


def _ipv6(prefix: str | None = None, delegated: str | None = None, address: str | None = None) -> access.Ipv6 | None:
    """Missing in the snapshot of an earlier version."""
    if not (prefix or delegated or address):
        return None
    return access.Ipv6(
        _prefix(prefix) if prefix else None,
        _prefix(delegated) if delegated else None,
        IPv6Address(address) if address else None,
    )


def _prefix(text: str) -> IPv6Network:
    """Four times as fast as ipaddress reads text."""
    address, _, length = text.partition("/")
    return IPv6Network((int.from_bytes(inet_pton(AF_INET6, address)), int(length)))


def _bound(learns: int = 0, relearns: bool = False, port: str = "", used_up: bool = False) -> dict[str, Any]:
    """Missing in the snapshot of an earlier version."""
    return {"learns": learns, "relearns": relearns, "port": port, "used_up": used_up}
