"""How messages leave the outbox. Each is claimed, handed over and marked in transactions of their own.

A worker that dies in between leaves the row in state sending. After CLAIM_LASTS a mail goes out again under its
old Message-ID; an SMS has no such id, so it fails, saying that nobody knows: nothing is lost, nothing doubled unseen.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.seal import Unsealable
from demarc.base.vault import open_for_messages
from demarc.core.errors import Refused, Unreachable
from demarc.messages import attachments, checks, mail, queries, sms
from demarc.messages.accounts import mail_account
from demarc.messages.kinds import KINDS, SMS, TEST
from demarc.messages.models import Message, Rules, SmsGateway, State
from demarc.messages.troubles import Doubtful, NotNow, Rejected, outside

BATCH = 50
TURN = timedelta(seconds=45)
"""How long one job sends before it lets others work."""
CLAIM_LASTS = timedelta(minutes=10)
LANES_MAX = 200
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 480))
TRIES_MAX = len(WAITS) + 1
TOKEN = "messages_smsgateway.token.{}"  # noqa: S105 - the place it is sealed for
UNKNOWN_FATE = "The worker ended while it was sending this; nobody knows whether it left. Send it again if need be."

LANES = """
SELECT DISTINCT partner_id, channel FROM messages_message
WHERE state IN ('waiting', 'sending') AND not_before <= %(at)s ORDER BY partner_id, channel LIMIT %(most)s
"""

TAKE_UP = """
UPDATE messages_message SET
    state = CASE WHEN channel = 'sms' OR attempts >= %(tries)s THEN 'failed' ELSE 'waiting' END,
    ended_at = CASE WHEN channel = 'sms' OR attempts >= %(tries)s THEN %(at)s ELSE ended_at END,
    trouble = %(trouble)s, claimed_at = NULL
WHERE state = 'sending' AND claimed_at < %(lost)s RETURNING id
"""

CLAIM = """
UPDATE messages_message SET state = 'sending', claimed_at = %(at)s, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM messages_message
    WHERE partner_id = %(partner)s AND channel = %(channel)s AND state = 'waiting' AND not_before <= %(at)s
    ORDER BY not_before, id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""

Send = Callable[[Message, datetime], None]


class Lane(NamedTuple):
    """What goes over one connection."""

    partner_id: int
    channel: str


def send_waiting(*, by: Actor, now: Callable[[], datetime]) -> Counter[str]:
    """Send what is due, provider by provider and channel by channel, for at most TURN: how many reached which state.

    Not to be called in a transaction: what was handed over is marked at once. May run several times at once. Each
    batch has one operation-log row. Never refused; trouble is written on the message.
    """
    tally: Counter[str] = Counter()
    began = now()
    _take_up(at=began)
    for lane in _lanes(began):
        while now() - began < TURN:
            claimed = _claim(lane, at=now())
            if not claimed:
                break
            done = _send_batch(lane, claimed, now)
            told = {"channel": lane.channel, **done}
            log.record("sent", by=by, at=now(), subject=("messages", None), partner_id=lane.partner_id, **told)
            tally += done
            if done[State.WAITING]:  # it does not go well; the next turn is early enough
                break
    return tally


def _take_up(*, at: datetime) -> int:
    """Bring back, or give up, what a dead worker left in its hands."""
    facts: dict[str, Any] = {"at": at, "lost": at - CLAIM_LASTS, "tries": TRIES_MAX, "trouble": UNKNOWN_FATE}
    with connection.cursor() as cursor:
        cursor.execute(TAKE_UP, facts)
        return len(cursor.fetchall())


def _lanes(at: datetime) -> list[Lane]:
    with connection.cursor() as cursor:
        cursor.execute(LANES, {"at": at, "most": LANES_MAX})
        return [Lane(*row) for row in cursor.fetchall()]


def _claim(lane: Lane, *, at: datetime) -> list[Message]:
    facts: dict[str, Any] = {"at": at, "partner": lane.partner_id, "channel": lane.channel, "most": BATCH}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, facts)
        claimed = [row[0] for row in cursor.fetchall()]
    found = Message.objects.filter(pk__in=claimed).select_related("partner", "account", "customer")
    return list(found.order_by("not_before", "id"))


