"""What sessions, logins and RADIUS clients add to the pages of other rooms. Wired in project.wiring."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from demarc.access import one_less, queries
from demarc.access.models import Nas, SessionLive, Subscriber
from demarc.access.web import live_words
from demarc.base import clock, words
from demarc.customers.models import Customer
from demarc.network.models import Pool, Router
from demarc.plans.models import Plan, Service, ServiceState
from demarc.staff.doors import permitted, scope, within
from demarc.ui import components, formats
from demarc.ui.lists import Column
from demarc.ui.panels import Action, Fact, Notice

FOUND_MAX = 500
SILENT_INTERIMS = 2
NEARLY_FULL_PERCENT = 90
LOSSES_SHOWN = 20


def customers_by_login(request: HttpRequest, text: str) -> list[int]:
    """For the search of customers: whose login begins so, or who holds this address or MAC, now or for good."""
    logins = [found.subject_id for found in words.nearest(["login"], text, scope(request), FOUND_MAX)]
    holders = Subscriber.objects.filter(pk__in=logins).values_list("service__customer_id", flat=True)
    held = queries.holding(text)
    live = within(request, SessionLive.objects.filter(held)) if held else SessionLive.objects.none()
    online = live.values_list("service__customer_id", flat=True)[:FOUND_MAX]
    return [key for key in {*holders, *online} if key is not None]


def online_columns(request: HttpRequest) -> list[Column]:
    """In the list of customers: who is online."""
    return [
        Column(
            label="Online",
            value=lambda since: since,
            shown=lambda since: components.chip("online", "Online") if since else "",
            load=_online,
        )
    ]


def _online(customers: Sequence[Customer]) -> Mapping[int, Any]:
    live = SessionLive.objects.filter(service__customer__in=customers).values_list("service__customer_id")
    return dict(live.annotate(since=Max("started_at")))


def online_fact(request: HttpRequest, customer: Customer) -> Fact:
    """Under the customer's name: online or since when not, and the routers' last word."""
    words = live_words(request, customer)
    href = reverse("customer_sessions", args=[customer.pk])
    told = tuple(
        format_html('<span class="{}">{}</span>', "" if word.good else "bad", word.words.capitalize())
        for word in words["confirmed"][:1]
    )
    if words["online"]:
        session = words["online"][0][0]
        where = format_html("{} on {}", session.framed_ipv4 or "No address", session.nas.router.name)
        return Fact("Connection", format_html("Online {}", _long(session.started_at)), (where, *told), "good", href)
    ended = [session for key in _service_ids(customer) for session in queries.past_sessions(service_id=key, limit=1)]
    last = max(ended, key=lambda session: session.ended_at, default=None)
    if last is None:
        return Fact("Connection", "Never online", told, "", href)
    was = format_html("Last with {}", last.framed_ipv4 or "no address")
    return Fact("Connection", format_html("Offline {}", _long(last.ended_at)), (was, *told), "", href)


def _long(then: Any) -> str:
    return formats.duration(round((clock.now() - then) / timedelta(seconds=1)))


def _service_ids(customer: Customer) -> list[int]:
    return list(customer.services.order_by("-id").values_list("id", flat=True)[:20])


def live_panel(request: HttpRequest, customer: Customer) -> SafeString:
    """On the customer's overview: his sessions, kept current."""
    return render_to_string("access/live.html", {"customer": customer, **live_words(request, customer)}, request)


def block_lines(request: HttpRequest, customer: Customer) -> str:
    """Before the button "Block now": what happens to his sessions."""
    live = SessionLive.objects.filter(service__customer=customer).select_related("nas__router")
    if not live:
        return "He is not online now; the next login is answered as blocked."
    on = ", ".join(sorted({session.nas.router.name for session in live}))
    return f"{formats.plural(len(live), 'session')} on {on} will be limited or cut within seconds."


def customer_attention(request: HttpRequest, customer: Customer) -> list[Notice]:
    """On the customer's overview: a service that nobody can use."""
    href = reverse("customer_services", args=[customer.pk])
    bare = customer.services.exclude(state=ServiceState.ENDED).filter(subscribers=None).count()
    if not bare:
        return []
    return [Notice("warning", f"{formats.plural(bare, 'service')} without a login: nobody can connect.", href, "Show")]


def logins_panel(request: HttpRequest, service: Service) -> SafeString:
    """On the service's page: its logins."""
    shown = {"service": service, "states": queries.logins_of(service.pk)}
    return render_to_string("access/logins_panel.html", shown, request)


def login_action(request: HttpRequest, service: Service) -> Action | None:
    """On the service's page: another login."""
    if service.state == ServiceState.ENDED:
        return None
    return Action("Add login", reverse("new_login", args=[service.pk]), "key")


def radius_panel(request: HttpRequest, router: Router) -> SafeString:
    """On the router's page: how it is a RADIUS client."""
    nas = Nas.objects.filter(router=router).first()
    return render_to_string("access/radius_panel.html", {"router": router, "nas": nas}, request)


def router_facts(request: HttpRequest, router: Router) -> list[Fact]:
    """Under the router's name: when it was heard of, and how many sessions it has."""
    nas = Nas.objects.filter(router=router).first()
    if nas is None:
        return [Fact("RADIUS", "Not set up", ("Its packets get no answer",), "soon")]
    online = SessionLive.objects.filter(nas=nas).count()
    tone = "bad" if _silent(nas) else "good"
    heard = components.age(nas.last_seen_at)
    href = f"{reverse('sessions')}?router={router.pk}"
    return [Fact("Heard of", heard, (nas.address,), tone), Fact("Sessions", formats.number(online), (), "", href)]


