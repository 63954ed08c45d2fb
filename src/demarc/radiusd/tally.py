"""From journal records to what has to be written: sessions that last, sessions that ended, octets per service and hour.

Rows are dictionaries named as the table's columns, as `store_shipping` reads and writes them. The rules of a session
are core.sessions; here is only what a record and a row mean to them. No database.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from itertools import starmap
from socket import inet_aton
from typing import Any

from demarc.core import sessions
from demarc.core.sessions import Ending, Event, Reading, Session
from demarc.radiusd import records
from demarc.wire.radius import Packet, decode, keys

Row = dict[str, Any]
Key = tuple[int, int, str, str]

DELAY_MAX_S = 7 * 86400
"""A NAS that claims to have tried for longer is not believed."""

SESSION_TIME_MAX_S = 10 * 366 * 86400
"""A NAS that claims more knows nothing of how long it was."""

GIGAWORDS_MAX = 1 << 24
OCTETS_MAX = (1 << 62) - 1
"""Nonsense in a packet stays within what the columns hold."""

DRIFT_S = 5.0
"""How far the start that a session's times imply may lie before a restart and still be after it."""

TERMINATE_CAUSE_MAX = 32767

EVENTS = {event.value: event for event in Event}
RESTARTS = (Event.ON, Event.OFF)
"""Looked up for every record, and in the enumeration ten times slower to find."""

TEXTS = (
    ("calling_station", keys.CALLING_STATION_ID, 80),
    ("called_station", keys.CALLED_STATION_ID, 120),
    ("nas_port_id", keys.NAS_PORT_ID, 120),
)
PREFIXES = (("framed_ipv6_prefix", keys.FRAMED_IPV6_PREFIX), ("delegated_prefix", keys.DELEGATED_IPV6_PREFIX))
"""Columns, the attributes they are taken from, and how much of a text they hold."""


@dataclass(slots=True)
class Item:
    """A record made ready. `packet` None: not a packet but word that the session is over."""

    record: records.Record
    nas_id: int
    session_id: str
    user_name: str
    started: datetime
    at: datetime
    packet: Packet | None = None
    fact: sessions.Record | None = None

    @property
    def reboot(self) -> bool:
        return self.fact is not None and self.fact.event in RESTARTS

    def text(self, key: keys.Key, length_max: int) -> str | None:
        """What the NAS says under `key`, None when it does not say."""
        return self.packet.text(key)[:length_max] if self.packet and key in self.packet.first else None


@dataclass(slots=True)
class Held:
    """A session at work: its row, where that is, and core's state of it. `before`: octets counted as usage so far.
    `heard`: the record that spoke of it last."""

    row: Row
    session: Session
    live_id: int | None = None
    logged: bool = False
    before: tuple[int, int] = (0, 0)
    heard: Item | None = None

    @property
    def open(self) -> bool:
        return self.session.ended_at is None


@dataclass(frozen=True, slots=True)
class Boot:
    """How often a NAS has restarted, and when it last did."""

    epoch: int = 0
    at: datetime | None = None


def prepare(payload: bytes) -> Item | None:
    """Read a journal record; None for what is no news of a session. Raises ValueError for what is not ours.

    Takes from the packet only what is wanted here: to read all that it may say took as long as everything else.
    """
    record = records.decode(payload)
    if record.kind == records.CLOSED:
        session_id, user_name, started = records.read_closed(record.octets)
        return Item(record, record.nas_id, session_id[:128], user_name[:253], started, record.arrived)
    packet = decode(record.octets)
    event = EVENTS.get(packet.integer(keys.ACCT_STATUS_TYPE) or 0)
    session_id = packet.text(keys.ACCT_SESSION_ID)[:128]
    if event is None or packet.code != keys.ACCOUNTING_REQUEST or not (session_id or event in RESTARTS):
        return None
    at, delay_s = record.arrived, packet.integer(keys.ACCT_DELAY_TIME)
    if delay_s and delay_s <= DELAY_MAX_S:
        at -= timedelta(seconds=delay_s)
    session_time_s = packet.integer(keys.ACCT_SESSION_TIME) or 0
    if session_time_s > SESSION_TIME_MAX_S:
        session_time_s = 0
    started = at - timedelta(seconds=session_time_s)
    fact = _fact(packet, event, at, session_time_s)
    return Item(record, record.nas_id, session_id, packet.text(keys.USER_NAME)[:253], started, at, packet, fact)


