"""What an order to a router has come to, and what is tried next. An order tells one session to change (CoA) or to end
(Disconnect); RFC 5176 says what may be answered. Knows no packet, no clock and no database.
"""

from enum import StrEnum
from typing import NamedTuple

SESSION_NOT_FOUND = 503
BUSY = frozenset({502, 505, 506, 507})
"""Error-Causes (RFC 5176 section 3.5) that say "not now": routing, a proxy, no resources, a request initiated."""

NOT_THIS_NAS = 403
UNANSWERED_MAX = 2
"""A change that was sent in vain so many times, each with all repetitions, is tried as a cut: routers take Disconnect
that ignore CoA. Not at the first time, since the change may have been made and only its answer lost."""


class Order(StrEnum):
    COA = "coa"
    DISCONNECT = "disconnect"


class State(StrEnum):
    """CONFIRMED: accounting shows it. GONE: there is no such session any more. LATER: refused for now. IGNORED: the
    router consented, but accounting shows that it did not do it."""

    QUEUED = "queued"
    SENT = "sent"
    ACK = "ack"
    CONFIRMED = "confirmed"
    NAK = "nak"
    LATER = "later"
    NO_ANSWER = "no_answer"
    GONE = "gone"
    IGNORED = "ignored"
    SUPERSEDED = "superseded"
    NOT_SENT = "not_sent"


class Verdict(NamedTuple):
    """`cut`: try a Disconnect of the session instead, now."""

    state: State
    cut: bool = False


def judge(order: Order, acknowledged: bool | None, error_cause: int | None, tries: int) -> Verdict:
    """What a router's answer means; `acknowledged` None: there was none, after `tries` rounds.

    A router that refuses a change as such (an attribute it does not know, a value it does not take) is told to cut the
    session: the next login is answered under the new state. Another NAS than the one meant (403) cuts nothing either.
    """
    if acknowledged:
        return Verdict(State.ACK)
    if acknowledged is None:
        return Verdict(State.NO_ANSWER, cut=order is Order.COA and tries >= UNANSWERED_MAX)
    if error_cause == SESSION_NOT_FOUND:
        return Verdict(State.GONE)
    if error_cause in BUSY:
        return Verdict(State.LATER)
    return Verdict(State.NAK, cut=order is Order.COA and error_cause != NOT_THIS_NAS)
