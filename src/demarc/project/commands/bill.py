"""`demarc bill`: the billing days that are still open, decided; or, with --preview, what that would do."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import date, timedelta

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.hands import HANDS, apart
from demarc.base.models import Partner
from demarc.billing import actions, queries
from demarc.billing.models import BillingDay, InvoiceRun, RunState
from demarc.core.errors import Refused
from demarc.core.money import Money, format_plain
from demarc.project.cycles import look_seldom

LINE = "{:<24} {:<10} {:>9} {:>9} {:>9} {:>7}\n"
SHOWN = timedelta(days=2)
"""So old may a run be that is shown: a day may still be going on elsewhere."""

HEAD = ("partner", "day", "charged", "blocked", "no charge", "parked")


def run(args: Namespace) -> int:
    """One line a partner and day; parked accounts are named by `demarc check` and the dashboard."""
    if args.date and args.until:
        raise Refused("Give --date or --until, not both.", code="setting")
    day = _day(args.date or args.until)
    if args.preview:
        _show_preview(day)
        return 0
    look_seldom()
    with apart():
        _decide(args, day)
        if args.documents:
            _issue()
    return 0


def _decide(args: Namespace, day: date | None) -> None:
    for number, done in enumerate(_one_day(day) if args.date and day else _every_day(day)):
        if not number:
            sys.stdout.write(LINE.format(*HEAD))
        counts = (done.charged, done.blocked, done.nothing_due, done.parked)
        sys.stdout.write(LINE.format(done.partner.name[:24], str(done.day), *counts))


def _issue() -> None:
    """As the jobs do: each partner's preview, then whatever is confirmed and not done, also what a job has begun."""
    actions.issue_due(by=SYSTEM, at=clock.now(), hands=HANDS)
    for run in InvoiceRun.objects.filter(state=RunState.RUNNING).order_by("id"):
        actions.work_run(run.pk, by=SYSTEM, at=clock.now(), hands=HANDS)
    for run in InvoiceRun.objects.filter(day__gte=clock.now() - SHOWN).select_related("partner").order_by("id"):
        gross = f"{format_plain(Money(run.gross, run.partner.currency))} {run.partner.currency}"
        sys.stdout.write(
            f"{run.partner.name[:24]:<24} {run.day} {run.state:<9} {run.documents:>9} documents {gross:>16}\n"
        )


def _one_day(day: date) -> Iterator[BillingDay]:
    for partner in Partner.objects.order_by("id"):
        yield actions.open_day(partner.pk, day=day, by=SYSTEM, at=clock.now(), hands=HANDS)


def _every_day(until: date | None) -> list[BillingDay]:
    return actions.bill(until=until, by=SYSTEM, at=clock.now(), hands=HANDS)


def _show_preview(day: date | None) -> None:
    sys.stdout.write(LINE.format(*HEAD).rstrip("\n") + f" {'money':>16}\n")
    for found in queries.preview(day=day, at=clock.now()):
        counts = (found.days["charged"], found.days["blocked"], found.days["nothing_due"], found.undecidable)
        line = LINE.format(found.partner.name[:24], str(found.day), *counts).rstrip("\n")
        money = f"{format_plain(Money(found.amount, found.partner.currency))} {found.partner.currency}"
        sys.stdout.write(f"{line} {money:>16}\n")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text} is not a day; write it as 2026-03-01.", code="setting") from None
