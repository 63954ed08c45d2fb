"""Pages of sessions: who is online, a customer's sessions now and past, disconnecting. Live parts carry their age."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.access import actions, queries
from demarc.access.models import FairUseState, SessionLive
from demarc.base import clock
from demarc.customers.models import Customer
from demarc.customers.web import customer_page, visible_customer
from demarc.network.models import Router
from demarc.staff.doors import actor_of, page, permitted, scope, within
from demarc.staff.pages import carried_out, list_page, seen
from demarc.ui import components, formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec

PAST_SHOWN = 50


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[SessionLive]:
    found = queries.online_sessions(scope(request), picked.get("q", ""))
    if "router" in picked:
        found = found.filter(nas__router_id=int(picked["router"]))
    if "blocked" in picked:
        limited = found.exclude(subscriber__cause=None) | found.filter(subscriber=None)
        found = (
            limited if picked["blocked"] == "yes" else found.filter(subscriber__cause=None, subscriber__isnull=False)
        )
    return found


def _routers(request: HttpRequest) -> list[tuple[str, str]]:
    routers = within(request, Router.objects.filter(nas__isnull=False).order_by("name"))
    return [(str(key), name) for key, name in routers.values_list("id", "name")]


def _holder(session: SessionLive) -> str:
    return reverse("customer", args=[session.service.customer_id]) if session.service else ""


def _state(session: SessionLive) -> Any:
    if session.subscriber is None:
        return components.chip("blocked", "Not known")
    if session.subscriber.cause is None:
        slowed = session.subscriber.fair_use == FairUseState.SLOWED
        return components.chip("paused", "Slowed") if slowed else components.chip("active", "Full access")
    return components.chip("blocked", queries.why(session.subscriber).capitalize())


SESSIONS = ListSpec(
    name="sessions",
    one="session",
    many="sessions",
    search="Login, address, MAC",
    filters=(
        Filter("router", "Router", _routers),
        Filter("blocked", "Blocked", lambda request: (("yes", "Yes"), ("no", "No"))),
    ),
    columns=(
        Column(label="Login", value=lambda session: session.user_name, href=_holder, order="user_name"),
        Column(label="Customer", value=lambda session: session.service.customer.name if session.service else ""),
        Column(label="Access", value=lambda session: session.list_name or "", shown=_state),
        Column(
            label="Address",
            value=lambda session: session.framed_ipv4,
            shown=lambda session: components.code(session.framed_ipv4),
            order="framed_ipv4",
        ),
        Column(label="Router", value=lambda session: session.nas.router.name),
        Column(
            label="Since",
            value=lambda session: session.started_at,
            shown=lambda session: components.age(session.started_at),
            order="started_at",
        ),
        Column(
            label="Down",
            value=lambda session: session.output_octets,
            shown=lambda session: formats.octets(session.output_octets),
            number=True,
            order="output_octets",
        ),
        Column(
            label="Up",
            value=lambda session: session.input_octets,
            shown=lambda session: formats.octets(session.input_octets),
            number=True,
            order="input_octets",
        ),
        Column(
            label="Heard of",
            value=lambda session: session.updated_at,
            shown=lambda session: components.age(session.updated_at),
            order="updated_at",
        ),
    ),
    rows=_rows,
    empty="Nobody is online. Sessions appear within a second of the router's first accounting packet.",
)


@page("sessions.see")
def sessions(request: HttpRequest) -> HttpResponseBase:
    """Who is online now; without a filter it keeps itself current."""
    template = "access/sessions_live.html" if request.headers.get("HX-Request") else "access/sessions.html"
    return list_page(request, SESSIONS, template, title="Sessions online")


def disconnect_columns(request: HttpRequest) -> list[Column]:
    """At the end of the list of sessions: cut one."""
    return [
        Column(
            label="Cut",
            value=lambda session: "",
            shown=lambda session: "Disconnect",
            href=lambda session: reverse("disconnect", args=[session.pk]),
        )
    ]


@page("sessions.edit")
def disconnect(request: HttpRequest, session_id: int) -> HttpResponse:
    """Ask the router to cut one session."""
    found = get_object_or_404(
        within(request, SessionLive.objects.select_related("nas__router", "service__customer")), pk=session_id
    )
    subject = ("customer", found.service.customer_id) if found.service else ("router", found.nas.router_id)
    form = Form(posted(request))
    if found.service:
        seen(request, ("customer", found.service.customer_id), found.partner_id)

    def act() -> Any:
        return actions.request_disconnect(session_id, by=actor_of(request), at=clock.now())

    back = reverse("customer_sessions", args=[found.service.customer_id]) if found.service else reverse("sessions")
    if carried_out(request, form, "disconnect", subject, act):
        messages.success(request, f"The router {found.nas.router} was asked to cut {found.user_name}.")
        return redirect(back)
    lines = [
        f"{found.nas.router} is asked to cut the session; its answer is shown with the customer.",
        "The customer's device will connect again by itself, usually within a minute.",
    ]
    return form_page(
        request,
        form,
        title=f"Disconnect {found.user_name}",
        submit="Disconnect now",
        danger=True,
        consequences=lines,
        intro=f"On since {formats.moment(found.started_at)} with {found.framed_ipv4 or 'no address'}.",
        back=back,
        back_label=found.service.customer.name if found.service else "Sessions",
    )


@page("sessions.see")
def customer_sessions(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer's sessions: on now, logins, what routers confirmed, and the past."""
    customer = visible_customer(request, customer_id)
    services = list(customer.services.select_related("plan").order_by("id"))
    past = [
        session for service in services for session in queries.past_sessions(service_id=service.pk, limit=PAST_SHOWN)
    ]
    past.sort(key=lambda session: session.started_at, reverse=True)
    names = dict(Router.objects.filter(nas__isnull=False).values_list("nas__id", "name"))
    return customer_page(
        request,
        customer,
        "customer_sessions",
        "access/customer_sessions.html",
        logins=[(service, queries.logins_of(service.pk)) for service in services],
        past=[(session, names.get(session.nas_id, ""), queries.ending(session)) for session in past[:PAST_SHOWN]],
        past_shown=PAST_SHOWN,
        **live_words(request, customer),
    )


@page("sessions.see")
def customer_live(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The part of a customer's page that keeps itself current."""
    customer = visible_customer(request, customer_id)
    return render(request, "access/live.html", {"customer": customer, **live_words(request, customer)})


def live_words(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """His sessions that are on, and the last word of the routers about each service."""
    found = SessionLive.objects.filter(service__customer=customer).select_related("nas__router", "subscriber")
    services = customer.services.order_by("id").values_list("id", flat=True)
    confirmed = [word for service_id in services[:20] if (word := queries.router_confirmed(service_id))]
    return {
        "online": [(session, _state(session)) for session in found.order_by("-started_at")[:20]],
        "confirmed": confirmed,
        "may_disconnect": permitted(request, "sessions.edit"),
    }
