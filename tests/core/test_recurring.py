"""Documents of recurring accounts, against a second, naive implementation that walks day by day.

A table of dates and policies, and random stories: DEMARC_RANDOM says how many (a campaign: 100,000), DEMARC_SEED which.
"""

import os
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from random import Random

import pytest
from tests.core import naive

from demarc.core.coverage import Discount, PlanPrice, ServiceFact, Use, timeline
from demarc.core.recurring import Book, Held, PlanFacts, Rules, bills_through, draft_on, due, first_on, following

DAY = timedelta(days=1)
RANDOM = int(os.environ.get("DEMARC_RANDOM", "600"))
SEED = int(os.environ.get("DEMARC_SEED", "20240229"))
PLANS = {1: PlanFacts("Fibre", "internet", "standard", True), 2: PlanFacts("Voice", "voice", "reduced", False)}
STARTS = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 29), date(2024, 1, 30), date(2024, 1, 31),
          date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 15), date(2024, 10, 27), date(2025, 2, 28)]  # fmt: skip
POLICIES = [
    Rules(billing_day=billing_day, period_months=months, postpaid=postpaid, own_first=own)
    for billing_day, months, postpaid, own in product((1, 10, 28, 29, 30, 31), (1, 3, 12), (False, True), (True, False))
]
CASES = list(product(STARTS, POLICIES))


def naive_calendar(rules, start, count):
    """(document's day, first billed day, last billed day) of the first documents, by stepping from day to day."""
    bounds = []
    day = start
    while len(bounds) < count * rules.period_months + 15:
        if naive.month_of(day, rules.billing_day)[0] == day:
            bounds.append(day)
        day += DAY
    found = []
    if rules.postpaid:
        later = [bound for bound in bounds if bound > start][rules.period_months - 1 :: rules.period_months]
        for before, on in pairwise([start, *later]):
            found.append((on, before, on - DAY))
        return found[:count]
    if rules.own_first and bounds[0] == start:
        regular = bounds[:: rules.period_months]
    elif rules.own_first:
        found.append((start, start, bounds[0] - DAY))
        regular = bounds[:: rules.period_months]
    else:
        regular = bounds[:: rules.period_months]
    first = start
    for on, after in pairwise(regular):
        found.append((on, first if not rules.own_first else on, after - DAY))
        first = after
    return found[:count]


def documents(book, rules, start, count):
    """The first documents as the program makes them: at activation, then on billing days."""
    held = book.held
    found = []
    next_on = first_on(rules, start)
    if rules.own_first and not rules.postpaid:
        draft = draft_on(book, held, (), start, next_on - DAY)
        if draft is not None:
            found.append(draft)
            held = [one._replace(charged_through=draft.through.get(one.service_id)) for one in held]
    until = next_on
    while len(found) < count:
        book = Book(rules, book.plans, book.rate, held, (), book.rate_days)
        for _, draft in due(book, until, until):
            if draft is not None:
                found.append(draft)
                held = [
                    one._replace(charged_through=draft.through.get(one.service_id, one.charged_through)) for one in held
                ]
        until = following(rules, until)
        if until.year > start.year + 30:
            break
    return found[:count]


@pytest.mark.parametrize(("start", "rules"), CASES, ids=lambda case: "" if isinstance(case, Rules) else str(case))
def test_documents_fall_on_the_days_and_bill_the_days_that_a_naive_calendar_says(start, rules):
    stretches = timeline([ServiceFact(1, start, 1, Use.BILLED)], {1: [PlanPrice(1, date(2000, 1, 1), 3999)]})
    book = Book(rules, PLANS, lambda category, day: Decimal(0), [Held(7, stretches, None)])
    told = [(draft.on, draft.lines[0].first, draft.lines[-1].last) for draft in documents(book, rules, start, 4)]
    assert told == naive_calendar(rules, start, 4)
    for draft in documents(book, rules, start, 4):
        first, last = draft.lines[0].first, draft.lines[-1].last
        facts = [naive.Fact(start, 1, "billed")]
        right = naive.cost(facts, {1: [(date(2000, 1, 1), 3999)]}, (), first, last, rules.billing_day)
        assert draft.totals.gross == right


def test_there_are_more_than_two_hundred_cases():
    assert len(CASES) >= 200


def naive_totals(lines):
    """(net, tax) of lines (amount, rate, included), tax once per rate and kind of price."""
    groups = {}
    for amount, category, rate, included in lines:
        groups[category, rate, included] = groups.get((category, rate, included), 0) + amount
    net = tax = 0
    for (_, rate, included), amount in groups.items():
        if included:
            part = naive.round_half_up(Fraction(amount) / (1 + Fraction(rate)))
            net, tax = net + part, tax + amount - part
        else:
            net, tax = net + amount, tax + naive.round_half_up(amount * Fraction(rate))
    return net, tax


