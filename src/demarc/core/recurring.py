"""When a recurring account gets its documents, and what is on them. Pure: facts in, drafts out.

Prepay bills a period ahead on the billing day, postpay the time up to its eve. What a service is billed through is
kept with it; a document bills from there on, so that no change of the calendar can leave a gap or bill a day twice.
Knows no database, number or payment. Amounts are minor units.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from demarc.core.coverage import Amends, Basis, Change, Segment, Stretch, Use, amends, changes, cost, gaps
from demarc.core.invoicing import Part, Taxed, Totals, totals
from demarc.core.period import ONE_DAY, add_months, next_billing_day

CATCH_UP_MAX = 120
"""Documents that one account may be behind with before a person should look."""

Rates = Callable[[str, date], Decimal]
"""The rate of a tax category on a day."""


class Rules(NamedTuple):
    """How an account is billed. `billing_day` 1 to 31 (31: the last day of any month); `period_months` 1 to 12;
    `own_first`: a service that begins within a period gets its own document at once, else it waits for the next.
    `invoice_consumed`: a prepaid account gets an invoice of each month's daily charges."""

    billing_day: int = 1
    period_months: int = 1
    postpaid: bool = False
    due_days: int = 14
    own_first: bool = True
    credit_pause: bool = True
    credit_leave: bool = True
    invoice_consumed: bool = False


class PlanFacts(NamedTuple):
    """What a line takes from a plan. `revenue`: the category of revenue; `included`: its prices include the tax."""

    name: str
    revenue: str
    tax_category: str
    included: bool


class Held(NamedTuple):
    """A service with its time line. `charged_through`: the last day it is billed for, None when it never was.
    `begun_on`: the first day that documents bill; those before were paid by the day, or are settled for good."""

    service_id: int
    stretches: Sequence[Stretch]
    charged_through: date | None
    begun_on: date | None = None


class Item(NamedTuple):
    """Something to be billed once: a fee, a sale, a discount (negative)."""

    item_id: int
    service_id: int | None
    text: str
    amount: int
    revenue: str
    tax_category: str
    included: bool


class Cover(NamedTuple):
    """Billed days as they were booked, with how they were taxed, by which document. `given`: that is the credit note of
    a whole invoice, whose days stay covered at no price: nothing that changes bills or credits them again."""

    cover_id: int
    service_id: int
    document_id: int
    segment: Segment
    part: Part
    given: bool = False


class Line(NamedTuple):
    """A line of a document; `segments` are what its amount is the sum of, empty for an item and for a credit."""

    text: str
    part: Part
    first: date
    last: date
    service_id: int | None = None
    basis: Basis | None = None
    segments: tuple[Segment, ...] = ()
    item_id: int | None = None


class Draft(NamedTuple):
    """A document before it has a number. `through`: each service's new last billed day. `replaced`: covers that are no
    more; `kept`: what of them still holds, with its part of the tax facts."""

    on: date
    due_on: date
    lines: tuple[Line, ...]
    totals: Totals
    through: Mapping[int, date]
    corrects: int | None = None
    replaced: tuple[Cover, ...] = ()
    kept: tuple[tuple[int, Segment, Part], ...] = ()

    @property
    def free(self) -> bool:
        """Whether there is nothing to bill or to credit: each line is of nothing."""
        return not any(line.part.amount for line in self.lines)

    @property
    def moves_nothing(self) -> bool:
        """Whether it corrects days that were billed at nothing and still are, such as of a free service that leaves."""
        amounts = [cover.segment.amount for cover in self.replaced] + [segment.amount for _, segment, _ in self.kept]
        return bool(self.replaced) and self.free and not any(amounts)


@dataclass(frozen=True, slots=True)
class Book:
    """What billing needs to know of one account and of its sub-accounts that pay through it."""

    rules: Rules
    plans: Mapping[int, PlanFacts]
    rate: Rates
    held: Sequence[Held]
    items: Sequence[Item] = ()
    rate_days: Sequence[date] = ()


def due(book: Book, next_on: date, until: date) -> Iterator[tuple[date, Draft | None]]:
    """The documents of the billing days from `next_on` through `until`, in order, each with its day; None where there
    is nothing to bill. ValueError when there are more than CATCH_UP_MAX."""
    held, items = book.held, book.items
    for _ in range(CATCH_UP_MAX):
        if next_on > until:
            return
        draft = draft_on(book, held, items, next_on, bills_through(book.rules, next_on))
        yield next_on, draft
        next_on = following(book.rules, next_on)
        if draft is not None and next_on <= until:
            held, items = _reached(held, draft), ()
    if next_on <= until:
        raise ValueError(f"more than {CATCH_UP_MAX} billing days are open; the next is {next_on}")


