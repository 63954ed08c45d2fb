"""The text of Mikrotik-Rate-Limit, written and read.

    rx[/tx] [rx-burst[/tx-burst] [rx-threshold[/tx-threshold] [rx-time[/tx-time] [priority [rx-min[/tx-min]]]]]]

rx is what the router receives: the customer's upload. Numbers are bits per second, k means 1,000 and M 1,000,000.
Knows the grammar of MikroTik's manual; must not know plans.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from .errors import Malformed

_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_NUMBER = re.compile(r"([0-9]{1,12})([kMG]?)")
LOWEST_PRIORITY = 8


class UpDown(NamedTuple):
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Burst:
    """`limit` may be used while the average over `time_s` is under `threshold`; both in bits per second."""

    limit: UpDown
    threshold: UpDown
    time_s: UpDown


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Speeds in bits per second, 0 for unlimited. `priority` 1 is served first, 8 last. `limit_at` is guaranteed."""

    rate: UpDown
    burst: Burst | None = None
    priority: int = LOWEST_PRIORITY
    limit_at: UpDown | None = None

    def __str__(self) -> str:
        words = [_pair(self.rate)]
        tail = self.limit_at is not None or self.priority != LOWEST_PRIORITY
        if self.burst:
            time = self.burst.time_s
            words += [_pair(self.burst.limit), _pair(self.burst.threshold), f"{time.up}/{time.down}"]
        elif tail:
            words += ["0/0"] * 3  # a later field needs all before it; zeros mean no burst
        if tail:
            words.append(str(self.priority))
        if self.limit_at is not None:
            words.append(_pair(self.limit_at))
        return " ".join(words)


def rate_limit(
    up_kbps: int,
    down_kbps: int,
    burst: Burst | None = None,
    priority: int = LOWEST_PRIORITY,
    limit_at_kbps: UpDown | None = None,
) -> str:
    """The text for a plan's speeds. Raises ValueError for what a router would refuse."""
    if min(up_kbps, down_kbps) < 0 or not 1 <= priority <= LOWEST_PRIORITY:
        raise ValueError("speeds are 0 or more, priorities 1 to 8")
    limit_at = limit_at_kbps and UpDown(limit_at_kbps.up * 1000, limit_at_kbps.down * 1000)
    rate = UpDown(up_kbps * 1000, down_kbps * 1000)
    if limit_at and any(0 < full < part for part, full in zip(limit_at, rate, strict=True)):
        raise ValueError("a guaranteed speed above the full speed")
    return str(RateLimit(rate, burst, priority, limit_at))


def parse_rate_limit(text: str) -> RateLimit:
    """Read the text with the router's defaults for what is left out. Raises Malformed."""
    words = text.split()
    if not 1 <= len(words) <= 6:
        raise Malformed("a rate limit has one to six fields")
    rate = _read(words[0])
    limit, threshold, time_s = (_read(word) for word in (words[1:4] + ["0"] * 3)[:3])
    burst = None
    if any(limit):
        burst = Burst(limit, threshold if len(words) > 2 else rate, time_s if len(words) > 3 else UpDown(1, 1))
    priority = _priority(words[4]) if len(words) > 4 else LOWEST_PRIORITY
    return RateLimit(rate, burst, priority, _read(words[5]) if len(words) > 5 else None)


def _priority(word: str) -> int:
    if word not in ("1", "2", "3", "4", "5", "6", "7", "8"):
        raise Malformed("a priority is 1 to 8")
    return int(word)


def _read(word: str) -> UpDown:
    up, slash, down = word.partition("/")
    return UpDown(_number(up), _number(down if slash else up))


def _number(word: str) -> int:
    match = _NUMBER.fullmatch(word)
    if match is None:
        raise Malformed(f"{word} is not a speed or a time")
    return int(match[1]) * _UNITS[match[2]]


def _pair(pair: UpDown) -> str:
    return f"{_short(pair.up)}/{_short(pair.down)}"


def _short(number: int) -> str:
    """Without G, which older routers do not read."""
    for unit in ("M", "k"):
        if number and number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]}{unit}"
    return str(number)