def random_story(random):
    """Facts, prices, discounts, rates and rules of one account with one to three services."""
    start = date(2023, 1, 1) + timedelta(days=random.randrange(700))
    day = lambda: start + timedelta(days=random.randrange(500))  # noqa: E731
    rules = Rules(
        billing_day=random.randint(1, 31),
        period_months=random.choice((1, 1, 1, 2, 3, 6, 12)),
        postpaid=random.random() < 0.4,
        own_first=random.random() < 0.5,
    )
    services = []
    for _ in range(random.randint(1, 3)):
        facts = [(start, random.choice((1, 2)), "billed", None, 1)]
        for _ in range(random.randrange(4)):
            own = random.choice((None, None, random.randrange(9999)))
            facts.append(
                (day(), random.choice((1, 2)), random.choice(("billed", "paused", "left")), own, random.randint(1, 3))
            )
        discounts = [
            (
                day(),
                random.choice((None, start + timedelta(days=600))),
                *random.choice(((random.randrange(9000), 0), (0, 700))),
            )
            for _ in range(random.randrange(2))
        ]
        services.append((facts, discounts))
    prices = {plan: [(date(2000, 1, 1), random.randrange(9999))] for plan in (1, 2)}
    for plan in (1, 2):
        prices[plan] += [(day(), random.randrange(9999)) for _ in range(random.randrange(3))]
    rates = [(date(2000, 1, 1), Decimal(random.choice(("0", "0.05", "0.21"))))]
    rates += [(day(), Decimal(random.choice(("0", "0.10", "0.25")))) for _ in range(random.randrange(2))]
    return start, rules, services, prices, rates


def test_random_stories_are_billed_as_a_naive_count_bills_them():
    random = Random(SEED)
    for number in range(RANDOM):
        start, rules, services, prices, rates = random_story(random)
        rate_on = lambda day, rates=rates: naive_rate(rates, day)  # noqa: E731
        held = [held_of(place, facts, discounts, prices) for place, (facts, discounts) in enumerate(services)]
        changed = sorted(day for day, _ in rates)
        book = Book(rules, PLANS, lambda category, day: rate_on(day), held, (), changed)  # noqa: B023
        on = first_on(rules, start)
        until = following(rules, following(rules, on))
        billed = [(draft, bills_through(rules, day)) for day, draft in due(book, on, until) if draft is not None]
        where = f"seed {SEED}, story {number}"
        first = start
        told = {}
        for draft, through in billed:
            lines = naive_lines(services, prices, rates, rules, draft.on, told, through)
            net, tax = naive_totals(lines)
            assert (draft.totals.net, draft.totals.tax) == (net, tax), where
            assert sum(part for _, part in draft.totals.revenues) == net, where
            first = through + DAY
        assert first >= start


def naive_rate(rates, day):
    valid = [(valid_from, place, rate) for place, (valid_from, rate) in enumerate(rates) if valid_from <= day]
    return max(valid)[2]


def held_of(place, facts, discounts, prices):
    own = [
        ServiceFact(number, day, plan, Use(use), price, quantity)
        for number, (day, plan, use, price, quantity) in enumerate(facts)
    ]
    listed = {plan: [PlanPrice(number, *price) for number, price in enumerate(some)] for plan, some in prices.items()}
    return Held(place, timeline(own, listed, [Discount(*one) for one in discounts]), None)


def naive_lines(services, prices, rates, rules, on, told, through):
    """Each unbilled day through `through`, one by one: (amount, category, rate, included)."""
    lines = []
    for place, (facts, discounts) in enumerate(services):
        known = [naive.Fact(day, plan, use, own, quantity) for day, plan, use, own, quantity in facts]
        billed = [fact.day for fact in known if fact.use == "billed"]
        day = told.get(place, min(billed) if billed else through + DAY)
        reached = None
        while day <= through:
            fact = naive.fact_on(known, day)
            worth = naive.worth_of(fact, prices, discounts, day)
            if worth is not None:
                amount = naive.cost_of_day(worth, day, rules.billing_day)
                plan = PLANS[fact.plan]
                rate = naive_rate(rates, day if rules.postpaid else on)
                lines.append((amount, plan.tax_category, rate, plan.included))
                reached = day
            day += DAY
        if reached is not None:
            told[place] = reached + DAY
    return lines
