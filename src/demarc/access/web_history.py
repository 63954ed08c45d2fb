"""The page of ended sessions: found by customer, login, router, device, address, time and how they ended."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from demarc.access import history, queries
from demarc.access.models import Ending, Nas, SessionLog
from demarc.base import clock
from demarc.customers.models import Customer
from demarc.staff.doors import page, scope, within
from demarc.staff.pages import list_page
from demarc.ui import components, formats
from demarc.ui.lists import Column, Filter, ListSpec, Moment, moment_of
from demarc.wire.radius.dictionary import TERMINATE_CAUSES


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[SessionLog]:
    wanted = history.Past(
        text=picked.get("q", ""),
        customer_id=_number(picked, "customer"),
        router_id=_number(picked, "router"),
        terminate_cause=_number(picked, "cause"),
        ending=picked.get("ending", ""),
        since=moment_of(picked, "from"),
        until=moment_of(picked, "to"),
    )
    return history.past(scope(request), wanted, clock.now())


def _number(picked: Mapping[str, str], key: str) -> int | None:
    return int(picked[key]) if key in picked else None


def _routers(request: HttpRequest) -> list[tuple[str, str]]:
    nases = within(request, Nas.objects.order_by("router__name"))
    return [(str(key), name) for key, name in nases.values_list("router_id", "router__name")]


def _customer(request: HttpRequest) -> list[tuple[str, str]]:
    """The one whose page led here."""
    asked = request.GET.get("customer", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        return []
    found = within(request, Customer.objects.filter(pk=int(asked)))
    return [(str(one.pk), one.name) for one in found]


def _causes(request: HttpRequest) -> list[tuple[str, str]]:
    known = (
        (str(number), f"{words.capitalize()} ({TERMINATE_CAUSES[number]})") for number, words in queries.ENDINGS.items()
    )
    return [("0", "Not said"), *known]


def _router_names(sessions: Sequence[SessionLog]) -> dict[int, str]:
    names = dict(Nas.objects.filter(pk__in={one.nas_id for one in sessions}).values_list("pk", "router__name"))
    return {one.pk: names.get(one.nas_id, "") for one in sessions}


def _customers(sessions: Sequence[Any]) -> dict[int, str]:
    names = dict(Customer.objects.filter(pk__in={one.customer_id for one in sessions}).values_list("pk", "name"))
    return {one.pk: names.get(one.customer_id, "") for one in sessions}


def _addresses(session: SessionLog) -> str:
    held = (session.framed_ipv4, session.framed_ipv6_prefix, session.delegated_prefix, session.framed_ipv6)
    return " ".join(str(one) for one in held if one)


PAST = ListSpec(
    name="past_sessions",
    one="ended session",
    many="ended sessions",
    search="Login, customer, address or MAC",
    filters=(
        Filter("customer", "Customer", _customer),
        Filter("router", "Router", _routers),
        Filter("cause", "Cause", _causes),
        Filter("ending", "Learned by", lambda request: Ending.choices),
    ),
    moments=(Moment("from", "From"), Moment("to", "To")),
    columns=(
        Column(
            label="Login",
            value=lambda session: formats.visible(session.user_name),
            shown=lambda session: components.code(formats.visible(session.user_name)),
        ),
        Column(
            label="Customer",
            value=lambda name: name or "",
            load=_customers,
            href=lambda session: reverse("customer", args=[session.customer_id]) if session.customer_id else "",
        ),
        Column(
            label="From",
            value=lambda session: session.started_at,
            shown=lambda session: components.at(session.started_at),
        ),
        Column(
            label="To",
            value=lambda session: session.ended_at,
            shown=lambda session: components.at(session.ended_at),
        ),
        Column(
            label="Lasted",
            value=lambda session: session.session_time_s,
            shown=lambda session: formats.duration(session.session_time_s),
            number=True,
        ),
        Column(label="Address", value=_addresses, shown=lambda session: components.code(_addresses(session))),
        Column(
            label="MAC",
            value=lambda session: formats.visible(session.calling_station),
            shown=lambda session: components.code(formats.visible(session.calling_station)),
        ),
        Column(label="Router", value=lambda name: name or "", load=_router_names),
        Column(
            label="Down",
            value=lambda session: session.output_octets,
            shown=lambda session: formats.octets(session.output_octets),
            number=True,
        ),
        Column(
            label="Up",
            value=lambda session: session.input_octets,
            shown=lambda session: formats.octets(session.input_octets),
            number=True,
        ),
        Column(label="Why it ended", value=queries.ending),
    ),
    rows=_rows,
    empty="No session ended in this time. Without a search, those of the last seven days are looked at.",
)


@page("sessions.see")
def past(request: HttpRequest) -> HttpResponseBase:
    """Ended sessions, the latest first; times are the viewer's."""
    return list_page(request, PAST, "access/past.html", title="Ended sessions")