def first_on(rules: Rules, start: date) -> date:
    """The first regular billing day of an account whose service begins on `start`: after the first own document."""
    if rules.postpaid:
        return add_months(next_billing_day(start, rules.billing_day), rules.period_months - 1, rules.billing_day)
    on = next_billing_day(start - ONE_DAY, rules.billing_day)
    return following(rules, on) if rules.own_first and on == start else on


def following(rules: Rules, on: date) -> date:
    """The regular billing day after this one."""
    return add_months(on, rules.period_months, rules.billing_day)


def bills_through(rules: Rules, on: date) -> date:
    """The last day that a document of this billing day bills."""
    return (on if rules.postpaid else following(rules, on)) - ONE_DAY


def draft_on(book: Book, held: Iterable[Held], items: Iterable[Item], on: date, through: date) -> Draft | None:
    """The document of `on` that bills all services through `through`, with what is to be billed once."""
    lines: list[Line] = []
    reached: dict[int, date] = {}
    for one in held:
        first = _first_unbilled(one)
        if first is None or first > through:
            continue
        segments = cost(one.stretches, first, through, book.rules.billing_day)
        if segments:
            lines += _lines(book, one.service_id, segments, on)
            reached[one.service_id] = max(segment.last for segment in segments)
    lines += [_of_item(book, item, on) for item in items]
    return _draft(book, on, lines, reached) if lines else None


def correction(book: Book, covers: Sequence[Cover], on: date, since: date) -> Draft | None:
    """One document that puts right what was billed before the facts changed; None when nothing differs.

    `book.held` are the services that changed, `covers` all their live ones from `since` on. Nothing is put right before
    that day, nor before a service's `begun_on`. Credits carry the tax of what they credit, new charges that of `on`.
    """
    lines: list[Line] = []
    replaced: list[Cover] = []
    kept: list[tuple[int, Segment, Part]] = []
    through: dict[int, date] = {}
    for one in book.held:
        if one.charged_through is None:
            continue
        first = max(since, one.begun_on or since)
        mine = (cover for cover in covers if cover.service_id == one.service_id)
        of_service = {cover.segment: cover for cover in mine if cover.segment.last >= first}
        for change in _changes(book, one, [segment for segment, cover in of_service.items() if not cover.given]):
            lines += _amending_lines(book, one.service_id, change, of_service, on)
            replaced += [of_service[segment] for segment in change.before]
            kept += [(one.service_id, *_kept(book, segment, change, of_service, on)) for segment in change.after]
        missing = gaps(one.stretches, of_service, first, one.charged_through, book.rules.billing_day)
        for line in _lines(book, one.service_id, missing, on) if missing else ():
            lines.append(line)
            kept += [(one.service_id, segment, line.part._replace(amount=segment.amount)) for segment in line.segments]
        live = {segment.last for segment in of_service.keys() - {cover.segment for cover in replaced}}
        live |= {segment.last for service_id, segment, _ in kept if service_id == one.service_id}
        reached = max(live, default=first - ONE_DAY)
        if reached != one.charged_through:
            through[one.service_id] = reached
    if not lines and not replaced:
        return None
    draft = _draft(book, on, _joined(lines) or [_worthless(book, replaced)], through)
    corrected = max((cover.document_id for cover in replaced), default=None)
    return draft._replace(corrects=corrected, replaced=tuple(replaced), kept=tuple(kept))


def _changes(book: Book, held: Held, covers: Iterable[Segment]) -> list[Change]:
    rules = book.rules
    return changes(held.stretches, covers, credit_pause=rules.credit_pause, credit_leave=rules.credit_leave)


def _reached(held: Iterable[Held], draft: Draft) -> list[Held]:
    """The services as they are billed after a draft."""
    return [one._replace(charged_through=draft.through.get(one.service_id, one.charged_through)) for one in held]


def _first_unbilled(held: Held) -> date | None:
    begin = min((stretch.first for stretch in held.stretches if stretch.use is Use.BILLED), default=None)
    if held.charged_through is None or begin is None:
        return begin
    return max(begin, held.charged_through + ONE_DAY)


