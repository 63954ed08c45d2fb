"""From journal records to what has to be written: sessions that last, sessions that ended, octets per service and hour.

Rows are dictionaries named as the table's columns, as `store_shipping` reads and writes them. The rules of a session
are core.sessions; here is only what a record and a row mean to them. No database.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import Any

from demarc.core import sessions
from demarc.core.sessions import Ending, Event, Reading, Session
from demarc.radiusd import records
from demarc.wire.radius import AccountingRecord, Packet, decode, keys, parse_accounting

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


@dataclass(slots=True)
class Item:
    """A record made ready. `said` None: not a packet but word that the session is over. `list_name` and `rate_limit`:
    what the NAS says the session has, None when it does not say."""

    record: records.Record
    nas_id: int
    session_id: str
    user_name: str
    started: datetime
    at: datetime
    said: AccountingRecord | None = None
    fact: sessions.Record | None = None
    list_name: str | None = None
    rate_limit: str | None = None

    @property
    def reboot(self) -> bool:
        return self.fact is not None and self.fact.event in (Event.ON, Event.OFF)


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
    """Read a journal record; None for what is no news of a session. Raises ValueError for what is not ours."""
    record = records.decode(payload)
    if record.kind == records.CLOSED:
        session_id, user_name, started = records.read_closed(record.octets)
        return Item(record, record.nas_id, session_id[:128], user_name[:253], started, record.arrived)
    packet = decode(record.octets)
    said = parse_accounting(packet)
    if said.status not in Event._value2member_map_:
        return None
    at = record.arrived - timedelta(seconds=said.delay_s if said.delay_s <= DELAY_MAX_S else 0)
    if said.session_time_s > SESSION_TIME_MAX_S:
        said = said._replace(session_time_s=0)
    started = at - timedelta(seconds=said.session_time_s)
    return Item(
        record, record.nas_id, said.session_id[:128], said.user_name[:253], started, at, said,
        _fact(packet, said, at), _text(packet, keys.MIKROTIK_ADDRESS_LIST, 60),
        _text(packet, keys.MIKROTIK_RATE_LIMIT, 120),
    )  # fmt: skip


def _text(packet: Packet, key: keys.Key, length_max: int) -> str | None:
    return packet.text(key)[:length_max] if key in packet.first else None


def _fact(packet: Packet, said: AccountingRecord, at: datetime) -> sessions.Record:
    return sessions.Record(
        event=Event(said.status),
        at=at,
        session_time_s=said.session_time_s,
        octets_in=packet.integer(keys.ACCT_INPUT_OCTETS),
        octets_out=packet.integer(keys.ACCT_OUTPUT_OCTETS),
        giga_in=_gigawords(packet, keys.ACCT_INPUT_GIGAWORDS),
        giga_out=_gigawords(packet, keys.ACCT_OUTPUT_GIGAWORDS),
        terminate_cause=said.terminate_cause,
        framed_ipv4=said.framed_ipv4,
        calling_station=said.calling_station_id,
    )


def _gigawords(packet: Packet, key: int) -> int | None:
    number = packet.integer(key)
    return number if number is None else min(number, GIGAWORDS_MAX)


def key_of(item: Item, boot: Boot) -> Key:
    """Which session a record is about: one that began before the NAS's last restart is of the epoch before it, though
    its id may be in use again. Clocks of NASes drift, so a long session is given some more room."""
    room = timedelta(seconds=DRIFT_S + (item.at - item.started).total_seconds() / 1000)
    before = boot.at is not None and item.started + room < boot.at
    return (item.nas_id, max(boot.epoch - before, 0), item.session_id, item.user_name)


def choose(key: Key, boot: Boot, known: Container[Key]) -> Key:
    """`key`, unless it is of an epoch before and only the present one has such a session: a NAS whose Session-Time is
    nonsense speaks of that."""
    now = (key[0], boot.epoch, *key[2:])
    return now if key not in known and now in known else key


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
        if item.said is not None:
            _note(held.row, item.said, item.record)
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

    def lasting(self) -> tuple[list[Row], list[Row]]:
        """The rows of sessions that are on: those to update, those to insert."""
        rows = [(held.live_id, _row(held)) for held in self.held.values() if held.open]
        return [row for live_id, row in rows if live_id is not None], [row for live_id, row in rows if live_id is None]

    def ended(self) -> list[Row]:
        """The rows of sessions that are over."""
        return [_ended_row(held) for held in self.held.values() if not held.open]

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
                "list_name": held.heard and held.heard.list_name,
                "rate_limit": held.heard and held.heard.rate_limit,
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
    for item in items:
        if item.reboot or not runs or runs[-1][0].reboot:
            runs.append([item])
        else:
            runs[-1].append(item)
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
        framed_ipv4=IPv4Address(row["framed_ipv4"]) if row["framed_ipv4"] else None,
        calling_station=row["calling_station"],
        readings=tuple(Reading(*reading) for reading in counting["readings"]) if counting else tuple(_last(row)),
        base_in=counting.get("base", octets)[0],
        base_out=counting.get("base", octets)[1],
        folded=counting.get("folded", True),
    )
    if ending is None:
        return session
    return session._replace(ended_at=heard_at, ending=ending, terminate_cause=row["terminate_cause"])


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


def _note(row: Row, said: AccountingRecord, record: records.Record) -> None:
    """What a packet says besides what core.sessions keeps; what it does not say stays."""
    found = {
        "calling_station": said.calling_station_id[:80],
        "called_station": said.called_station_id[:120],
        "nas_port_id": said.nas_port_id[:120],
        "event_at": said.event_timestamp and said.event_timestamp.isoformat(),
        "framed_ipv6_prefix": said.framed_ipv6_prefix and str(said.framed_ipv6_prefix),
        "delegated_prefix": said.delegated_prefix and str(said.delegated_prefix),
        "framed_ipv6": said.framed_ipv6 and str(said.framed_ipv6),
        "subscriber_id": row["subscriber_id"] or record.subscriber_id,
        "service_id": row["service_id"] or record.service_id,
    }
    row.update({name: value for name, value in found.items() if value})


def _row(held: Held) -> Row:
    session = held.session
    return held.row | {
        "id": held.live_id,
        "started_at": session.started_at.isoformat(),
        "updated_at": session.updated_at.isoformat(),
        "framed_ipv4": str(session.framed_ipv4) if session.framed_ipv4 else None,
        "session_time_s": session.session_time_s,
        "input_octets": min(session.octets_in, OCTETS_MAX),
        "output_octets": min(session.octets_out, OCTETS_MAX),
        "gigawords_seen": any(reading.wide for reading in session.readings),
        "list_name": held.row.get("list_name") or "",
        "counting": {
            "start_seen": session.start_seen,
            "base": [session.base_in, session.base_out],
            "folded": session.folded,
            "readings": session.readings,
        },
    }


def _ended_row(held: Held) -> Row:
    session = held.session
    row = _row(held)
    row["ended_at"] = (session.ended_at or session.updated_at).isoformat()
    row["ending"] = (session.ending or Ending.STALE).value
    row["terminate_cause"] = min(session.terminate_cause or 0, TERMINATE_CAUSE_MAX)
    if held.logged:
        row["started_at"] = held.row["started_at"]  # the row to amend is known by it
    if session.ending is Ending.STOP and [last._replace(wide=False) for last in session.readings[-1:]] == _last(row):
        row["counting"] = None  # it can be told from the row, as for nearly all
    return row


def _last(row: Row) -> list[Reading]:
    """The last reading of counters that were never reset and never went round."""
    return [Reading(row["session_time_s"], row["input_octets"], row["output_octets"], wide=False)]
