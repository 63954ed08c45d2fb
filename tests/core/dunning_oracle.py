"""Dunning said a second time, slowly and in other words: a diary of one account, hour by hour. For tests only."""

from datetime import date, timedelta

from demarc.core.dunning import AccountFacts, DaysOff, Policy

DAY = timedelta(days=1)


def closed(policy: Policy, day: date, off: DaysOff) -> bool:
    is_weekend = day.weekday() in off.weekend and policy.on_weekends is False
    is_holiday = day in off.holidays and policy.on_holidays is False
    return is_weekend or is_holiday


def bad_debt(facts: AccountFacts, policy: Policy, day: date) -> bool:
    owed = 0
    for debt in facts.debts:
        if debt.disputed or (debt.one_time and not policy.one_time_blocks):
            continue
        days_late = (day - debt.due_on).days
        if days_late > policy.grace_days:
            owed += debt.amount
    return policy.blocks and owed > 0 and owed >= policy.threshold and facts.balance < facts.minimal_balance


Entry = tuple[date, int, str, int]


def diary(facts: AccountFacts, policy: Policy, off: DaysOff, first: date, days: int) -> list[Entry]:
    """(day, hour, what, document or 0), walking through every hour of every day; nobody pays."""
    told: list[Entry] = []
    blocked_on = facts.blocked_on
    gone = facts.deactivated
    sent = set(facts.reminded)
    for number in range(days):
        day = first + number * DAY
        promised = facts.promised_until is not None and facts.promised_until >= day
        for hour in range(24):
            asked = [debt for debt in facts.debts if not debt.disputed and debt.amount > 0]
            if not promised and sum(debt.amount for debt in asked) >= max(1, policy.threshold):
                for debt in asked:
                    for back in range(3):
                        on_day = [
                            one
                            for one in policy.reminders
                            if debt.due_on + one.days * DAY == day - back * DAY
                            and day - back * DAY >= debt.issued_on
                            and (back > 0 or one.hour <= hour)
                        ]
                        if on_day:
                            (one,) = on_day
                            if (debt.document_id, one.days) not in sent:
                                sent.add((debt.document_id, one.days))
                                told.append((day, hour, "remind", debt.document_id))
                            break
            if promised or closed(policy, day, off) or hour < policy.block_hour or not bad_debt(facts, policy, day):
                continue
            if blocked_on is None:
                blocked_on = day
                told.append((day, hour, "block", 0))
            elif not gone and policy.deactivate_after_days and (day - blocked_on).days >= policy.deactivate_after_days:
                gone = True
                told.append((day, hour, "deactivate", 0))
    return told
