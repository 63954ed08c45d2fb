"""What must be true when all is quiet again: everything acknowledged is there, once, and nothing is left behind.

Holds what clients remember against the database by plain SQL, and against the answers of the doors. Knows none of the
code that it judges.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tests.sim.nas import PretendNas

from bench.campaigns.clients import Book, Session, log_in
from bench.campaigns.ground import Ground, children, wait

PAYMENTS = "SELECT comment, account_id, amount, number FROM billing_payment WHERE comment <> ''"
PAID = """
SELECT account_id, sum(amount), count(*) FROM billing_transfer WHERE kind = 'payment' AND key NOT LIKE '%%:bench:%%'
GROUP BY account_id
"""

SESSIONS = """
SELECT host(n.address), s.session_id, s.on, s.input_octets, s.output_octets, s.service_id FROM (
    SELECT nas_id, session_id, true AS on, input_octets, output_octets, service_id FROM access_sessionlive
    UNION ALL
    SELECT nas_id, session_id, false, input_octets, output_octets, service_id FROM access_sessionlog
) s JOIN access_nas n ON n.id = s.nas_id
"""
USAGE = "SELECT service_id, sum(input_octets), sum(output_octets) FROM access_usage GROUP BY service_id"

UNDECIDED = """
SELECT p.account_id, p.decided_through, d.days, d.first, d.last
FROM billing_prepaidstate p
LEFT JOIN (
    SELECT account_id, count(*) AS days, min(day) AS first, max(day) AS last
    FROM billing_daydecision GROUP BY account_id
) d ON d.account_id = p.account_id
WHERE p.decided_through <> %(day)s OR d.last <> %(day)s OR d.first <> %(first)s OR d.days <> d.last - d.first + 1
    OR d.days IS NULL
