"""Thirty days of sessions: RADIUS accounting as the concentrators would have sent it, applied by the real shipper."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from random import Random
from struct import Struct
from tempfile import TemporaryDirectory
from typing import NamedTuple

from demarc.access.models import Subscriber
from demarc.base.hands import each
from demarc.network.models import Pool
from demarc.project.config import Config
from demarc.project.demo.people import KNOWN_PEOPLE
from demarc.radiusd import journal, records
from demarc.wire.radius import Secret, Value, accounting_request, encode_attributes, keys

START, STOP, INTERIM = 1, 2, 3
WRITER = "demo"
WRITE_BYTES = 1 << 22
OFFLINE = frozenset(login for _, login, *_ in KNOWN_PEOPLE)
"""Whom README lets radclient log in; somebody online from elsewhere would be refused a second session."""

LISTS = {1: "Reject_1", 2: "Reject_2"}
FINE_UP_TO = 5000
"""Larger demos report usage every five days instead of daily: the shape is the same, the filling takes a fifth."""

COUNTERS = Struct(">" + 6 * "BBI")
"""Six attributes that are whole numbers: type, length, value (RFC 2865 section 5)."""

USER_REQUEST = encode_attributes([("Acct-Terminate-Cause", 1)])
SIGNED = Secret(b"not checked again: what is in the journal was")


@dataclass(frozen=True, slots=True)
class Door:
    """A concentrator, and where its pool begins and how far it reaches."""

    nas_id: int
    first: IPv4Address
    size: int


class Visit(NamedTuple):
    """One session: from `begun` for `lasting`, with `down` octets a day. Ends with a Stop unless it is still on."""

    login: Subscriber
    door: Door
    session_id: str
    address: IPv4Address
    begun: datetime
    lasting: timedelta
    down: int
    still_on: bool


def live_through(joined: Mapping[int, int], *, at: datetime, seed: int) -> None:
    """Write the accounting of services up to `at` into a journal and ship it. `joined`: service id -> days ago."""
    config = Config.from_environment()
    step = timedelta(days=1 if len(joined) <= FINE_UP_TO else 5)
    logins = Subscriber.objects.filter(service__in=list(joined)).order_by("id")
    ids = list(logins.values_list("id", flat=True))
    routers = len(_doors())
    with TemporaryDirectory(prefix="journal-demo-", dir=config.data) as apart:

        def ship(first: int) -> None:
            directory = Path(apart, str(first))
            mine = Subscriber.objects.filter(pk__in=ids[first::routers]).order_by("id").defer("secret")
            _write(directory, _records(zip(count(first, routers), mine), joined, at, step, seed))
            _ship(directory, config)

        each(ship, range(routers), hands=routers)


def _ship(directory: Path, config: Config) -> None:
    command = (sys.executable, "-m", "demarc.radiusd.drain", str(directory), f"{WRITER}-{directory.name}")
    subprocess.run(command, env=os.environ | {"DEMARC_RADIUS_URL": config.radius_url()}, check=True)


def _write(directory: Path, payloads: Iterable[bytes]) -> None:
    directory.mkdir()
    segment = journal.Segment(directory, 1)
    waiting = bytearray()
    for payload in payloads:
        waiting += journal.frame(payload)
        if len(waiting) > WRITE_BYTES:
            segment.append(bytes(waiting))
            waiting.clear()
    segment.append(bytes(waiting))
    segment.close()


def _records(
    numbered: Iterable[tuple[int, Subscriber]], joined: Mapping[int, int], at: datetime, step: timedelta, seed: int
) -> Iterator[bytes]:
    doors = _doors()
    for number, login in numbered:
        random = Random(f"demarc demo {seed} {login.login}")
        door = doors[number % len(doors)]
        for visit in _visits(login, door, number // len(doors), joined[login.service_id], at, random):
            yield from _packets(visit, step)


def _doors() -> list[Door]:
    pools = Pool.objects.filter(router__nas__isnull=False).select_related("router__nas").order_by("id")
    return [
        Door(pool.router.nas.pk, IPv4Address(pool.first), int(IPv4Address(pool.last)) - int(IPv4Address(pool.first)))
        for pool in pools
        if pool.router is not None
    ]


def _visits(login: Subscriber, door: Door, place: int, joined: int, at: datetime, random: Random) -> Iterator[Visit]:
    """Sessions of some days each, one after the other; two of three subscribers are online now."""
    address = IPv4Address(login.static_ipv4) if login.static_ipv4 else door.first + 1 + place % door.size
    down = random.randint(1, 12) * login.down_kbps * 10_000
    begun = at - timedelta(days=joined, hours=random.randint(-9, 8), minutes=random.randint(0, 59))
    begun = min(begun, at - timedelta(hours=2))
    online = random.random() < 0.68 and login.login not in OFFLINE
    while begun < at - timedelta(hours=1):
        lasting = timedelta(hours=random.randint(30, 400))
        still_on = online and begun + lasting > at
        lasting = min(lasting, at - begun - timedelta(minutes=0 if still_on else random.randint(5, 50)))
        session_id = f"81{random.getrandbits(32):08x}"
        yield Visit(login, door, session_id, address, begun, lasting, down, still_on)
        begun += lasting + timedelta(minutes=random.randint(1, 30))


def _packets(visit: Visit, step: timedelta) -> Iterator[bytes]:
    login = visit.login
    list_name = LISTS.get(login.cause or 0, "") if visit.still_on else ""
    whose = (visit.door.nas_id, login.partner_id, login.pk, login.service_id, 0, list_name)
    same = encode_attributes(_said_each_time(visit))
    for status, age in _reports(visit, step):
        arrived_us = records.microseconds(visit.begun + age)
        octets = accounting_request(0, same + _counted(visit, status, age), SIGNED)
        yield records.encode(records.Record(records.PACKET, arrived_us, *whose, octets))


def _reports(visit: Visit, step: timedelta) -> Iterator[tuple[int, timedelta]]:
    """Start, an Interim each `step`, and the Stop; somebody still online has reported just now."""
    yield START, timedelta()
    age = step
    while age < visit.lasting:
        yield INTERIM, age
        age += step
    yield INTERIM if visit.still_on else STOP, visit.lasting


def _said_each_time(visit: Visit) -> list[tuple[str, Value]]:
    key = visit.login.pk
    return [
        ("User-Name", visit.login.login),
        ("Acct-Session-Id", visit.session_id),
        ("Framed-IP-Address", visit.address),
        ("Calling-Station-Id", f"02:C0:{key >> 16 & 255:02X}:{key >> 8 & 255:02X}:{key & 255:02X}:01"),
        ("NAS-Port-Id", "sfp-sfpplus1"),
    ]


def _counted(visit: Visit, status: int, age: timedelta) -> bytes:
    """What a packet says anew, as encode_attributes would write it, at a tenth of the price."""
    seconds = int(age.total_seconds())
    octets = visit.down * seconds // 86400
    up_wraps, up = divmod(octets // 9, 1 << 32)
    down_wraps, down = divmod(octets, 1 << 32)
    counted = COUNTERS.pack(
        keys.ACCT_STATUS_TYPE, 6, status,
        keys.ACCT_SESSION_TIME, 6, seconds,
        keys.ACCT_INPUT_OCTETS, 6, up,
        keys.ACCT_OUTPUT_OCTETS, 6, down,
        keys.ACCT_INPUT_GIGAWORDS, 6, up_wraps,
        keys.ACCT_OUTPUT_GIGAWORDS, 6, down_wraps,
    )  # fmt: skip
    return counted + USER_REQUEST if status == STOP else counted
