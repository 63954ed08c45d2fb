"""Which days of a service are billed, at what price, and what must be put right when a fact changes afterwards.

Pure rules of recurring billing over dated facts. A month of the billing calendar is shared by its actual days with
cumulative rounding: the parts of a month sum to its price to the cent, however it was cut. So the credit of an unused
part is what was billed less what the used days cost. Knows no database, document or tax. Amounts are minor units.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeVar

from demarc.core.money import half_up
from demarc.core.period import ONE_DAY, billing_month, days

PERCENT = 10_000
"""Discounts are in hundredths of a percent."""

FOREVER = date.max


class Use(StrEnum):
    """What a service's state means for billing. PAUSED and LEFT (stopped, ended) cost nothing from then on; whether
    their days that were billed ahead are given back, the terms say."""

    BILLED = "billed"
    PAUSED = "paused"
    LEFT = "left"
    NONE = "none"


class ServiceFact(NamedTuple):
    """A dated fact of a service. `own_price`: a month's agreed price instead of the plan's."""

    id: int
    valid_from: date
    plan_id: int
    use: Use
    own_price: int | None = None
    quantity: int = 1


class PlanPrice(NamedTuple):
    """A plan's price of a month from `valid_from` on."""

    id: int
    valid_from: date
    amount: int


class Discount(NamedTuple):
    """A discount from `first` to `last` (None: for good): hundredths of a percent, or minor units a month."""

    first: date
    last: date | None
    percent: int
    fixed: int


class Basis(NamedTuple):
    """What a month is worth: its price, from the plan or (`own`) agreed, times quantity, less discounts."""

    plan_id: int
    own: bool
    price: int
    quantity: int = 1
    percent: int = 0
    fixed: int = 0

    def part(self, begin: int, end: int, of: int) -> int:
        """The days `begin` (counted from 0) to `end` (not included) of a month of `of` days."""
        worth = max(self.price * self.quantity * (PERCENT - min(self.percent, PERCENT)) - self.fixed * PERCENT, 0)
        whole = of * PERCENT
        return half_up(worth * end, whole) - half_up(worth * begin, whole)


Dated = TypeVar("Dated", ServiceFact, PlanPrice)


class Stretch(NamedTuple):
    """Days with the same facts; `last` is FOREVER when nothing is planned after them."""

    first: date
    last: date
    use: Use
    basis: Basis
    service_fact_id: int
    price_fact_id: int


class Segment(NamedTuple):
    """Billed days of one month. `month`: its first day, `of_days` its length: "14 of 31 days at 40.00"."""

    first: date
    last: date
    month: date
    of_days: int
    basis: Basis
    amount: int
    service_fact_id: int
    price_fact_id: int


class Change(NamedTuple):
    """What a later fact does to one billed month: the segments `before` are no more, those `after` hold instead."""

    before: tuple[Segment, ...]
    after: tuple[Segment, ...]


class Amends(NamedTuple):
    """One line of a correcting document: days from `first` to `last` of `days`, at `basis`; `amount` < 0 is a credit.

    `segments`: those that the amount is the sum of (a charge) or that were billed before (a credit).
    """

    first: date
    last: date
    basis: Basis
    amount: int
    segments: tuple[Segment, ...]


def timeline(
    facts: Sequence[ServiceFact], prices: Mapping[int, Sequence[PlanPrice]], discounts: Sequence[Discount] = ()
) -> list[Stretch]:
    """The facts of a service as stretches without gap, from its first fact on.

    `facts` and each list of `prices` in the order they were recorded: for a day the latest valid_from wins, then the
    newest row. A plan costs its first price also before that. ValueError when a plan has no price at all.
    """
    newest = _newest_first(facts)
    listed = {plan_id: _newest_first(prices.get(plan_id, ())) for plan_id in {fact.plan_id for fact in facts}}
    begin = newest[-1].valid_from
    cuts = {fact.valid_from for fact in facts}
    cuts.update(price.valid_from for plan in listed.values() for price in plan)
    for discount in discounts:
        cuts.update((discount.first, discount.last + ONE_DAY) if discount.last else (discount.first,))
    ordered = sorted(cut for cut in cuts if cut >= begin)
    return [
        _stretch(first, FOREVER if after is None else after - ONE_DAY, newest, listed, discounts)
        for first, after in zip(ordered, [*ordered[1:], None], strict=True)
    ]


