"""Pages of routers and their pools. What is RADIUS about a router, the access room adds (ui.panels)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.core.access import DEFAULT_ANSWERS, Cause
from demarc.network import actions, queries
from demarc.network.forms import AnswersForm, NewPoolForm, PoolForm, RouterForm
from demarc.network.models import PREFIX_KINDS, CauseAnswer, NasType, Pool, PoolKind, Router
from demarc.staff.doors import actor_of, page, permitted, scope, within
from demarc.staff.pages import carried_out, choose_partner, chosen_partner, list_page, parts
from demarc.ui.forms import form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec
from demarc.ui.panels import Fact

CAUSES: dict[int, str] = {
    Cause.NOT_FOUND: "0: not found",
    Cause.NOT_ACTIVE: "1: blocked or not active",
    Cause.NO_MONEY: "2: no money",
    Cause.WRONG_MAC: "3: wrong MAC or other",
    Cause.WRONG_PASSWORD: "4: wrong password",
}


def _router_rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Router]:
    found = queries.routers(scope(request)).annotate(pool_count=Count("pools"))
    if "type" in picked:
        found = found.filter(nas_type=picked["type"])
    return found.filter(name__icontains=picked["q"]) if "q" in picked else found


ROUTERS = ListSpec(
    name="routers",
    one="router",
    many="routers",
    search="Name",
    filters=(Filter("type", "Type", lambda request: NasType.choices),),
    columns=(
        Column(
            label="Name",
            value=lambda router: router.name,
            href=lambda router: reverse("router", args=[router.pk]),
            order="name",
        ),
        Column(label="Type", value=lambda router: router.get_nas_type_display()),
        Column(label="Site", value=lambda router: router.site.name if router.site else ""),
        Column(label="Pools", value=lambda router: router.pool_count, number=True),
    ),
    rows=_router_rows,
    empty="There is no router yet. Add the one that your customers connect through.",
)


def _pool_rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Pool]:
    found = queries.pools(scope(request))
    if "kind" in picked:
        found = found.filter(kind=picked["kind"])
    return found.filter(name__icontains=picked["q"]) if "q" in picked else found


POOLS = ListSpec(
    name="pools",
    one="pool",
    many="pools",
    search="Name",
    filters=(Filter("kind", "Kind", lambda request: PoolKind.choices),),
    columns=(
        Column(
            label="Name", value=lambda pool: pool.name, href=lambda pool: reverse("pool", args=[pool.pk]), order="name"
        ),
        Column(label="Network", value=lambda pool: pool.network),
        Column(label="Kind", value=lambda pool: pool.get_kind_display()),
        Column(label="Router", value=lambda pool: pool.router.name if pool.router else "All routers"),
    ),
    rows=_pool_rows,
    empty="There is no pool yet. Addresses for sessions and for blocked customers come from pools.",
)


@page("routers.see")
def routers(request: HttpRequest) -> HttpResponseBase:
    """All routers that the viewer may see."""
    add = reverse("new_router") if permitted(request, "routers.edit") else ""
    return list_page(request, ROUTERS, title="Routers", add_href=add, add_label="New router")


@page("pools.see")
def pools(request: HttpRequest) -> HttpResponseBase:
    """All pools that the viewer may see, and what other rooms say of them together."""
    add = reverse("new_pool") if permitted(request, "pools.edit") else ""
    notices = [notice for made in parts(request, "pools.notices") for notice in made]
    words = {"title": "Pools", "add_href": add, "add_label": "New pool", "notices": notices}
    return list_page(request, POOLS, "network/pools.html", **words)


def visible_router(request: HttpRequest, router_id: int) -> Router:
    """The router, if it is one of the viewer's; else 404."""
    return get_object_or_404(within(request, Router.objects.select_related("partner", "site")), pk=router_id)


@page("routers.see")
def router(request: HttpRequest, router_id: int) -> HttpResponse:
    """A router: what it answers blocked customers, its pools, and what the access room knows of it."""
    found = visible_router(request, router_id)
    answers = queries.router_answers([found.partner_id])[router_id]
    rules = {rule.cause: rule for rule in queries.cause_rules(found.partner_id)}
    rows = [(CAUSES[cause], CauseAnswer(answers[cause]).label, rules.get(cause)) for cause in Cause]
    shown = {
        "router": found,
        "facts": (Fact("Type", found.get_nas_type_display(), (found.site or "No site",)), *_facts(request, found)),
        "answers": rows,
        "pools": queries.pools(None).filter(router=found),
        "panels": parts(request, "router.panels", found),
        "notices": [notice for made in parts(request, "router.attention", found) for notice in made],
    }
    return render(request, "network/router.html", shown)


