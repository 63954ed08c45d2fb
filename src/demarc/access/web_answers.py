"""Pages of what routers of each make are told: the choices, the templates, and a preview on a customer of one's own."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.access.actions import set_fair_use_block
from demarc.access.fair_use import fair_use_block
from demarc.access.forms import AnswersForm
from demarc.access.models import Subscriber
from demarc.access.preview import TEMPLATES, preview, subscriber_like
from demarc.base import clock
from demarc.base.models import Partner
from demarc.customers.web_terms import visible_partner
from demarc.network import actions, queries
from demarc.network.models import NasAnswers, NasType
from demarc.staff.doors import actor_of, page, permitted, within
from demarc.staff.pages import carried_out
from demarc.ui.forms import UNPROCESSABLE, Form, form_page, posted
from demarc.wire.radius.templates import VARIABLES

FIELDS = ("block", "second", *TEMPLATES)


def answers_panel(request: HttpRequest, partner: Partner) -> SafeString:
    """On the provider's settings: what each make is told."""
    shown = {"partner": partner, "makes": list(queries.nas_answers(partner.pk).values())}
    return render_to_string("access/answers_panel.html", shown, request)


@page("routers.edit")
def edit_answers(request: HttpRequest, partner_id: int, nas_type: str) -> HttpResponse:
    """What routers of one make are told."""
    partner = visible_partner(request, partner_id)
    answers = _answers(partner_id, nas_type)
    fair_use = fair_use_block(partner_id, nas_type)
    initial = {name: getattr(answers, name) for name in FIELDS} | {"fair_use": fair_use}
    form = AnswersForm(posted(request), initial=initial)

    def act() -> NasAnswers:
        by, at, block = actor_of(request), clock.now(), form.cleaned_data["fair_use"]
        if block != fair_use:
            set_fair_use_block(partner_id, nas_type, block=block, by=by, at=at)
        return actions.save_answers(partner_id, nas_type, by=by, at=at, **_given(form.cleaned_data))

    if carried_out(request, form, "save_answers", ("partner", partner_id), act):
        messages.success(request, "Saved; new logins are answered so within seconds.")
        return redirect("edit_answers", partner_id, nas_type)
    texts = {name: str(form[name].value() or "") for name in TEMPLATES}
    shown = {
        "form": form,
        "partner": partner,
        "answers": answers,
        "make": NasType(nas_type).label,
        "variables": {f"{{{name}}}": words for name, words in VARIABLES.items()},
        **_preview(request, answers, texts, ""),
    }
    status = UNPROCESSABLE if form.is_bound and form.errors else 200
    return render(request, "access/answers.html", shown, status=status)


@page("routers.edit")
def preview_answers(request: HttpRequest, partner_id: int, nas_type: str) -> HttpResponse:
    """What the templates as they are typed would tell about a login; nothing is saved."""
    visible_partner(request, partner_id)
    answers = _answers(partner_id, nas_type)
    texts = {name: request.POST.get(name, "") for name in TEMPLATES}
    shown = _preview(request, answers, texts, request.POST.get("customer_login", "")[:120])
    return render(request, "access/answers_preview.html", shown)


@page("routers.edit")
def reset_answers(request: HttpRequest, partner_id: int, nas_type: str) -> HttpResponse:
    """Back to what is shipped."""
    partner = visible_partner(request, partner_id)
    _answers(partner_id, nas_type)
    form = Form(posted(request))

    def act() -> Any:
        actions.reset_answers(partner_id, nas_type, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "reset_answers", ("partner", partner_id), act):
        messages.success(request, "Routers of this make are told what is shipped for them.")
        return redirect("edit_answers", partner_id, nas_type)
    back = reverse("edit_answers", args=[partner_id, nas_type])
    make = NasType(nas_type).label
    return form_page(
        request,
        form,
        title="Answers as shipped",
        submit="Use as shipped",
        danger=True,
        consequences=[f"What {partner.name} wrote for {make} is lost."],
        back=back,
        back_label=f"What {make} routers are told",
    )


def _answers(partner_id: int, nas_type: str) -> NasAnswers:
    found = queries.nas_answers(partner_id).get(nas_type)
    if found is None:
        raise Http404
    return found


def _given(cleaned: dict[str, Any]) -> Any:
    return {name: cleaned[name] for name in FIELDS}


def _preview(request: HttpRequest, answers: NasAnswers, texts: dict[str, str], login: str) -> dict[str, Any]:
    """A login's name is shown only to those who may see customers; to others a made-up one."""
    mine = within(request, Subscriber.objects.filter(partner_id=answers.partner_id))
    subscriber = subscriber_like(mine, login) if permitted(request, "customers.see") else None
    return {
        "subscriber": subscriber,
        "situations": preview(texts, subscriber, answers.partner_id),
        "asked": login,
        "partner_id": answers.partner_id,
        "answers_type": answers.nas_type,
    }