def _fact(packet: Packet, event: Event, at: datetime, session_time_s: int) -> sessions.Record:
    raw = packet.first.get(keys.FRAMED_IP_ADDRESS)
    return sessions.Record(
        event,
        at,
        session_time_s,
        packet.integer(keys.ACCT_INPUT_OCTETS),
        packet.integer(keys.ACCT_OUTPUT_OCTETS),
        _gigawords(packet, keys.ACCT_INPUT_GIGAWORDS),
        _gigawords(packet, keys.ACCT_OUTPUT_GIGAWORDS),
        packet.integer(keys.ACCT_TERMINATE_CAUSE),
        IPv4Address(int.from_bytes(raw, "big")) if raw is not None and len(raw) == 4 else None,
        packet.text(keys.CALLING_STATION_ID),
    )


def _gigawords(packet: Packet, key: int) -> int | None:
    number = packet.integer(key)
    return number if number is None else min(number, GIGAWORDS_MAX)


def key_of(item: Item, boot: Boot) -> Key:
    """Which session a record is about: one that began before the NAS's last restart is of the epoch before it, though
    its id may be in use again. Clocks of NASes drift, so a long session is given some more room."""
    epoch = boot.epoch
    if boot.at is not None and item.started < boot.at:
        room = timedelta(seconds=DRIFT_S + (item.at - item.started).total_seconds() / 1000)
        epoch = max(epoch - (item.started + room < boot.at), 0)
    return (item.nas_id, epoch, item.session_id, item.user_name)


def choose(key: Key, boot: Boot, known: Container[Key]) -> Key:
    """`key`, unless it is of an epoch before and only the present one has such a session: a NAS whose Session-Time is
    nonsense speaks of that."""
    if key[1] == boot.epoch or key in known:
        return key
    now = (key[0], boot.epoch, *key[2:])
    return now if now in known else key