def _send_batch(lane: Lane, claimed: Sequence[Message], now: Callable[[], datetime]) -> Counter[str]:
    """The claimed messages, over one connection that is opened when the first one really goes."""
    rules = queries.rules_of([lane.partner_id])[lane.partner_id]
    states = [(message, _held_back(message, rules, now())) for message in claimed]
    done = Counter(state for _, state in states if state)
    going = deque(message for message, state in states if not state)
    until = now() + CLAIM_LASTS / 2
    try:
        if going:
            with _door(lane) as send:
                while going and now() < until:
                    done[_send_one(going[0], send, now)] += 1
                    going.popleft()
    except Unreachable as error:
        done.update(_later(message, str(error), now()) for message in going)
    except Refused as error:
        done.update(_end(message, State.FAILED, error.message, now()) for message in going)
    else:
        for message in going:  # out of time; another turn goes on with them
            _release(message, now())
    return done


def _held_back(message: Message, rules: Rules, at: datetime) -> str:
    """The state of a message that does not go out now; empty when it does."""
    kind = KINDS[message.kind]
    if message.expires_at <= at:
        return _end(message, State.FAILED if message.trouble else State.DROPPED, message.trouble or "Too late.", at)
    if rules.dry_run and kind is not TEST:
        return _end(message, State.DRY_RUN, "", at)
    if why := checks.untrue(message, at):
        return _end(message, State.DROPPED, why, at)
    zone = queries.zone_of(message.account, message.partner)
    quiet = queries.quiet_until(rules, message.channel, zone, at) if kind.quiet else None
    return _release(message, quiet) if quiet else ""


def _send_one(message: Message, send: Send, now: Callable[[], datetime]) -> str:
    """Hand one over and mark it. Raises Unreachable when the connection is of no more use."""
    try:
        send(message, now())
    except (Rejected, Doubtful) as error:
        return _end(message, State.FAILED, str(error), now())
    except Refused as error:  # an attachment that is not to be had
        return _end(message, State.FAILED, error.message, now())
    except NotNow as error:
        return _later(message, str(error), now())
    return mark_sent(message, at=now())


@contextmanager
def _door(lane: Lane) -> Iterator[Send]:
    """How one message leaves. Refused: nothing is set up, or its secret cannot be opened. Unreachable: nobody there."""
    try:
        if lane.channel == SMS:
            gateway = _gateway(lane.partner_id)
        else:
            account = mail_account(lane.partner_id)
    except (ObjectDoesNotExist, Unsealable) as error:
        raise Refused("Its server or gateway is not set up, or its secret must be typed anew.") from error
    if lane.channel == SMS:
        yield lambda message, _: sms.send(
            gateway, to=message.recipient, text=message.text, message_id=message.public_id.hex
        )
        return
    with mail.MailSession(account) as session:
        yield lambda message, at: session.send(_letter(message, at))


def _letter(message: Message, at: datetime) -> mail.Letter:
    return mail.Letter(
        to=message.recipient,
        subject=message.subject,
        text=message.text,
        html=message.html,
        local_id=message.public_id.hex,
        at=at,
        attachments=attachments.rendered(message.attachments, message.partner_id),
    )


def _gateway(partner_id: int) -> sms.Gateway:
    row = SmsGateway.objects.get(partner_id=partner_id)
    return sms.Gateway(
        method=row.method,
        url=row.url,
        headers=row.headers,
        body_form=row.body_form,
        body=row.body,
        sender=row.sender,
        success_text=row.success_text,
        loopback=row.loopback and queries.loopback_allowed(),
        token=open_for_messages(bytes(row.token), TOKEN.format(partner_id)) if row.token else "",
    )


def mark_sent(message: Message, *, at: datetime) -> str:
    """Write down that it was taken: the moment between the server's word and this one is the only one that can repeat
    a mail."""
    return _end(message, State.SENT, "", at)


def _later(message: Message, why: str, at: datetime) -> str:
    """Try again after a wait that grows, or give up."""
    if message.attempts >= TRIES_MAX:
        return _end(message, State.FAILED, why, at)
    return _put(message, state=State.WAITING, trouble=outside(why), not_before=at + WAITS[message.attempts - 1])


def _release(message: Message, not_before: datetime) -> str:
    """Back into the outbox, untried."""
    return _put(message, state=State.WAITING, attempts=message.attempts - 1, not_before=not_before)


def _end(message: Message, state: State, why: str, at: datetime) -> str:
    return _put(message, state=state, trouble=outside(why), ended_at=at)


def _put(message: Message, **columns: Any) -> str:
    """Let go of a claim; one that somebody else has taken up since stays his."""
    ours = Message.objects.filter(pk=message.pk, state=State.SENDING, claimed_at=message.claimed_at)
    ours.update(claimed_at=None, **columns)
    return str(columns["state"])
