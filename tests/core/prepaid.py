"""A small cast of prepaid accounts, and the books that a run keeps: how outcomes become the next facts."""

from datetime import date, timedelta

from hypothesis import strategies as st

from demarc.core.charging import (
    AccountFacts,
    BlockedSpan,
    DayOutcome,
    Decision,
    LimitRule,
    PriceFact,
    ServiceFacts,
    StateFact,
    due,
)
from demarc.core.period import DayRule

ONE_DAY = timedelta(days=1)
START = date(2024, 1, 1)


def service(price_minor, since=START, service_id=1, until=None):
    states = [StateFact(service_id * 100, since, since, True)]
    if until is not None:
        states.append(StateFact(service_id * 100 + 1, until, until, False))
    return ServiceFacts(service_id, (PriceFact(service_id * 1000, since, since, price_minor),), tuple(states))


def account(balance, *services, decided_through=None, **settings):
    facts = {
        "account_id": 7,
        "currency": "USD",
        "balance": balance,
        "minimal_balance": 0,
        "day_rule": DayRule.CALENDAR,
        "limit_rule": LimitRule.COVER,
        "charge_activation_day": False,
        "services": services,
        "decided_through": decided_through,
    }
    return AccountFacts(**{**facts, **settings})


def booked(facts: AccountFacts, outcomes: list[DayOutcome]) -> AccountFacts:
    """The facts after a run has recorded `outcomes`."""
    for outcome in outcomes:
        paid = {line.service_id for line in outcome.lines}
        facts = facts._replace(
            balance=outcome.balance_after,
            decided_through=outcome.day,
            services=tuple(
                s._replace(charged_through=outcome.day) if s.service_id in paid else s for s in facts.services
            ),
        )
        if outcome.decision is Decision.BLOCKED:
            spans = (*facts.blocked_spans, BlockedSpan(outcome.day + ONE_DAY, None))
            facts = facts._replace(blocked_for_money=True, blocked_spans=spans)
    return facts


def unblocked(facts: AccountFacts, outcome: DayOutcome) -> AccountFacts:
    """The facts after a retry that sufficed."""
    facts = booked(facts, [outcome])._replace(blocked_for_money=False)
    return facts._replace(blocked_spans=tuple(s._replace(last=s.last or outcome.day) for s in facts.blocked_spans))


def punctual(facts: AccountFacts, first: date, last: date) -> tuple[AccountFacts, list[DayOutcome]]:
    """Run every day at its own 00:00."""
    story = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        outcomes = due(facts, day, day)
        story += outcomes
        facts = booked(facts, outcomes)
    return facts, story


@st.composite
def prepaid_accounts(draw):
    """Accounts of up to three services whose prices and states change a few times; undecided from START on."""
    services = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        first = service(draw(st.integers(0, 9000)), START + ONE_DAY * draw(st.integers(0, 5)), number)
        since = first.states[0].valid_from
        changes = [since + ONE_DAY * after for after in sorted(draw(st.lists(st.integers(0, 70), max_size=3)))]
        prices = [PriceFact(10 + i, d, d + ONE_DAY, draw(st.integers(0, 9000))) for i, d in enumerate(changes)]
        states = [StateFact(20 + i, d, d, draw(st.booleans())) for i, d in enumerate(changes)]
        services.append(first._replace(prices=(*first.prices, *prices), states=(*first.states, *states)))
    return account(
        draw(st.integers(-500, 8000)),
        *services,
        decided_through=START - ONE_DAY,
        minimal_balance=draw(st.integers(-300, 300)),
        day_rule=draw(st.sampled_from(DayRule)),
        limit_rule=draw(st.sampled_from(LimitRule)),
        charge_activation_day=draw(st.booleans()),
    )
