"""Pages of what blocked customers meet: the cause table and the blocking page's words and looks."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.access import PRESETS
from demarc.customers.web_terms import visible_partner
from demarc.network import actions, queries
from demarc.network.forms import CauseForm, OwnPageForm, PageForm
from demarc.network.models import BlockingPage, CauseRule
from demarc.network.web import CAUSES
from demarc.staff.doors import actor_of, page, scope
from demarc.staff.pages import carried_out
from demarc.ui.forms import Form, form_page, posted
from demarc.wire.ownpage import ARCHIVE_BYTES_MAX, INDEX


def causes_panel(request: HttpRequest, partner: Partner) -> SafeString:
    """On the provider's settings: the cause table."""
    rules = [(CAUSES[rule.cause], rule) for rule in queries.cause_rules(partner.pk)]
    presets = list(PRESETS)
    shown = {"partner": partner, "rules": rules, "presets": presets}
    return render_to_string("network/causes_panel.html", shown, request)


def page_panel(request: HttpRequest, partner: Partner) -> SafeString:
    """On the provider's settings: the blocking page."""
    shown = {"partner": partner, "page": BlockingPage.objects.filter(partner=partner).first()}
    return render_to_string("network/page_panel.html", shown, request)


@page("blocking.edit")
def edit_cause(request: HttpRequest, partner_id: int, cause: int) -> HttpResponse:
    """One row of the cause table."""
    partner = visible_partner(request, partner_id)
    rule = get_object_or_404(CauseRule, partner=partner, cause=cause)
    initial = {"list_name": rule.list_name, "pool_id": rule.pool_id, "page_port": rule.page_port}
    form = CauseForm(posted(request), partner_id=partner_id, initial=initial)

    def act() -> CauseRule:
        return actions.set_cause_rule(partner_id, cause, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_cause", ("partner", partner_id), act):
        messages.success(request, "The cause is saved.")
        return redirect("partner", partner_id)
    lines = [
        "RADIUS answers follow within seconds.",
        "A new list name or port needs the router script to be pasted again into every router.",
    ]
    title = f"Cause {CAUSES[cause]}"
    back = reverse("partner", args=[partner_id])
    return form_page(
        request, form, title=title, submit="Save cause", consequences=lines, back=back, back_label="Settings"
    )


@page("blocking.edit")
def use_preset(request: HttpRequest, partner_id: int, preset: str) -> HttpResponse:
    """Fill the cause table anew."""
    partner = visible_partner(request, partner_id)
    if preset not in PRESETS:
        raise Http404
    form = Form(posted(request))

    def act() -> None:
        actions.set_up_partner(partner.pk, preset=preset, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "set_preset", ("partner", partner_id), act):
        messages.success(request, "The cause table is filled.")
        return redirect("partner", partner_id)
    lines = [
        f"{CAUSES[row.cause]}: list {row.list_name}, page on port {row.page_port}"
        for row in queries.preset_rows(preset)
    ]
    lines.append("Lists and ports that were changed by hand are set back; reject pools stay.")
    return form_page(
        request,
        form,
        title=f"Preset {preset.capitalize()}",
        submit="Fill the cause table so",
        consequences=lines,
        back=reverse("partner", args=[partner_id]),
        back_label="Settings",
    )


@page("blocking.edit")
def blocking_page(request: HttpRequest, partner_id: int) -> HttpResponse:
    """The editor of what blocked customers see."""
    partner = visible_partner(request, partner_id)
    now = BlockingPage.objects.filter(partner=partner).first() or BlockingPage(partner=partner)
    initial = {name: getattr(now, name) for name in ("title", "message", "how_to_pay", "colour")}
    files = request.FILES if request.method == "POST" else None
    form = PageForm(posted(request), files, initial=initial)
    if not now.logo:
        del form.fields["no_logo"]

    def act() -> BlockingPage:
        return actions.save_blocking_page(partner_id, by=actor_of(request), at=clock.now(), **form.changes())

    if carried_out(request, form, "save_blocking_page", ("partner", partner_id), act):
        messages.success(request, "The blocking page is saved; visitors see it within seconds.")
        return redirect("partner", partner_id)
    return form_page(
        request,
        form,
        "network/blocking_page.html",
        title="Blocking page",
        submit="Save blocking page",
        partner=partner,
        page=now,
        back=reverse("partner", args=[partner_id]),
        back_label="Settings",
    )


@page("settings.see")
def own_pages(request: HttpRequest) -> HttpResponse:
    """The pages of one's own, one for each port; they serve all providers, so only those who see all may see them."""
    _expect_unscoped(request)
    places = [
        (place, port, (queries.own_page_folder(place) / INDEX).exists())
        for place, port in enumerate(settings.CONFIG.page_ports, 1)
    ]
    return render(request, "network/own_pages.html", {"places": places})


@page("settings.edit")
def own_page(request: HttpRequest, place: int) -> HttpResponse:
    """Upload a page of one's own, or take it away."""
    _expect_unscoped(request)
    if place > len(settings.CONFIG.page_ports) or not place:
        raise Http404
    form = OwnPageForm(posted(request), request.FILES if request.method == "POST" else None)

    def act() -> None:
        if form.cleaned_data["remove"]:
            actions.remove_own_page(place, by=actor_of(request), at=clock.now())
        else:
            archive = form.cleaned_data["archive"].read(ARCHIVE_BYTES_MAX + 1)
            actions.save_own_page(place, archive=archive, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "save_own_page", ("own_page", place), act):
        messages.success(request, "Saved; visitors see it within seconds.")
        return redirect("own_pages")
    return form_page(
        request,
        form,
        title=f"Own page for port {settings.CONFIG.page_ports[place - 1]}",
        submit="Save own page",
        back=reverse("own_pages"),
        back_label="Own pages",
    )


def _expect_unscoped(request: HttpRequest) -> None:
    if scope(request) is not None:
        raise Http404


@page("blocking.see")
def logo(request: HttpRequest, partner_id: int) -> HttpResponse:
    """The provider's logo, as stored: an image of a kind that was checked by its first bytes."""
    partner = visible_partner(request, partner_id)
    now = BlockingPage.objects.filter(partner=partner).first()
    if now is None or not now.logo:
        raise Http404
    return HttpResponse(bytes(now.logo), content_type=now.logo_type)
