"""NASes whose customers are moving here from another RADIUS server: who is passed on to it, and what is learned.

The old server's answer goes to the NAS in our name; its accounting is journaled here and a copy passed on. Knows no
sockets.
"""

import asyncio
import contextlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address
from itertools import count
from time import monotonic
from typing import Any

import psycopg

from demarc.base.seal import Sealer
from demarc.core.access import Accept, Source
from demarc.core.addressing import Span
from demarc.core.moving import NO_LIMIT, Answered, Rate, differences
from demarc.radiusd import profiles, store_moving
from demarc.radiusd.auth import Authenticator, Considered
from demarc.radiusd.counters import Counters
from demarc.radiusd.feed import Connection, connect
from demarc.radiusd.logins import Login
from demarc.radiusd.model import Client, Mode, Model, Moving
from demarc.radiusd.notes import Decided, Elsewhere, Notes
from demarc.radiusd.oldserver import ACCT, AUTH, OldServers
from demarc.wire.radius import (
    BY_NAME,
    Malformed,
    Packet,
    accounting_handed_on,
    decode,
    handed_back,
    handed_on,
    keys,
    pap,
    parse_rate_limit,
)

ACCT_WAITS_S = (2.0, 4.0, 8.0, 16.0)
"""RFC 5080 section 2.2.1; after that the copy is given up, for we have the record."""

LEARNED_WAITING_MAX = 10_000
TAUGHT_AGAIN_S = 120.0
"""The password of one who logs in again before his row was changed is not written twice."""

EVERY_S = 1.0
FRAMED_POOL = BY_NAME["Framed-Pool"].key
FILTER_ID = BY_NAME["Filter-Id"].key
ADDRESS_LIST = BY_NAME["Mikrotik-Address-List"].key
WISPR_UP, WISPR_DOWN = BY_NAME["WISPr-Bandwidth-Max-Up"].key, BY_NAME["WISPr-Bandwidth-Max-Down"].key

Reply = Callable[[bytes | None], None]


