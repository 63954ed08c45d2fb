"""The same accounting packets in any order, doubled, delayed and cut into batches at any place: the same totals.

The reference counts nothing: the last counters that each session's NAS had are what was used.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, count

from hypothesis import given
from hypothesis import strategies as st

from demarc.core.sessions import WINDOW
from demarc.radiusd import records, tally
from demarc.radiusd.store_shipping import UPDATED
from demarc.radiusd.tally import Boot, Tally
from demarc.wire.radius import Secret, accounting_request, encode_attributes

BEGUN = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECRET = Secret(b"testing123")
STATUS = {"Start": 1, "Stop": 2, "Interim-Update": 3}
SERVICES = (11, 12)


class Store:
    """What the tables hold between batches, as the shipper's statements leave them."""

    def __init__(self) -> None:
        self.live: dict[tally.Key, dict] = {}
        self.logged: dict[tally.Key, dict] = {}
        self.usage: dict[int, list[int]] = {service: [0, 0] for service in SERVICES}
        self._ids = count(1)

    def apply(self, payloads: list[bytes]) -> None:
        work, boot = Tally(), Boot()
        for row in self.live.values():
            work.put_live(stored(row))
        for key, row in self.logged.items():
            if key not in self.live:
                work.put_logged(stored(row))
        for payload in payloads:
            item = tally.prepare(payload)
            work.add(tally.choose(tally.key_of(item, boot), boot, work.held), item)
        by_id = {row["id"]: row for row in self.live.values()}
        for values in work.changed():
            by_id[values[0]].update(zip(UPDATED, values, strict=True))
        for row in work.begun():
            self.live[tally.key_of_row(row)] = row | {"id": next(self._ids)}
        for row in chain(*work.ended()):
            key = tally.key_of_row(row)
            self.live.pop(key, None)
            self.logged[key] = row
        for row in work.usage_rows():
            self.usage[row["service_id"]][0] += row["input_octets"]
            self.usage[row["service_id"]][1] += row["output_octets"]

    def totals(self) -> dict[str, tuple[int, int, int, bool]]:
        """Octets, seconds, and whether it is over, by session."""
        rows = [(row, False) for row in self.live.values()] + [(row, True) for row in self.logged.values()]
        return {
            row["session_id"]: (row["input_octets"], row["output_octets"], row["session_time_s"], over)
            for row, over in rows
        }


def stored(row: dict) -> dict:
    return json.loads(json.dumps(row, default=str))


@dataclass(frozen=True)
class Told:
    """One packet of one session."""

    session: int
    status: str
    seconds: int
    up: int
    down: int

    def payload(self, delay_s: int) -> bytes:
        attributes = {
            "Acct-Status-Type": STATUS[self.status], "Acct-Session-Id": f"s{self.session}", "User-Name": "ana",
            "Acct-Session-Time": self.seconds, "Acct-Delay-Time": delay_s,
            "Acct-Input-Octets": self.up % 2**32, "Acct-Input-Gigawords": self.up >> 32,
            "Acct-Output-Octets": self.down % 2**32, "Acct-Output-Gigawords": self.down >> 32,
        }  # fmt: skip
        arrived = BEGUN + timedelta(seconds=self.session * 7 + self.seconds + delay_s)
        octets = accounting_request(1, encode_attributes(attributes.items()), SECRET)
        whose = (1, 1, 1, SERVICES[self.session % len(SERVICES)], 0, "")
        return records.encode(records.Record(records.PACKET, records.microseconds(arrived), *whose, octets))


growths = st.lists(
    st.tuples(st.integers(1, 900), st.integers(0, 2**33), st.integers(0, 2**33)), min_size=1, max_size=WINDOW - 1
)
sessions = st.lists(st.tuples(growths, st.booleans()), min_size=1, max_size=4)


def packets_of(session: int, growth, stopped: bool) -> list[Told]:
    packets, seconds, up, down = [Told(session, "Start", 0, 0, 0)], 0, 0, 0
    for number, (more_s, more_up, more_down) in enumerate(growth):
        seconds, up, down = seconds + more_s, up + more_up, down + more_down
        last = stopped and number == len(growth) - 1
        packets.append(Told(session, "Stop" if last else "Interim-Update", seconds, up, down))
    return packets


@given(sessions=sessions, data=st.data())
def test_any_order_doubling_and_delay_of_the_same_packets_gives_the_same_totals(sessions, data):
    told = [packet for number, one in enumerate(sessions) for packet in packets_of(number, *one)]
    doubled = told + data.draw(st.lists(st.sampled_from(told), max_size=6))
    order = data.draw(st.permutations(doubled))
    delays = data.draw(st.lists(st.integers(0, 3600), min_size=len(order), max_size=len(order)))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=4)))
    payloads = [packet.payload(delay) for packet, delay in zip(order, delays, strict=True)]
    store = Store()
    for first, last in zip([0, *cuts], [*cuts, len(payloads)], strict=True):
        store.apply(payloads[first:last])
    last_told = {number: packets_of(number, *one)[-1] for number, one in enumerate(sessions)}
    assert store.totals() == {
        f"s{number}": (packet.up, packet.down, packet.seconds, packet.status == "Stop")
        for number, packet in last_told.items()
    }
    assert store.usage == {
        service: [sum(p.up for p in mine), sum(p.down for p in mine)]
        for service in SERVICES
        for mine in [[p for p in last_told.values() if SERVICES[p.session % len(SERVICES)] == service]]
    }
