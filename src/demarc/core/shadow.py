"""Requests of the past answered again by other rules, before those are in force. Knows no tables and no packets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from demarc.core.access import Accept, Policy, Reject, Request, Subscriber, decide


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request and what it was decided by. `id` is the recorder's own; `subscriber`: as he stands now."""

    id: int
    at: datetime
    request: Request
    subscriber: Subscriber | None
    open_sessions: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the customer meets: the answer, and the port of his page when he is limited (0: none)."""

    answer: Accept | Reject
    page_port: int


@dataclass(frozen=True, slots=True)
class Change:
    """A request whose answer would be another."""

    recorded: Recorded
    before: Seen
    after: Seen


def replay(
    recorded: Iterable[Recorded], before: Policy, after: Policy, *, session_limit: int | None = None
) -> Iterator[Change]:
    """Those that would be answered in another way under `after`; nothing when both policies say the same.

    `session_limit`: how many sessions at once everybody would have; None: as each has now.
    """
    for one in recorded:
        subscriber = one.subscriber
        was = _seen(one, subscriber, before)
        if subscriber is not None and session_limit is not None:
            subscriber = subscriber._replace(simultaneous=session_limit)
        would_be = _seen(one, subscriber, after)
        if was != would_be:
            yield Change(one, was, would_be)


def _seen(one: Recorded, subscriber: Subscriber | None, policy: Policy) -> Seen:
    answer = decide(one.request, subscriber, policy, one.open_sessions, one.at)
    rule = policy.rules.get(answer.cause) if isinstance(answer, Accept) and answer.cause is not None else None
    return Seen(answer, rule.page_port if rule else 0)