def _facts(request: HttpRequest, router: Router) -> list[Any]:
    return [fact for made in parts(request, "router.facts", router) for fact in made]


@page("routers.edit")
def new_router(request: HttpRequest) -> HttpResponse:
    """A new router; next it is made a RADIUS client."""
    partner = chosen_partner(request)
    if partner is None:
        return choose_partner(request, "New router")
    form = RouterForm(posted(request), partner_id=partner.pk)

    def act() -> Router:
        return actions.create_router(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "create_router", ("partner", partner.pk), act):
        messages.success(request, "The router is added. Next: its address and RADIUS secret.")
        return redirect("router", form.result.pk)
    back = reverse("routers")
    return form_page(request, form, title="New router", submit="Add router", back=back, back_label="Routers")


@page("routers.edit")
def edit_router(request: HttpRequest, router_id: int) -> HttpResponse:
    """Change a router's record."""
    found = visible_router(request, router_id)
    initial = {"name": found.name, "nas_type": found.nas_type, "site_id": found.site_id}
    form = RouterForm(posted(request), partner_id=found.partner_id, initial=initial)

    def act() -> Router:
        return actions.update_router(router_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "update_router", ("router", router_id), act):
        messages.success(request, "The router is saved.")
        return redirect("router", router_id)
    back = reverse("router", args=[router_id])
    return form_page(request, form, title="Edit router", submit="Save", back=back, back_label=found.name)


@page("routers.edit")
def router_answers(request: HttpRequest, router_id: int) -> HttpResponse:
    """What this router's customers get for each cause."""
    found = visible_router(request, router_id)
    set_now = {str(row.cause): row.answer for row in found.causes.all()}
    causes = [(int(cause), CAUSES[cause], CauseAnswer(DEFAULT_ANSWERS[cause].value).label.lower()) for cause in Cause]
    initial = {f"cause_{cause}": set_now.get(str(cause), "") for cause, _, _ in causes}
    form = AnswersForm(posted(request), causes=causes, initial=initial)

    def act() -> None:
        for cause, _, _ in causes:
            answer = form.cleaned_data[f"cause_{cause}"]
            if answer != initial[f"cause_{cause}"]:
                actions.set_router_cause(router_id, cause, answer=answer or None, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "set_answer", ("router", router_id), act):
        messages.success(request, "The answers are saved; new sessions get them within seconds.")
        return redirect("router", router_id)
    lines = ["Sessions that are on keep what they got; new ones are answered so."]
    back = reverse("router", args=[router_id])
    return form_page(
        request,
        form,
        title="Answers for blocked customers",
        submit="Save answers",
        consequences=lines,
        back=back,
        back_label=found.name,
    )


@page("pools.see")
def pool(request: HttpRequest, pool_id: int) -> HttpResponse:
    """A pool: its addresses and how many are used."""
    found = get_object_or_404(within(request, Pool.objects.select_related("partner", "router")), pk=pool_id)
    facts = (
        Fact("Network", str(found.network), (_extent(found),)),
        Fact("Kind", found.get_kind_display(), (found.router or "All routers",)),
        *(fact for made in parts(request, "pool.facts", found) for fact in made),
    )
    return render(request, "network/pool.html", {"pool": found, "facts": facts})


def _extent(pool: Pool) -> str:
    if pool.kind in PREFIX_KINDS:
        return f"a /{pool.prefix_length} each"
    return f"{pool.first} to {pool.last}"


@page("pools.edit")
def new_pool(request: HttpRequest) -> HttpResponse:
    """A new pool."""
    partner = chosen_partner(request)
    if partner is None:
        return choose_partner(request, "New pool")
    form = NewPoolForm(posted(request), partner_id=partner.pk, initial={"router_id": request.GET.get("router")})

    def act() -> Pool:
        return actions.create_pool(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "create_pool", ("partner", partner.pk), act):
        messages.success(request, f"The pool {form.result} is made.")
        return redirect("pool", form.result.pk)
    back = reverse("pools")
    return form_page(request, form, title="New pool", submit="Add pool", back=back, back_label="Pools")


@page("pools.edit")
def edit_pool(request: HttpRequest, pool_id: int) -> HttpResponse:
    """Rename a pool, or give it to another router."""
    found = get_object_or_404(within(request, Pool.objects.all()), pk=pool_id)
    initial = {"name": found.name, "router_id": found.router_id}
    form = PoolForm(posted(request), partner_id=found.partner_id, initial=initial)

    def act() -> Pool:
        return actions.update_pool(pool_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "update_pool", ("pool", pool_id), act):
        messages.success(request, "The pool is saved.")
        return redirect("pool", pool_id)
    back = reverse("pool", args=[pool_id])
    return form_page(request, form, title="Edit pool", submit="Save", back=back, back_label=found.name)