def _silent(nas: Nas) -> bool:
    patience = timedelta(seconds=nas.interim_s * SILENT_INTERIMS)
    return nas.last_seen_at is None or clock.now() - nas.last_seen_at > patience


def router_columns(request: HttpRequest) -> list[Column]:
    """In the list of routers: when each was heard of."""
    return [
        Column(
            label="Heard of",
            value=lambda nas: nas.last_seen_at if nas else "",
            shown=lambda nas: components.age(nas.last_seen_at) if nas else "Not a RADIUS client",
            load=lambda routers: {nas.router_id: nas for nas in Nas.objects.filter(router__in=routers)},
        )
    ]


def pool_facts(request: HttpRequest, pool: Pool) -> list[Fact]:
    """Under the pool's name: how full it is."""
    use = queries.pool_use([pool.pk])[pool.pk]
    percent = use.used * 100 // max(use.size, 1)
    tone = "bad" if percent >= NEARLY_FULL_PERCENT else ""
    words = f"{percent} % of {formats.number(use.size)}"
    return [Fact("In use", formats.number(use.used), (words,), tone)]


def pool_columns(request: HttpRequest) -> list[Column]:
    """In the list of pools: how full each is."""
    return [
        Column(
            label="In use",
            value=lambda use: use.used,
            shown=lambda use: f"{formats.number(use.used)} of {formats.number(use.size)}",
            load=lambda pools: queries.pool_use([pool.pk for pool in pools]),
            number=True,
        )
    ]


def pool_losses(request: HttpRequest) -> list[Notice]:
    """Above the list of pools: whether they bear the loss of each concentrator, the worst first."""
    found = one_less.losses(scope(request), at=clock.now())[:LOSSES_SHOWN]
    return [Notice("warning" if loss.worrying else "info", loss.words) for loss in found]


def dashboard_fact(request: HttpRequest) -> Fact:
    """On the dashboard: who is online, of how many active services."""
    online = within(request, SessionLive.objects.all()).aggregate(n=Count("service_id", distinct=True))["n"]
    active = within(request, Service.objects.filter(state=ServiceState.ACTIVE)).count()
    return Fact(
        "Online", formats.number(online), (f"of {formats.plural(active, 'active service')}",), "", reverse("sessions")
    )


def first_steps(request: HttpRequest) -> list[Notice]:
    """On the dashboard of a new installation: what is still missing before somebody can be online."""
    steps = (
        (Plan, "plans.edit", "There is no plan yet: say what you sell.", "new_plan"),
        (Router, "routers.edit", "There is no router yet: add the one that customers connect through.", "new_router"),
        (Customer, "customers.edit", "There is no customer yet.", "new_customer"),
    )
    return [
        Notice("info", words, reverse(url) if permitted(request, permission) else "", "Add it")
        for model, permission, words, url in steps
        if not within(request, model.objects.all()).exists()
    ]


def dashboard_attention(request: HttpRequest) -> list[Notice]:
    """On the dashboard: routers that did not do as told, that are silent, pools that are nearly full, and those that
    would not bear the loss of a router."""
    return [*_unconfirmed(request), *_silent_routers(request), *_full_pools(request), *_short_without_one(request)]


def _unconfirmed(request: HttpRequest) -> list[Notice]:
    found = queries.unconfirmed(scope(request), limit=10)
    return [
        Notice(
            "error",
            format_html("{}: {}", intent.user_name, queries.confirmation(intent).words),
            f"{reverse('customers')}?q={intent.user_name}",
            "Show customer",
        )
        for intent in found
    ]


def _silent_routers(request: HttpRequest) -> list[Notice]:
    silent = [nas for nas in queries.nases(scope(request)) if _silent(nas)]
    return [
        Notice(
            "warning",
            _heard(nas),
            reverse("router", args=[nas.router_id]),
            "Show router",
        )
        for nas in silent[:10]
    ]


def _heard(nas: Nas) -> SafeString:
    if nas.last_seen_at is None:
        return format_html("Router {} has not been heard of yet.", nas.router.name)
    return format_html("Router {} is silent; it was heard of {}.", nas.router.name, components.age(nas.last_seen_at))


def _full_pools(request: HttpRequest) -> list[Notice]:
    pools = within(request, Pool.objects.exclude(kind="reject")).in_bulk()
    use = queries.pool_use(list(pools))
    full = [key for key, one in use.items() if one.used * 100 >= one.size * NEARLY_FULL_PERCENT]
    return [
        Notice(
            "warning",
            f"Pool {pools[key].name} is nearly full: {use[key].used} of {use[key].size} addresses.",
            reverse("pool", args=[key]),
            "Show pool",
        )
        for key in full[:10]
    ]


def _short_without_one(request: HttpRequest) -> list[Notice]:
    """The worst of each set: its other routers are short for the same reason."""
    worst: dict[tuple[int, int | None, str], one_less.Loss] = {}
    for loss in one_less.losses(scope(request), at=clock.now()):
        if loss.worrying:
            worst.setdefault((loss.router.partner_id, loss.router.site_id, loss.kind), loss)
    return [Notice("warning", loss.words, reverse("pools"), "Show pools") for loss in list(worst.values())[:10]]
