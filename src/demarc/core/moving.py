"""Two answers to the same login compared: ours, and that of the server that customers are moving in from.

Knows neither packets nor who gave them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

from demarc.core.addressing import Span

MEGA, KILO = 1_000_000, 1_000


class Rate(NamedTuple):
    """Bits per second from and to the customer; 0: no limit."""

    up: int
    down: int


NO_LIMIT = Rate(0, 0)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a login. `why` is told where it is known.

    `list_name`: the address list that the session is put into, "" for none. `address`: the very address that it gets;
    `spans`: where it is to come from, when only that is known; `framed_pool`: the router's own pool.
    """

    accepted: bool
    why: str = ""
    list_name: str = ""
    address: IPv4Address | None = None
    spans: tuple[Span, ...] = ()
    framed_pool: str = ""
    rate: Rate = NO_LIMIT


class Difference(NamedTuple):
    """One thing that is not the same, as words for people."""

    what: str
    ours: str
    theirs: str


def differences(ours: Answered, theirs: Answered) -> Iterator[Difference]:
    """What a customer would notice if our answer stood instead of theirs; nothing else is named when one rejects."""
    if ours.accepted != theirs.accepted:
        yield Difference("Answer", _verdict(ours), _verdict(theirs))
        return
    if not ours.accepted:
        return
    if ours.list_name != theirs.list_name:
        yield Difference("List", ours.list_name or "none", theirs.list_name or "none")
    if not _same_address(ours, theirs):
        yield Difference("Address", _address(ours), _address(theirs))
    if ours.rate != theirs.rate:
        yield Difference("Speed", _rate(ours.rate), _rate(theirs.rate))


def _same_address(ours: Answered, theirs: Answered) -> bool:
    if ours.spans and theirs.address is not None:
        return any(theirs.address in span for span in ours.spans)
    return (ours.address, ours.framed_pool, bool(ours.spans)) == (theirs.address, theirs.framed_pool, False)


def _verdict(answer: Answered) -> str:
    word = "accept" if answer.accepted else "reject"
    return f"{word}: {answer.why}" if answer.why else word


def _address(answer: Answered) -> str:
    if answer.address is not None:
        return str(answer.address)
    if answer.spans:
        return "one of " + ", ".join(f"{span.first} to {span.last}" for span in answer.spans)
    return f"the router's pool {answer.framed_pool}" if answer.framed_pool else "none named"


def _rate(rate: Rate) -> str:
    return f"{_short(rate.down)} down, {_short(rate.up)} up"


def _short(bits: int) -> str:
    if not bits:
        return "no limit"
    if bits % MEGA == 0:
        return f"{bits // MEGA} Mbit/s"
    return f"{bits // KILO} kbit/s" if bits % KILO == 0 else f"{bits} bit/s"
