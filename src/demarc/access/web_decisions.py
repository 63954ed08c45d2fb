"""Pages of decisions: why somebody was answered so, and which answers of the past other rules would change.

What stands in them came from outside: it is shown with everything visible.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.access import tracing
from demarc.access.actions.moving import DECISIONS_KEPT_DAYS
from demarc.access.forms import ShadowForm
from demarc.access.models import AnsweredBy, Decision, Nas, Outcome, Subscriber
from demarc.base import clock, log
from demarc.core.access import Answer, Cause
from demarc.staff.doors import actor_of, page, scope, within
from demarc.staff.pages import list_page, seen
from demarc.ui import components, formats
from demarc.ui.forms import UNPROCESSABLE, posted
from demarc.ui.lists import Column, Filter, ListSpec

SPANS = {"hour": ("The last hour", timedelta(hours=1)), "day": ("The last day", timedelta(days=1))}
KEPT = timedelta(days=DECISIONS_KEPT_DAYS + 1)
SHOWN_MAX = 46
CHIPS = {
    Outcome.ACCEPT: "active",
    Outcome.LIMITED: "paused",
    Outcome.REJECT: "blocked",
    Outcome.CHALLENGE: "pending",
    Outcome.SILENT: "inactive",
}


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Decision]:
    """At most DECISIONS_SHOWN_MAX: who looks for one narrows the search."""
    back = SPANS[picked["time"]][1] if "time" in picked else KEPT
    found = tracing.decisions(scope(request), clock.now() - back, picked.get("q", ""))
    if "router" in picked:
        found = found.filter(nas_id=Nas.objects.filter(router_id=int(picked["router"])).values("pk")[:1])
    if "outcome" in picked:
        found = found.filter(outcome=picked["outcome"])
    if "by" in picked:
        found = found.filter(answered_by=picked["by"])
    if "differs" in picked:
        found = found.filter(differs__len__gt=0)
    return found[: tracing.DECISIONS_SHOWN_MAX]


def _routers(request: HttpRequest) -> list[tuple[str, str]]:
    nases = within(request, Nas.objects.order_by("router__name"))
    return [(str(key), name) for key, name in nases.values_list("router_id", "router__name")]


def _names(decisions: Sequence[Decision]) -> dict[int, str]:
    names = dict(Nas.objects.filter(pk__in={one.nas_id for one in decisions}).values_list("pk", "router__name"))
    return {one.pk: names.get(one.nas_id, "") for one in decisions}


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def _outcome(decision: Decision) -> SafeString:
    return components.chip(CHIPS[Outcome(decision.outcome)], Outcome(decision.outcome).label)


DECISIONS = ListSpec(
    name="decisions",
    one="decision",
    many="decisions",
    search="Login, MAC or address",
    filters=(
        Filter("time", "Time", lambda request: [(key, label) for key, (label, _) in SPANS.items()]),
        Filter("router", "Router", _routers),
        Filter("outcome", "Answer", lambda request: Outcome.choices),
        Filter("by", "Answered by", lambda request: AnsweredBy.choices),
        Filter("differs", "Differs", lambda request: (("yes", "From the old server"),)),
    ),
    columns=(
        Column(
            label="Login",
            value=lambda decision: formats.visible(decision.login),
            shown=lambda decision: _short(formats.visible(decision.login)) or "No name",
            href=lambda decision: reverse("decision", args=[decision.pk]),
        ),
        Column(
            label="When",
            value=lambda decision: decision.at,
            shown=lambda decision: components.at(decision.at),
        ),
        Column(label="Answer", value=lambda decision: decision.outcome, shown=_outcome),
        Column(label="By", value=lambda decision: AnsweredBy(decision.answered_by).label),
        Column(
            label="Why",
            value=lambda decision: formats.visible(decision.why),
            shown=lambda decision: _short(formats.visible(decision.why)),
        ),
        Column(label="Address", value=lambda decision: decision.address or ""),
        Column(label="Router", value=lambda name: name or "", load=_names),
    ),
    rows=_rows,
    empty="Nobody has asked for access in this time. Decisions are kept for a week.",
)


@page("sessions.see")
def decisions(request: HttpRequest) -> HttpResponseBase:
    """How requests were answered, the latest first."""
    return list_page(request, DECISIONS, "access/decisions.html", title="Decisions")


@page("sessions.see")
def decision(request: HttpRequest, decision_id: int) -> HttpResponse:
    """One answer, step by step."""
    found = get_object_or_404(within(request, Decision.objects.all()), pk=decision_id)
    login = Subscriber.objects.select_related("service__customer").filter(pk=found.subscriber_id or 0).first()
    customer = login.service.customer if login else None
    if customer is not None:
        seen(request, ("customer", customer.pk), found.partner_id)
    router = Nas.objects.select_related("router").filter(pk=found.nas_id).first()
    shown = {
        "decision": found,
        "chip": _outcome(found),
        "steps": tracing.steps(found, router.router.name if router else ""),
        "customer": customer,
        "router": router,
    }
    return render(request, "access/decision.html", shown)


@page("routers.see")
def shadow(request: HttpRequest) -> HttpResponse:
    """The past under other rules; only looked at, nothing is changed by it."""
    nases = {nas.pk: nas for nas in within(request, Nas.objects.select_related("router").order_by("router__name"))}
    form = ShadowForm(posted(request), nases=[(nas.pk, nas.router.name) for nas in nases.values()])
    shown: dict[str, Any] = {"form": form}
    if form.is_valid():
        nas = nases[form.cleaned_data["nas_id"]]
        shown |= {"nas": nas, "replayed": _replayed(request, nas, form.cleaned_data, clock.now())}
    return render(request, "access/shadow.html", shown, status=UNPROCESSABLE if form.errors else 200)


def _replayed(request: HttpRequest, nas: Nas, given: dict[str, Any], at: datetime) -> tracing.Replayed:
    answers = {cause: Answer(given[f"cause_{cause:d}"]) for cause in Cause if given[f"cause_{cause:d}"]}
    what_if = tracing.WhatIf(given["preset"], given["session_limit"], answers)
    since = timedelta(hours=given["hours"])
    found = tracing.what_would_change(nas, what_if, since=since, at=at, limit=given["requests"])
    told = {"requests": found.requests, "changed": found.changed}
    subject = ("router", nas.router_id)
    log.record("shadow_run", by=actor_of(request), at=at, subject=subject, partner_id=nas.partner_id, **told)
    return found