def _lines(book: Book, service_id: int, segments: Sequence[Segment], on: date) -> list[Line]:
    """One line for neighbouring segments at one price and rate."""
    split = (
        [piece for segment in segments for piece in _cut(segment, book.rate_days)] if book.rules.postpaid else segments
    )
    lines = []
    for (basis, taxed), group in groupby(split, lambda one: (one.basis, _taxed(book, one, on))):
        pieces = tuple(group)
        plan = book.plans[basis.plan_id]
        part = Part(sum(one.amount for one in pieces), taxed, plan.revenue)
        lines.append(Line(plan.name, part, pieces[0].first, pieces[-1].last, service_id, basis, pieces))
    return lines


def _cut(segment: Segment, at: Sequence[date]) -> Iterator[Segment]:
    """The segment in pieces, cut before each of these days; the pieces sum to it."""
    first = segment.first
    for day in [*sorted(cut for cut in at if segment.first < cut <= segment.last), segment.last + ONE_DAY]:
        begin, end = (first - segment.month).days, (day - segment.month).days
        yield segment._replace(first=first, last=day - ONE_DAY, amount=segment.basis.part(begin, end, segment.of_days))
        first = day


def _taxed(book: Book, segment: Segment, on: date) -> Taxed:
    """The tax point is the document's date in prepay, the day of use in postpay."""
    plan = book.plans[segment.basis.plan_id]
    day = segment.first if book.rules.postpaid else on
    return Taxed(plan.tax_category, book.rate(plan.tax_category, day), plan.included)


def _of_item(book: Book, item: Item, on: date) -> Line:
    taxed = Taxed(item.tax_category, book.rate(item.tax_category, on), item.included)
    part = Part(item.amount, taxed, item.revenue)
    return Line(item.text, part, on, on, item.service_id, item_id=item.item_id)


def _amending_lines(
    book: Book, service_id: int, change: Change, covers: Mapping[Segment, Cover], on: date
) -> Iterator[Line]:
    for amended in amends(change):
        part = _amended_part(book, amended, covers, on)
        name = book.plans[amended.basis.plan_id].name
        segments = amended.segments if amended.amount > 0 else ()
        yield Line(name, part, amended.first, amended.last, service_id, amended.basis, segments)


def _amended_part(book: Book, amended: Amends, covers: Mapping[Segment, Cover], on: date) -> Part:
    if amended.amount < 0:
        billed = next(one for one in amended.segments if one.last >= amended.first)
        return covers[billed].part._replace(amount=amended.amount)
    plan = book.plans[amended.basis.plan_id]
    return Part(amended.amount, _taxed(book, amended.segments[0], on), plan.revenue)


def _kept(
    book: Book, segment: Segment, change: Change, covers: Mapping[Segment, Cover], on: date
) -> tuple[Segment, Part]:
    """What holds after a change, taxed as it was where it is the rest of something billed, else by now."""
    for old in change.before:
        if old.basis == segment.basis:
            return segment, covers[old].part._replace(amount=segment.amount)
    plan = book.plans[segment.basis.plan_id]
    return segment, Part(segment.amount, _taxed(book, segment, on), plan.revenue)


def _worthless(book: Book, replaced: Sequence[Cover]) -> Line:
    """The line of a correction that moves no money: which days are no more billed as they were. A draft has a line."""
    first = replaced[0]
    segments = [cover.segment for cover in replaced if cover.service_id == first.service_id]
    begin, end = min(one.first for one in segments), max(one.last for one in segments)
    name = book.plans[first.segment.basis.plan_id].name
    return Line(name, first.part._replace(amount=0), begin, end, first.service_id, first.segment.basis)


def _joined(lines: Iterable[Line]) -> list[Line]:
    """Lines of neighbouring months that differ in nothing but their days become one."""
    joined: list[Line] = []
    for line in sorted(lines, key=lambda one: (one.service_id or 0, one.part.amount > 0, one.first)):
        last = joined[-1] if joined else None
        same = last is not None and (last.service_id, last.basis, last.part[1:], last.part.amount > 0) == (
            line.service_id, line.basis, line.part[1:], line.part.amount > 0
        )  # fmt: skip
        if last is not None and same and last.last + ONE_DAY == line.first:
            part = last.part._replace(amount=last.part.amount + line.part.amount)
            joined[-1] = last._replace(part=part, last=line.last, segments=last.segments + line.segments)
        else:
            joined.append(line)
    return joined


def _draft(book: Book, on: date, lines: Sequence[Line], through: Mapping[int, date]) -> Draft:
    sums = totals(tuple([line.part for line in lines]))
    return Draft(on, on + book.rules.due_days * ONE_DAY, tuple(lines), sums, through)
