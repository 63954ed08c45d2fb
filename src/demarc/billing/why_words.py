"""The chain of facts behind a prepaid day in words: for staff, and for the customer, to be read out or sent."""

from demarc.billing.models import DayDecision
from demarc.billing.queries.accounts import AccountSummary
from demarc.billing.queries.why import DayWhy, Share
from demarc.ui import formats


def staff_words(why: DayWhy) -> list[str]:
    """A sentence for each fact behind a day."""
    one = why.decision
    told = [line for share in why.shares for line in _share_words(share, why.account.currency)]
    if one is None:
        return told or ["This day is not decided: nothing was charged for it."]
    told += _decision_words(one, why)
    if one.catch_up:
        told.append(f"The day was over when it was decided, on {formats.moment(one.decided_at)}: it was caught up.")
    if one.paid_at is not None:
        told.append(f"It was paid within the day, at {formats.moment(one.paid_at)}, and access came back.")
    return told


def _decision_words(one: DayDecision, why: DayWhy) -> list[str]:
    currency = why.account.currency
    had = f"At 00:00 the balance was {formats.money(one.balance_before, currency)}"
    limit = formats.money(why.terms.minimal_balance, currency)
    cost = formats.money(one.cost, currency)
    rule = "the day must be covered" if why.terms.limit_rule == "cover" else "it blocks when it reaches the limit"
    if one.decision == "charged":
        return [f"{had}; {cost} were taken. The limit is {limit}: {rule}."]
    if one.decision == "blocked" and one.cost:
        return [f"{had} and the day costs {cost}. The limit is {limit}: {rule}. So access was blocked."]
    if one.decision == "blocked":
        return ["He was blocked already, so nothing was tried and nothing taken."]
    return ["No service was in use that costs anything, so nothing was due."]


def _share_words(share: Share, currency: str) -> list[str]:
    price = formats.money(share.price, currency)
    if share.price_fact is None:
        since = f"agreed by {share.fact.by_label} for {formats.day(share.fact.valid_from)}"
    else:
        since = f"the plan's price since {formats.day(share.price_fact.valid_from)}"
    through, before = formats.money(share.through, currency), formats.money(share.before, currency)
    return [
        f"{share.fact.plan.name} costs {price} a month, {since}; in use since {formats.day(share.fact.valid_from)}.",
        f"It is part {share.part} of {share.parts}: {through} through this day less {before} through the day before, "
        f"{formats.money(share.amount, currency)}.",
    ]


def customer_words(why: DayWhy) -> list[str]:
    """What we would tell him of a day."""
    currency, day = why.account.currency, formats.day(why.day)
    if why.charged:
        return [
            f"For {day} we charged {formats.money(share.amount, currency)} for {share.fact.plan.name}: one day of your "
            f"{formats.money(share.price, currency)} a month, which has {share.parts} parts."
            for share in why.shares
        ]
    one = why.decision
    if one is not None and one.decision == "blocked" and one.cost:
        return [_not_covered(one, currency)]
    return [f"For {day} we charged nothing."]


def _not_covered(one: DayDecision, currency: str) -> str:
    has = formats.balance(one.balance_before, currency)
    cost = formats.money(one.cost, currency)
    return (
        f"On {formats.day(one.day)} a day of your service cost {cost} and your account "
        f"{has[0].lower()}{has[1:]}, so your access was paused."
    )


def blocked_words(one: DayDecision | None, summary: AccountSummary) -> tuple[list[str], list[str]]:
    """(for staff, for the customer): why a prepaid account is blocked now and what opens it. `one`: the last day that
    it could not pay."""
    currency = summary.currency
    owed = formats.money(summary.owed, currency)
    staff, told = [], []
    if one is not None:
        had, cost = formats.money(one.balance_before, currency), formats.money(one.cost, currency)
        limit = formats.money(summary.minimal_balance, currency)
        staff.append(
            f"At 00:00 of {formats.day(one.day)} the day cost {cost}; the balance was {had}, its limit is {limit}."
        )
        told.append(_not_covered(one, currency))
    staff.append(f"Today costs {formats.money(summary.next_cost, currency)}; a payment of {owed} brings access back.")
    told.append(f"Your access returns within seconds when {owed} arrive.")
    if summary.blocked_by_staff:
        staff.append("Staff blocked him too: a payment alone does not bring access back.")
        told = told[:-1]
    return staff, told
