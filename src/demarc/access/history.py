"""The sessions that have ended, as they are looked for: by whom, where, when and why they ended. Reads only.

There may be a hundred million of them: who names neither a person, a device nor an address sees LATELY, or the period
that he names; and never more than SHOWN_MAX rows.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from django.db.models import BooleanField, F, Func, OuterRef, Q, QuerySet, Subquery, Value

from demarc.access.models import Nas, SessionLog
from demarc.customers.models import Customer
from demarc.plans.models import Service

SHOWN_MAX = 5000
LATELY = timedelta(days=7)
CUSTOMERS_MAX = 500

MAC_BEGINS = re.compile(r"[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]")
"""With separators; a MAC without them could be a login as well, and is looked for as such, too."""


class Past(NamedTuple):
    """What is looked for; everything left out is any. `text`: an address, the beginning of a MAC or of a login, a
    customer's number or the beginning of his name. A session is of a period if it was on at any time of it."""

    text: str = ""
    customer_id: int | None = None
    router_id: int | None = None
    terminate_cause: int | None = None
    ending: str = ""
    since: datetime | None = None
    until: datetime | None = None


def past(partner_ids: Sequence[int] | None, wanted: Past, at: datetime) -> QuerySet[SessionLog]:
    """The ended sessions of these partners (None: all), the latest first, at most SHOWN_MAX, each with the
    `customer_id` of its service or None; `at`: now."""
    found = SessionLog.objects.order_by("-started_at", "-id")
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    text = wanted.text.strip()
    if text:
        found = found.filter(_match(text, partner_ids))
    if wanted.customer_id is not None:
        services = Service.objects.filter(customer_id=wanted.customer_id).values_list("pk", flat=True)
        found = found.filter(service_id__in=list(services))
    if wanted.since is None and not text and wanted.customer_id is None:
        wanted = wanted._replace(since=(wanted.until or at) - LATELY)
    holder = Service.objects.filter(pk=OuterRef("service_id")).values("customer_id")
    return narrowed(found, wanted).annotate(customer_id=Subquery(holder))[:SHOWN_MAX]


def narrowed(found: QuerySet[SessionLog], wanted: Past) -> QuerySet[SessionLog]:
    """Those of `found` of the router and the time wanted, that ended as wanted."""
    named = {
        "terminate_cause": wanted.terminate_cause,
        "ending": wanted.ending or None,
        "ended_at__gte": wanted.since,
        "started_at__lte": wanted.until,
    }
    if wanted.router_id is not None:
        found = found.filter(
            nas_id__in=list(Nas.objects.filter(router_id=wanted.router_id).values_list("pk", flat=True))
        )
    return found.filter(**{key: value for key, value in named.items() if value is not None})


def _match(text: str, partner_ids: Sequence[int] | None) -> Q:
    address = _address(text)
    if isinstance(address, IPv4Address):
        return Q(framed_ipv4=str(address))
    if isinstance(address, IPv6Address):
        return _in_prefix(address)
    if MAC_BEGINS.match(text):
        colons = text.replace("-", ":")
        return Q(calling_station__istartswith=colons) | Q(calling_station__istartswith=colons.replace(":", "-"))
    customers = Customer.objects.filter(Q(name__istartswith=text) | Q(number__iexact=text))
    if partner_ids is not None:
        customers = customers.filter(partner_id__in=partner_ids)
    services = Service.objects.filter(customer__in=list(customers.values_list("pk", flat=True)[:CUSTOMERS_MAX]))
    return Q(user_name__startswith=text) | Q(service_id__in=list(services.values_list("pk", flat=True)))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _in_prefix(address: IPv6Address) -> Q:
    """By the indexes of 0004."""

    def holds(column: str) -> Func:
        return Func(
            F(column),
            Value(str(address)),
            template="(%(expressions)s::inet)",
            arg_joiner=" >>= ",
            output_field=BooleanField(),
        )

    return Q(framed_ipv6=str(address)) | Q(holds("framed_ipv6_prefix")) | Q(holds("delegated_prefix"))