class Tally:
    """The sessions that some records are about, and what becomes of them. Fill with `put_live` and `put_logged`, then
    `add` the records in order."""

    def __init__(self) -> None:
        self.held: dict[Key, Held] = {}
        self.usage: dict[tuple[int, datetime], list[int]] = {}

    def put_live(self, row: Row) -> Key:
        """A session that is on, as the table has it."""
        session = _session(row, None)
        key = key_of_row(row)
        self.held[key] = Held(row, session, live_id=row["id"], before=(session.octets_in, session.octets_out))
        return key

    def put_logged(self, row: Row) -> None:
        """A session that has ended, unless the same is on: it came back."""
        key = key_of_row(row)
        known = self.held.get(key)
        if known is not None and known.live_id is not None:
            return
        session = _session(row, Ending(row["ending"]))
        self.held[key] = Held(row, session, logged=True, before=(session.octets_in, session.octets_out))

    def add(self, key: Key, item: Item) -> None:
        """Apply one record."""
        held = self.held.get(key)
        if item.fact is None:
            if held is not None and held.open:
                self.close(held)
            return
        session = sessions.apply(held.session if held else None, item.fact)
        if session is None:
            return
        if held is None:
            held = self.held[key] = Held(_new_row(key, item), session)
        held.session, held.heard = session, item
        if item.packet is not None:
            _note(held.row, item.packet, item.record)
        self._use(held, item.at)

    def reboot(self, at: datetime) -> None:
        """The NAS of all these sessions restarted."""
        for held in self.held.values():
            held.session = sessions.apply(held.session, sessions.Record(Event.ON, at)) or held.session

    def close(self, held: Held) -> None:
        """A session's address went to another: it is over."""
        held.session = sessions.close_stale(held.session)

    def give_way(self) -> None:
        """Of sessions here that are on with one address, the one that began last keeps it; the others are over."""
        latest: dict[tuple[int, IPv4Address], Held] = {}
        for held in sorted(filter(_is_open, self.held.values()), key=_began):
            address = held.session.framed_ipv4
            if address is not None:
                older = latest.get((held.row["vrf"], address))
                if older is not None:
                    self.close(older)
                latest[held.row["vrf"], address] = held

    def addresses(self) -> list[Row]:
        """The addresses that sessions are new on, to look for others that hold them."""
        return [
            {"vrf": held.row["vrf"], "address": str(address)}
            for held in self.held.values()
            if held.open
            and (address := held.session.framed_ipv4)
            and (held.live_id is None or str(address) != held.row["framed_ipv4"])
        ]

    def changed(self) -> list[tuple[Any, ...]]:
        """Of the rows of sessions that are on, what may have changed, in the order of store_shipping.UPDATED."""
        return [_changes(held) for held in self.held.values() if held.live_id is not None and held.open]

    def begun(self) -> list[Row]:
        """The rows of sessions that are on and that the table does not have yet."""
        return [_live_row(held) for held in self.held.values() if held.live_id is None and held.open]

    def ended(self) -> tuple[list[Row], list[Row]]:
        """The rows of sessions that are over: those of which the tables knew, those that they have never seen."""
        rows = [
            (held.logged or held.live_id is not None, _ended_row(held)) for held in self.held.values() if not held.open
        ]
        return [row for known, row in rows if known], [row for known, row in rows if not known]

    def gone(self) -> list[int]:
        """The ids of rows of ended sessions among the live ones."""
        return [held.live_id for held in self.held.values() if not held.open and held.live_id is not None]

    def told(self, among: Container[tuple[int, str, str]] | None = None) -> list[Row]:
        """What these records say of each session, to judge by it what routers were told (store_coa.PROVE).

        `among`: only of these, by NAS, session id and user name.
        """
        return [
            {
                "nas_id": key[0],
                "session_id": key[2],
                "user_name": key[3],
                "over": not held.open,
                "at": held.heard and held.heard.record.arrived.isoformat(),
                "list_name": held.heard and held.heard.text(keys.MIKROTIK_ADDRESS_LIST, 60),
                "rate_limit": held.heard and held.heard.text(keys.MIKROTIK_RATE_LIMIT, 120),
            }
            for key, held in self.held.items()
            if (held.heard or not held.open) and (among is None or (key[0], *key[2:]) in among)
        ]

    def usage_rows(self) -> list[Row]:
        """What each service used in each hour."""
        return [
            {"service_id": service, "hour": hour.isoformat(), "input_octets": octets[0], "output_octets": octets[1]}
            for (service, hour), octets in sorted(self.usage.items())
            if any(octets)
        ]

    def _use(self, held: Held, at: datetime) -> None:
        now = (held.session.octets_in, held.session.octets_out)
        service = held.row["service_id"]
        if now != held.before and service:
            hour = at.replace(minute=0, second=0, microsecond=0)
            total = self.usage.setdefault((service, hour), [0, 0])
            total[0] += min(now[0] - held.before[0], OCTETS_MAX)
            total[1] += min(now[1] - held.before[1], OCTETS_MAX)
        held.before = now


def split(items: Iterable[Item]) -> list[list[Item]]:
    """Runs of records; a NAS's restart is a run of its own, since it changes how what follows is read."""
    runs: list[list[Item]] = []
    alone = True
    for item in items:
        reboot = item.reboot
        if reboot or alone:
            runs.append([item])
        else:
            runs[-1].append(item)
        alone = reboot
    return runs


def key_of_row(row: Row) -> Key:
    return (row["nas_id"], row["boot_epoch"], row["session_id"], row["user_name"])


def _began(held: Held) -> datetime:
    return held.session.started_at


def _is_open(held: Held) -> bool:
    return held.open


def _session(row: Row, ending: Ending | None) -> Session:
    octets = (row["input_octets"], row["output_octets"])
    counting = row["counting"] or {}
    heard_at = datetime.fromisoformat(row["updated_at"] if ending is None else row["ended_at"])
    session = Session(
        started_at=datetime.fromisoformat(row["started_at"]),
        start_seen=counting.get("start_seen", True),
        updated_at=heard_at,
        session_time_s=row["session_time_s"],
        octets_in=octets[0],
        octets_out=octets[1],
        framed_ipv4=_address(row["framed_ipv4"]) if row["framed_ipv4"] else None,
        calling_station=row["calling_station"],
        readings=tuple(starmap(Reading, counting["readings"])) if counting else tuple(_last(row)),
        base_in=counting.get("base", octets)[0],
        base_out=counting.get("base", octets)[1],
        folded=counting.get("folded", True),
    )
    if ending is None:
        return session
    return session._replace(ended_at=heard_at, ending=ending, terminate_cause=row["terminate_cause"])