class Mover:
    """Decides for each packet of such a NAS. `notes` take down answers that are not ours."""

    def __init__(
        self, model: Model, auth: Authenticator, servers: OldServers, pupil: "Pupil", counters: Counters,
        notes: Notes,
    ) -> None:  # fmt: skip
        self._model = model
        self._auth = auth
        self._servers = servers
        self._pupil = pupil
        self._counters = counters
        self._notes = notes
        self._states = count(1)

    def take(self, packet: Packet, client: Client, moving: Moving, steady: float, reply: Reply) -> bool | None:
        """What becomes of an authentic login. None: answer it yourself. True: `reply` gets the answer, None for none,
        once it is there; or there will be none, and the same packet again says nothing new. False: none, for now."""
        if moving.mode is Mode.UNKNOWN:
            login = self._auth.login_of(packet, client)
            if login is not None and login.sealed:
                return None
        self._counters.auth += 1
        considered = self._auth.consider(packet, client, steady)
        if moving.mode is Mode.LISTEN:
            self._counters.moving["listened"] += 1
            self._write(considered, Elsewhere("nobody"))
            return True
        if considered[2] is None:
            self._counters.dropped["wrong_secret"] += 1
            self._write(considered, "wrong_secret")
            return False
        return self._pass_on(considered, moving, reply)

    def copy(self, packet: Packet, client: Client, moving: Moving) -> None:
        """Pass on a copy of accounting that is journaled: of sessions that the old server let in."""
        secret = moving.secret
        if secret is None or not (moving.mode is Mode.COMPARE or self._its(packet, client)):
            return
        make = partial(self._accounting, packet, moving)
        self._counters.moving["accounting_copied"] += 1
        try:
            self._servers.ask(moving, ACCT, make, ACCT_WAITS_S, self._copied)
        except Malformed:
            self._counters.dropped["malformed"] += 1

    def _accounting(self, packet: Packet, moving: Moving, identifier: int) -> bytes:
        secret = moving.secret
        if secret is None:
            raise Malformed("there is no secret to sign it with")
        return accounting_handed_on(packet, identifier, self._state(), secret)

    def _copied(self, reply: Packet | None) -> None:
        if reply is None:
            self._counters.dropped["old_server_accounting"] += 1

    def _its(self, packet: Packet, client: Client) -> bool:
        """Whether the old server let this session in: its Class is not ours; without one, we do not know the login."""
        classes = packet.get_all(keys.CLASS)
        if classes:
            return all(profiles.read_class(value) is None for value in classes)
        login = self._auth.login_of(packet, client)
        return login is None or not login.sealed

    def _pass_on(self, considered: Considered, moving: Moving, reply: Reply) -> bool:
        packet, client = considered[0].packet, considered[0].client
        secret = moving.secret
        if secret is None:
            self._counters.dropped["old_server_unreadable"] += 1
            return False
        fresh = os.urandom(16)

        def make(identifier: int) -> bytes:
            return handed_on(packet, identifier, self._state(), client.secret, (fresh, secret))

        half = moving.timeout_s / 2
        asked = self._servers.ask(
            moving, AUTH, make, (half, half), partial(self._answered, considered, moving, fresh, reply)
        )
        if not asked:
            why = "The old server cannot be asked now: it does not answer, or too much is under way."
            self._write(considered, Elsewhere("old", why=why))
        self._counters.moving["passed_on"] += asked
        return asked

    def _answered(
        self, considered: Considered, moving: Moving, fresh: bytes, reply: Reply, answer: Packet | None
    ) -> None:
        """The old server's verified answer to a login, None for none."""
        caller, _, decided = considered
        secret = moving.secret
        if answer is None or secret is None or decided is None:
            self._counters.moving["unanswered"] += 1
            self._write(considered, Elsewhere("old", why="The old server gave no answer in time."))
            reply(None)
            return
        try:
            octets = handed_back(answer, (fresh, secret), caller.packet, caller.client.secret)
        except Malformed:
            self._counters.dropped["old_server_malformed"] += 1
            self._write(considered, Elsewhere("old", why="What the old server answered cannot be read."))
            reply(None)
            return
        differs: tuple[str, ...] = ()
        if moving.mode is Mode.COMPARE and answer.code != keys.ACCESS_CHALLENGE:
            differs = tuple(self._differs(decided, caller.client, answer))
            self._counters.moving["differing" if differs else "same"] += 1
        if answer.code == keys.ACCESS_ACCEPT:
            self._counters.moving["accepted"] += 1
            self._learn(considered, moving, answer)
        self._write(considered, Elsewhere("old", answer, differs=differs))
        reply(octets)

    def _learn(self, considered: Considered, moving: Moving, answer: Packet) -> None:
        """A login that has no password here has shown the right one. Not so when he was only let in to be told that
        something is wrong: some servers accept any password then."""
        packet, client, login = considered[0][:3]
        hidden = packet.first.get(keys.USER_PASSWORD)
        if not moving.learn or not hidden or login is None or login.sealed or _limited(client, answer):
            return
        password = pap.reveal(hidden, packet.authenticator, client.secret)
        if password and b"\0" not in password:
            self._counters.moving["learned"] += self._pupil.learn(login, client, password, considered[0].now)

    def _differs(self, decided: Decided, client: Client, answer: Packet) -> Iterator[str]:
        for what, ours, theirs in differences(self._ours(decided, client), _theirs(answer)):
            yield f"{what}: ours {ours}; the old server's {theirs}"

    def _ours(self, decided: Decided, client: Client) -> Answered:
        answer = decided.answer
        if not isinstance(answer, Accept):
            return Answered(False, answer.why)
        header = bytes((keys.ACCESS_ACCEPT, 0)) + (20 + len(decided.profile)).to_bytes(2, "big") + bytes(16)
        pools = [self._model.pools[key] for key in answer.address.pool_ids if key in self._model.pools]
        static = answer.address.source is Source.STATIC
        return Answered(
            accepted=True,
            list_name=answer.list_name or "",
            address=answer.address.ipv4 if static else None,
            spans=tuple(pool.span for pool in pools if isinstance(pool.span, Span)),
            framed_pool=answer.address.framed_pool,
            rate=_rate(decode(header + decided.profile)),
        )

    def _state(self) -> bytes:
        """Our Proxy-State: it says nothing, for answers are found by their identifiers."""
        return next(self._states).to_bytes(8, "big")

    def _write(self, considered: Considered, word: str | Elsewhere) -> None:
        (packet, client, login, place, others, now, _), verdict, decided = considered
        told = (now, client, login, packet.first.get(keys.USER_NAME, b""), place, others)
        self._notes.odd.append((told, decided, verdict, None, word))


