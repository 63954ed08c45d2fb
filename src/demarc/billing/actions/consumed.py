"""Invoices of prepaid accounts for the daily charges of a month that is over. They settle nothing: all is paid.

The balance is not touched; the tax that was charged with the gross price leaves revenue for the tax accounts.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base import log, sql
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.billing.actions.documents import Ready, issue
from demarc.billing.books import rates_of
from demarc.billing.facts import payers
from demarc.billing.models import DocumentSource
from demarc.core.errors import Refused
from demarc.core.invoicing import Part, Taxed, totals
from demarc.core.period import ONE_DAY, billing_day, last_of_month
from demarc.core.recurring import Draft, Line
from demarc.customers.models import RecurringTerms
from demarc.customers.queries import RecurringBook

CHUNK = 2000
HOUR = 5
"""When all prepaid days have long been decided."""

# Accounts whose month is decided to its end, with something charged in it, and not invoiced yet. Who changed to
# documents has no day left to decide.
CANDIDATES = """
SELECT a.id FROM customers_account a
LEFT JOIN billing_prepaidstate p ON p.account_id = a.id
WHERE a.partner_id = %(partner)s AND (p.account_id IS NULL OR p.decided_through >= %(last)s AND p.parked_at IS NULL)
    AND EXISTS (SELECT FROM billing_transfer t
        WHERE t.account_id = a.id AND t.day BETWEEN %(first)s AND %(last)s AND t.kind = 'charge')
    AND NOT EXISTS (SELECT FROM billing_document d WHERE d.key = 'consumed:' || a.id || ':' || %(first)s::date)
ORDER BY a.id
"""

CHARGED = """
SELECT t.account_id, t.service_id, pl.name, pl.kind, pl.tax_category, min(t.day), max(t.day), sum(t.amount)::bigint
FROM billing_transfer t
JOIN plans_servicefact f ON f.id = t.service_fact_id
JOIN plans_plan pl ON pl.id = f.plan_id
WHERE t.account_id = ANY(%(accounts)s::bigint[]) AND t.day BETWEEN %(first)s AND %(last)s AND t.kind = 'charge'
GROUP BY t.account_id, t.service_id, pl.id ORDER BY t.account_id, t.service_id, min(t.day)
"""


def invoice_consumed(partner_id: int, *, month: date, by: Actor, at: datetime) -> int:
    """Invoice what a month's days cost, where the rules want it: how many documents. Chunks, each a transaction; only
    what is missing is made, so it may run late and again. Refused: unknown partner, a month that is not over."""
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    first, last = month.replace(day=1), last_of_month(month)
    if billing_day(at, ZoneInfo(partner.zone)) <= last:
        raise Refused(f"The month is over after {last}.", field="month", code="future")
    candidates = [row[0] for row in sql.rows(CANDIDATES, partner=partner_id, first=first, last=last)]
    rules = RecurringBook.of(candidates, [partner_id])
    wanted = [account for account in candidates if rules.on(account, partner_id, last).invoice_consumed]
    made = 0
    for start in range(0, len(wanted), CHUNK):
        made += _invoice(partner_id, wanted[start : start + CHUNK], first, last, by, at)
    return made


def invoice_last_month(*, by: Actor, at: datetime) -> int:
    """Each provider's month before, once a day at HOUR of his zone, where any rule of his wants it: how many documents.
    What could not be invoiced on the 1st is on a later day. Never refused."""
    made = 0
    asking = RecurringTerms.objects.filter(invoice_consumed=True).values_list("partner_id")
    for partner in Partner.objects.filter(pk__in=asking).order_by("id"):
        zone = ZoneInfo(partner.zone)
        if at.astimezone(zone).hour == HOUR:
            month = billing_day(at, zone).replace(day=1) - ONE_DAY
            made += invoice_consumed(partner.pk, month=month, by=by, at=at)
    return made


@transaction.atomic
def _invoice(partner_id: int, account_ids: Sequence[int], first: date, last: date, by: Actor, at: datetime) -> int:
    found = payers(account_ids, at=at, lock=True)
    rate, changed = rates_of(partner_id)
    cuts = [first, *(day for day in changed if first < day <= last), last + ONE_DAY]
    lines: dict[int, list[Line]] = defaultdict(list)
    for begin, after in pairwise(cuts):
        period = {"first": begin, "last": after - ONE_DAY}
        for account_id, service_id, name, kind, category, day, end, amount in sql.rows(
            CHARGED, accounts=sql.array(found), **period
        ):
            part = Part(amount, Taxed(category, rate(category, begin), True), kind)
            lines[account_id].append(Line(name, part, day, end, service_id))
    ready = [
        Ready(
            found[account_id],
            Draft(last + ONE_DAY, last + ONE_DAY, tuple(some), totals(tuple(line.part for line in some)), {}),
            DocumentSource.CONSUMED,
            f"consumed:{account_id}:{first}",
        )
        for account_id, some in lines.items()
    ]
    issue(ready, by=by, at=at)
    told = {"month": first, "documents": len(ready)}
    log.record("invoiced_consumed", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    return len(ready)