def cost(stretches: Iterable[Stretch], first: date, last: date, billing_day: int) -> list[Segment]:
    """What the days from `first` to `last` cost: a segment for each month and stretch that is billed in it."""
    found: list[Segment] = []
    for stretch in stretches:
        if stretch.use is not Use.BILLED:
            continue
        day, end = max(first, stretch.first), min(last, stretch.last)
        while day <= end:
            month, month_end = billing_month(day, billing_day)
            until = min(end, month_end)
            found.append(_segment(stretch, day, until, month, (month_end - month).days + 1))
            day = until + ONE_DAY
    return found


def cut_off(stretches: Iterable[Stretch], last: date) -> list[Stretch]:
    """The time line as if the days after `last` were not to be billed: whatever the terms say of one that leaves, they
    are credited."""
    kept = [one._replace(last=min(one.last, last)) for one in stretches if one.first <= last]
    gone = [one._replace(first=max(one.first, last + ONE_DAY), use=Use.NONE) for one in stretches if one.last > last]
    return kept + gone


def changes(
    stretches: Sequence[Stretch], billed: Iterable[Segment], *, credit_pause: bool, credit_leave: bool
) -> list[Change]:
    """Where what was billed differs from what the facts now say, month by month.

    The price of a plan stays what it was when the month was billed; the service's own facts count. Without
    `credit_pause` (`credit_leave`) days that were billed stay so when the service is paused (stopped, ended).
    """
    months: dict[date, list[Segment]] = {}
    for segment in billed:
        months.setdefault(segment.month, []).append(segment)
    kept = {Use.PAUSED} if not credit_pause else set()
    if not credit_leave:
        kept.add(Use.LEFT)
    found = []
    for month in sorted(months):
        before = sorted(months[month])
        after = _again(stretches, before, kept)
        if [_essence(one) for one in before] != [_essence(one) for one in after]:
            found.append(Change(tuple(before), tuple(after)))
    return found


def gaps(
    stretches: Sequence[Stretch], billed: Iterable[Segment], first: date, last: date, billing_day: int
) -> list[Segment]:
    """The days from `first` to `last` that the facts now bill and nothing covers, as `cost` gives them."""
    found: list[Segment] = []
    begin = first
    for segment in sorted(billed):
        if segment.first > begin:
            found += cost(stretches, begin, min(segment.first - ONE_DAY, last), billing_day)
        begin = max(begin, segment.last + ONE_DAY)
    return found + (cost(stretches, begin, last, billing_day) if begin <= last else [])


def amends(change: Change) -> list[Amends]:
    """The lines of a change: for each basis the credit of the days that are no more at it, and the charge of those that
    came to it."""
    before, after = _by_basis(change.before), _by_basis(change.after)
    lines = []
    for basis in before.keys() | after.keys():
        old, new = before.get(basis, []), after.get(basis, [])
        gone, come = _without(old, _days(new)), _without(new, _days(old))
        lines += [_amending(gone, -1, old)] if gone else []
        lines += [_amending(come, 1, come)] if come else []
    return sorted((line for line in lines if line.amount), key=lambda line: (line.amount > 0, line.first, line.basis))


def _amending(pieces: Sequence[Segment], sign: int, segments: Iterable[Segment]) -> Amends:
    amount = sign * sum(one.amount for one in pieces)
    return Amends(pieces[0].first, pieces[-1].last, pieces[0].basis, amount, tuple(segments))


def _without(segments: Iterable[Segment], taken: set[date]) -> list[Segment]:
    """The segments without these days; what is left of one is what those days of it cost."""
    left: list[Segment] = []
    for one in sorted(segments):
        begin = len(left)
        for day in days(one.first, one.last):
            if day in taken:
                continue
            if left[begin:] and left[-1].last + ONE_DAY == day:
                left[-1] = _part_of(one, left[-1].first, day)
            else:
                left.append(_part_of(one, day, day))
    return left