"""
CHARGED_TWICE = """
SELECT account_id, day, count(DISTINCT entry_id) FROM billing_transfer WHERE kind = 'charge'
GROUP BY account_id, day HAVING count(DISTINCT entry_id) > 1
"""
UNFINISHED_DAY = "SELECT day FROM billing_billingday WHERE finished_at IS NULL"

PARKED = "SELECT account_id, parked_reason FROM billing_prepaidstate WHERE parked_at IS NOT NULL"
FAILED_JOBS = "SELECT id, task_name, status FROM procrastinate_jobs WHERE status NOT IN ('todo', 'succeeded')"
HANGING = """
SELECT pid, state, query FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND state_change < now() - interval '5 seconds'
"""
OUT_OF_STEP = """
SELECT s.login, s.cause, v.blocked_cause, s.active, v.state
FROM access_subscriber s JOIN plans_service v ON v.id = s.service_id
WHERE s.cause IS DISTINCT FROM v.blocked_cause OR s.active <> (v.state = 'active')
"""
CAUSES = "SELECT s.login, v.blocked_cause FROM access_subscriber s JOIN plans_service v ON v.id = s.service_id"

ANSWER_S = 10.0
"""How long the answers of radiusd may lag behind the database once all is quiet."""


def findings(ground: Ground, book: Book, nases: Sequence[PretendNas], days: tuple[Any, Any]) -> list[str]:
    """What is wrong, in words. `days`: the first and the last that had to be decided."""
    return [
        *payments(ground, book),
        *accounting(ground, book),
        *decisions(ground, *days),
        *left_behind(ground, nases),
        *answers(ground, nases),
        *books(ground),
    ]


def payments(ground: Ground, book: Book) -> Iterator[str]:
    """Every acknowledged payment is there once, with its amount; none is there that nobody sent."""
    sent = {payment.key: payment for payment in book.payments}
    found = Counter(key for key, *_ in ground.ask(PAYMENTS))
    for key, account_id, amount, number in ground.ask(PAYMENTS):
        payment = sent.get(key)
        if payment is None:
            yield f"payment {key} of account {account_id} was sent by nobody"
        elif (account_id, amount) != (payment.account_id, payment.amount):
            yield f"payment {key} is {amount} to account {account_id}; sent was {payment}"
        elif payment.number and payment.number != number:
            yield f"payment {key} has the number {number}; acknowledged was {payment.number}"
    for key, times in found.items():
        if times > 1:
            yield f"payment {key} is there {times} times"
    for key, payment in sent.items():
        if payment.number and not found[key]:
            yield f"payment {key} was acknowledged as {payment.number} and is lost"
    owed: Counter[int] = Counter()
    for key, payment in sent.items():
        owed[payment.account_id] += payment.amount if found[key] else 0
    for account_id, total, times in ground.ask(PAID):
        if owed.pop(account_id, 0) != total:
            yield f"the ledger has {total} in {times} payments of account {account_id}; its payments say otherwise"
    for account_id, total in owed.items():
        if total:
            yield f"the ledger lacks {total} of account {account_id}"


def accounting(ground: Ground, book: Book) -> Iterator[str]:
    """Every session has the octets that its NAS was acknowledged, and is there once; usage adds up."""
    rows = ground.ask(SESSIONS)
    told = {(session.nas, session.id): session for session in book.sessions}
    on = {(nas, number): row for nas, number, live, *row in rows if live}
    past: dict[tuple[str, str], list[Any]] = {}
    for nas, number, live, *row in rows:
        if (nas, number) not in told:
            yield f"session {number} of {nas} was told by nobody"
        elif not live and (nas, number) in past:
            yield f"session {number} of {nas} is in the history twice"
        elif not live:
            past[nas, number] = row
    for key, session in told.items():
        yield from _one_session(session, on.get(key), past.get(key))
    used: dict[int, list[int]] = {}
    for session in book.sessions:
        total = used.setdefault(session.login["service"], [0, 0])
        total[0] += session.octets_in
        total[1] += session.octets_out
    counted = {service: [int(octets_in), int(octets_out)] for service, octets_in, octets_out in ground.ask(USAGE)}
    for service in used.keys() | counted.keys():
        if used.get(service, [0, 0]) != counted.get(service, [0, 0]):
            yield f"usage of service {service} is {counted.get(service)}; told was {used.get(service)}"


def _one_session(session: Session, on: list[Any] | None, past: list[Any] | None) -> Iterator[str]:
    name = f"session {session.id} of {session.nas}"
    if on is None and past is None:
        yield f"{name} was acknowledged and is lost"
    elif session.stopped and (on is not None or past is None):
        yield f"{name} has ended and is still on"
    elif not session.stopped and on is None:
        yield f"{name} is on and is not among those that are"
    else:
        octets = (past if session.stopped else on or [])[:2]
        if octets != [session.octets_in, session.octets_out]:
            yield f"{name} has {octets} octets; acknowledged were {[session.octets_in, session.octets_out]}"


def decisions(ground: Ground, first: Any, last: Any) -> Iterator[str]:
    """Each day of each account is decided once, and charged once at most."""
    for account_id, through, count, since, until in ground.ask(UNDECIDED, first=first, day=last):
        yield f"account {account_id} is decided through {through}: {count} days from {since} to {until}"
    for account_id, day, times in ground.ask(CHARGED_TWICE):
        yield f"account {account_id} is charged {times} times for {day}"
    for (day,) in ground.ask(UNFINISHED_DAY):
        yield f"the run of {day} was never finished"


def left_behind(ground: Ground, nases: Sequence[PretendNas]) -> Iterator[str]:
    """No parked account, no job that is stuck or failed, no hanging transaction, nothing that waits for ever."""
    for account_id, reason in ground.ask(PARKED):
        yield f"account {account_id} is parked: {reason}"
    for number, task, state in ground.ask(FAILED_JOBS):
        yield f"job {number} ({task}) is {state}"
    for pid, state, query in ground.ask(HANGING):
        yield f"backend {pid} is {state}: {query}"
    radiusd = ground.pid("radiusd")
    if radiusd is None or len(children(radiusd)) != 1:
        yield "radiusd has not exactly one child, the shipper"
    for login, cause, wanted, active, state in ground.ask(OUT_OF_STEP):
        yield f"login {login} is projected as ({cause}, {active}); its service is ({wanted}, {state})"


def answers(ground: Ground, nases: Sequence[PretendNas]) -> Iterator[str]:
    """radiusd answers everybody by the state that the database has."""
    server = ("127.0.0.1", ground.demarc.ports["auth"])
    causes = dict(ground.ask(CAUSES))

    def unlike(number: int, login: dict[str, Any]) -> str:
        reply = log_in(nases[number % len(nases)], server, login)
        cause = causes[login["login"]]
        wanted = None if cause is None else f"Reject_{cause}"
        if reply is None:
            return f"{login['login']} gets no answer"
        if reply.kind != "Access-Accept" or reply.get("Mikrotik-Address-List") != wanted:
            return f"{login['login']} gets {reply.kind} {reply.attributes}; wanted is the list {wanted}"
        return ""

    for number, login in enumerate(ground.people["logins"]):
        left = wait(lambda number=number, login=login: unlike(number, login), ANSWER_S)  # type: ignore[misc]
        if left:
            yield left


def books(ground: Ground) -> Iterator[str]:
    """`demarc check` is clean and `demarc status` is healthy."""
    for word in ("check", "status"):
        done = ground.demarc.run(word)
        if done.returncode:
            yield f"demarc {word} exits with {done.returncode}: {done.stdout}{done.stderr}"