def _address(text: str) -> IPv4Address:
    """Of what PostgreSQL writes, which needs no looking over: a third of the time."""
    return IPv4Address(int.from_bytes(inet_aton(text), "big"))


def _new_row(key: Key, item: Item) -> Row:
    record = item.record
    return {
        "id": None,
        "nas_id": key[0],
        "boot_epoch": key[1],
        "session_id": key[2],
        "user_name": key[3],
        "partner_id": record.partner_id,
        "subscriber_id": record.subscriber_id or None,
        "service_id": record.service_id or None,
        "vrf": record.vrf,
        "list_name": record.list_name,
        "calling_station": "",
        "called_station": "",
        "nas_port_id": "",
        "event_at": None,
        "framed_ipv6_prefix": None,
        "delegated_prefix": None,
        "framed_ipv6": None,
        "counting": None,
    }


def _note(row: Row, packet: Packet, record: records.Record) -> None:
    """What a packet says besides what core.sessions keeps; what it does not say stays."""
    first = packet.first
    for name, key, length_max in TEXTS:
        if key in first and (text := packet.text(key)):
            row[name] = text[:length_max]
    for name, key in PREFIXES:
        if key in first and (prefix := packet.prefix(key)):
            row[name] = str(prefix)
    if address := packet.ipv6(keys.FRAMED_IPV6_ADDRESS):
        row["framed_ipv6"] = str(address)
    if moment := packet.moment(keys.EVENT_TIMESTAMP):
        row["event_at"] = moment.isoformat()
    row["subscriber_id"] = row["subscriber_id"] or record.subscriber_id or None
    row["service_id"] = row["service_id"] or record.service_id or None


def _row(held: Held) -> Row:
    """The columns that both tables have."""
    session = held.session
    return held.row | {
        "id": held.live_id,
        "started_at": session.started_at.isoformat(),
        "framed_ipv4": str(session.framed_ipv4) if session.framed_ipv4 else None,
        "session_time_s": session.session_time_s,
        "input_octets": min(session.octets_in, OCTETS_MAX),
        "output_octets": min(session.octets_out, OCTETS_MAX),
    }


def _changes(held: Held) -> tuple[Any, ...]:
    """As `_live_row`, without what stays as it is: for interims, which are nearly all that comes."""
    session, row = held.session, held.row
    return (
        held.live_id,
        session.started_at.isoformat(),
        session.updated_at.isoformat(),
        row["event_at"],
        session.framed_ipv4,
        row["framed_ipv6_prefix"],
        row["delegated_prefix"],
        row["framed_ipv6"],
        session.session_time_s,
        min(session.octets_in, OCTETS_MAX),
        min(session.octets_out, OCTETS_MAX),
        any(reading.wide for reading in session.readings),
        _counting(session),
    )


def _live_row(held: Held) -> Row:
    session = held.session
    row = _row(held)
    row["updated_at"] = session.updated_at.isoformat()
    row["list_name"] = row.get("list_name") or ""
    row["gigawords_seen"] = any(reading.wide for reading in session.readings)
    row["counting"] = _counting(session)
    return row


def _ended_row(held: Held) -> Row:
    session = held.session
    row = _row(held)
    row["ended_at"] = (session.ended_at or session.updated_at).isoformat()
    row["ending"] = (session.ending or Ending.STALE).value
    row["terminate_cause"] = min(session.terminate_cause or 0, TERMINATE_CAUSE_MAX)
    if held.logged:
        row["started_at"] = held.row["started_at"]  # the row to amend is known by it
    told = session.ending is Ending.STOP and [(*last[:3], False) for last in session.readings[-1:]] == _last(row)
    row["counting"] = None if told else _counting(session)  # for nearly all it can be told from the row
    return row


def _counting(session: Session) -> Row:
    return {
        "start_seen": session.start_seen,
        "base": [session.base_in, session.base_out],
        "folded": session.folded,
        "readings": session.readings,
    }


def _last(row: Row) -> list[Reading]:
    """The last reading of counters that were never reset and never went round."""
    return [Reading(row["session_time_s"], row["input_octets"], row["output_octets"], wide=False)]