def _part_of(one: Segment, first: date, last: date) -> Segment:
    amount = one.basis.part((first - one.month).days, (last - one.month).days + 1, one.of_days)
    return one._replace(first=first, last=last, amount=amount)


def _again(stretches: Sequence[Stretch], before: Sequence[Segment], kept: set[Use]) -> list[Segment]:
    """The billed days of one month by the facts of now. What was one segment stays one where nothing differs."""
    after: list[Segment] = []
    for old in before:
        begin = len(after)
        for stretch in stretches:
            first, last = max(old.first, stretch.first), min(old.last, stretch.last)
            if first > last or (stretch.use is not Use.BILLED and stretch.use not in kept):
                continue
            now = _now(stretch, old, kept)
            if after[begin:] and after[-1].basis == now.basis and after[-1].last + ONE_DAY == first:
                now = after.pop()  # the facts that it began with
                first = now.first
            amount = now.basis.part((first - old.month).days, (last - old.month).days + 1, old.of_days)
            after.append(now._replace(first=first, last=last, amount=amount))
    return after


def _now(stretch: Stretch, old: Segment, kept: set[Use]) -> Segment:
    """The billed segment with the facts of a later stretch; its days and amount are to be set."""
    if stretch.use in kept:
        return old
    basis, price_fact_id = stretch.basis, stretch.price_fact_id
    if not (basis.own or old.basis.own) and basis.plan_id == old.basis.plan_id:
        basis, price_fact_id = basis._replace(price=old.basis.price), old.price_fact_id
    return old._replace(basis=basis, service_fact_id=stretch.service_fact_id, price_fact_id=price_fact_id)


def _essence(segment: Segment) -> tuple[date, date, Basis]:
    return segment.first, segment.last, segment.basis


def _by_basis(segments: Iterable[Segment]) -> dict[Basis, list[Segment]]:
    found: dict[Basis, list[Segment]] = {}
    for segment in segments:
        found.setdefault(segment.basis, []).append(segment)
    return found


def _days(segments: Iterable[Segment]) -> set[date]:
    return {day for segment in segments for day in days(segment.first, segment.last)}


def _segment(stretch: Stretch, first: date, last: date, month: date, of_days: int) -> Segment:
    amount = stretch.basis.part((first - month).days, (last - month).days + 1, of_days)
    return Segment(first, last, month, of_days, stretch.basis, amount, stretch.service_fact_id, stretch.price_fact_id)


def _stretch(
    first: date,
    last: date,
    facts: Sequence[ServiceFact],
    prices: Mapping[int, Sequence[PlanPrice]],
    discounts: Sequence[Discount],
) -> Stretch:
    """`facts` and `prices` newest first."""
    fact = next(one for one in facts if one.valid_from <= first)
    if fact.own_price is None:
        price = _price(prices[fact.plan_id], first, fact.plan_id)
        basis = Basis(fact.plan_id, False, price.amount, fact.quantity)
    else:
        price = PlanPrice(0, first, fact.own_price)
        basis = Basis(fact.plan_id, True, fact.own_price, fact.quantity)
    now = [one for one in discounts if one.first <= first and (one.last is None or first <= one.last)]
    if now:
        basis = basis._replace(
            percent=min(sum(one.percent for one in now), PERCENT), fixed=sum(one.fixed for one in now)
        )
    return Stretch(first, last, fact.use, basis, fact.id, price.id)


def _price(listed: Sequence[PlanPrice], day: date, plan_id: int) -> PlanPrice:
    if not listed:
        raise ValueError(f"plan {plan_id} has no price")
    known_from = max(day, listed[-1].valid_from)
    return next(one for one in listed if one.valid_from <= known_from)


def _newest_first(rows: Sequence[Dated]) -> list[Dated]:
    """By valid_from, and among equals the one that was recorded last, first."""
    return sorted(rows, key=_valid_from)[::-1]


def _valid_from(row: ServiceFact | PlanPrice) -> date:
    return row.valid_from