class Pupil:
    """Passwords that were learned, sealed at once, written behind. `public_key` is radiusd's own."""

    def __init__(self, public_key: bytes) -> None:
        self._sealer = Sealer(public_key)
        self._waiting: list[dict[str, Any]] = []
        self._taught: OrderedDict[int, float] = OrderedDict()

    def learn(self, login: Login, client: Client, password: bytes, at: Any) -> bool:
        """Keep the password of a login until it is written; False: it was learned a moment ago, or there is no room."""
        now = monotonic()
        if now - self._taught.get(login.id, float("-inf")) < TAUGHT_AGAIN_S or (
            len(self._waiting) >= LEARNED_WAITING_MAX
        ):
            return False
        self._taught[login.id] = now
        self._taught.move_to_end(login.id)
        if len(self._taught) > LEARNED_WAITING_MAX:
            self._taught.popitem(last=False)
        sealed = self._sealer.seal(password, f"access_subscriber.secret.{login.id}")
        row = {"subscriber_id": login.id, "nas_id": client.id, "sealed": sealed.hex(), "at": at.isoformat()}
        self._waiting.append(row)
        return True

    async def run(self, url: str) -> None:
        """Write until cancelled; while the database is away they wait here."""
        while True:
            await asyncio.sleep(EVERY_S)
            if not self._waiting:
                continue
            with contextlib.suppress(psycopg.Error):  # the follower tells that the database is away
                async with await connect(url) as conn:
                    await self.write(conn)

    async def write(self, conn: Connection) -> None:
        """All that wait."""
        rows = list(self._waiting)
        await conn.execute(store_moving.LEARN, {"rows": json.dumps(rows)})
        del self._waiting[: len(rows)]


def _theirs(answer: Packet) -> Answered:
    pool = answer.text(FRAMED_POOL)
    return Answered(
        accepted=answer.code == keys.ACCESS_ACCEPT,
        why=answer.text(keys.REPLY_MESSAGE)[:100],
        list_name=_list(answer),
        address=_real(answer.ip(keys.FRAMED_IP_ADDRESS)),
        framed_pool=pool,
        rate=_rate(answer),
    )


def _real(address: IPv4Address | None) -> IPv4Address | None:
    """RFC 2865 section 5.8: 255.255.255.254 means that the NAS shall choose one, 255.255.255.255 the customer."""
    return None if address is None or int(address) >= 0xFFFFFFFE else address


def _list(answer: Packet) -> str:
    return answer.text(ADDRESS_LIST) or answer.text(FILTER_ID)


def _rate(answer: Packet) -> Rate:
    text = answer.text(keys.MIKROTIK_RATE_LIMIT)
    if not text:
        return Rate(answer.integer(WISPR_UP) or 0, answer.integer(WISPR_DOWN) or 0)
    try:
        return Rate(*parse_rate_limit(text).rate)
    except Malformed:
        return NO_LIMIT


def _limited(client: Client, answer: Packet) -> bool:
    """Whether an Accept lets in only to a blocking page, as far as its list's name tells."""
    name = _list(answer)
    ours = {rule.list_name for rule in client.policy.rules.values()}
    return name in ours or name.lower().startswith(("reject", "splbl_"))
