"""Pages of what routers were told: how quickly they did it, what is stuck and why, and telling them once more."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.access import actions, orders, queries
from demarc.access.models import CoaIntent
from demarc.base import clock
from demarc.staff.doors import actor_of, page, scope, within
from demarc.staff.pages import carried_out
from demarc.ui import formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.panels import Fact

STUCK_MAX = 100
PERIODS = {24: "24 hours", 168: "7 days", 720: "30 days"}
ENDED_SHOWN = 100
NONE = ("–", "–")


@page("orders.see")
def told(request: HttpRequest) -> HttpResponse:
    """What routers were told lately, how long each took, what is stuck, and whose doing it was that sessions ended."""
    asked = request.GET.get("hours", "")
    hours = int(asked) if asked in map(str, PERIODS) else 24
    found = orders.speeds(scope(request), hours)
    stuck = queries.unconfirmed(scope(request), STUCK_MAX)
    ended = orders.ended_sessions(scope(request), limit=ENDED_SHOWN)
    shown = {
        "facts": _facts(found[0]) if found and found[0].told else (),
        "routers": [(speed, _times(speed.answered_s), _times(speed.seen_s)) for speed in found[1:]],
        "stuck": [(intent, queries.confirmation(intent)) for intent in stuck],
        "stuck_max": STUCK_MAX,
        "ended": ended,
        "most_ended": max((hour.by_us + hour.by_others + hour.silent for hour in ended), default=0),
        "periods": [(number, words, number == hours) for number, words in PERIODS.items()],
        "period": PERIODS[hours],
    }
    return render(request, "access/orders.html", shown)


def _facts(all_routers: orders.Speed) -> tuple[Fact, ...]:
    answered, seen = _times(all_routers.answered_s), _times(all_routers.seen_s)
    return (
        Fact("Router confirmed after", answered[0], _nearly_all(answered)),
        Fact("Seen in accounting after", seen[0], _nearly_all(seen)),
        Fact("Told", formats.number(all_routers.told), (f"{formats.number(all_routers.waiting)} under way",)),
        Fact("Stuck", formats.number(all_routers.stuck), (), "bad" if all_routers.stuck else "good"),
    )


def _nearly_all(times: tuple[str, str]) -> tuple[str, ...]:
    return () if times == NONE else (f"99 of 100 within {times[1]}",)


def _times(pair: tuple[float, float] | None) -> tuple[str, str]:
    """Half and nearly all, in words."""
    return NONE if pair is None else (_seconds(pair[0]), _seconds(pair[1]))


def _seconds(number: float) -> str:
    return f"{number:.1f} s" if number < 60 else formats.duration(round(number))


@page("orders.edit")
def retry(request: HttpRequest, intent_id: int) -> HttpResponse:
    """Tell a router once more what it did not do."""
    mine = within(request, CoaIntent.objects.select_related("nas__router", "subscriber__service"), "nas__partner_id")
    found = get_object_or_404(mine, pk=intent_id)
    customer_id = found.subscriber.service.customer_id if found.subscriber else None
    subject = ("customer", customer_id) if customer_id else ("router", found.nas.router_id)
    form = Form(posted(request))

    def act() -> Any:
        return actions.retry_intent(intent_id, by=actor_of(request), at=clock.now())

    back = reverse("customer_sessions", args=[customer_id]) if customer_id else reverse("orders")
    if carried_out(request, form, "retry_order", subject, act):
        messages.success(request, f"The router {found.nas.router} is told once more; its answer is shown here.")
        return redirect(back)
    return form_page(
        request,
        form,
        title=f"Tell {found.nas.router} once more",
        submit="Tell it now",
        intro=f"{found.user_name}: {queries.confirmation(found).words}.",
        back=back,
        back_label="Sessions" if customer_id else "What routers were told",
    )
