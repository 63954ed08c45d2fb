"""Pages of how a provider sends: rules, mail server, SMS gateway, and a test of them. Secrets go in and never out."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.customers.web_terms import visible_partner
from demarc.messages import actions, queries
from demarc.messages.forms import MailServerForm, RulesForm, SmsGatewayForm, TestForm
from demarc.messages.kinds import CHANNEL_NAMES, MAIL, TEMPLATED
from demarc.messages.models import MailServer, Message, Rules, Security, SmsGateway
from demarc.staff.doors import actor_of, page
from demarc.staff.pages import carried_out
from demarc.ui.forms import form_page, posted

MAIL_FIELDS = ("host", "port", "security", "username", "from_name", "from_address", "reply_to")
SMS_FIELDS = ("method", "url", "headers", "body_form", "body", "sender", "success_text", "loopback")
RULE_FIELDS = ("dry_run", "quiet_from", "quiet_until", "quiet_mail", "quiet_sms", "low_days", "low_hour")


@page("settings.see")
def overview(request: HttpRequest, partner_id: int) -> HttpResponse:
    """How this provider sends, all of it."""
    partner = visible_partner(request, partner_id)
    rules = queries.rules_of([partner_id])[partner_id]
    kinds = [
        (kind.words, [CHANNEL_NAMES[channel] for channel in rules.channels_of(name)])
        for name, kind in TEMPLATED.items()
    ]
    shown = {
        "partner": partner,
        "rules": rules,
        "kinds": kinds,
        "mail": MailServer.objects.filter(partner=partner).first(),
        "sms": SmsGateway.objects.filter(partner=partner).first(),
        "counted": queries.counted([partner_id], at=clock.now()),
    }
    return render(request, "messages/settings.html", shown)


@page("settings.edit")
def rules(request: HttpRequest, partner_id: int) -> HttpResponse:
    """What customers are told and when."""
    partner = visible_partner(request, partner_id)
    now = queries.rules_of([partner_id])[partner_id]
    initial = {name: getattr(now, name) for name in RULE_FIELDS}
    initial |= RulesForm.shown({name: now.channels_of(name) for name in TEMPLATED})
    form = RulesForm(posted(request), initial=initial)

    def act() -> Rules:
        return actions.set_rules(partner_id, by=actor_of(request), at=clock.now(), **form.changes())

    if carried_out(request, form, "set_rules", ("partner", partner_id), act):
        messages.success(request, "The rules are saved.")
        return redirect("message_settings", partner_id)
    return form_page(
        request,
        form,
        title="What customers are told",
        submit="Save rules",
        intro=f"For the customers of {partner}.",
        back=_back(partner_id),
        back_label="Messages",
    )


@page("settings.edit")
def mail_server(request: HttpRequest, partner_id: int) -> HttpResponse:
    """How mail leaves."""
    partner = visible_partner(request, partner_id)
    row = MailServer.objects.filter(partner=partner).first()
    new = MailServer(security=Security.STARTTLS, from_name=partner.name, from_address=partner.email)
    initial = {name: getattr(row or new, name) for name in MAIL_FIELDS}
    form = MailServerForm(posted(request), initial=initial)

    def act() -> MailServer:
        return actions.save_mail_server(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "save_mail_server", ("partner", partner_id), act):
        messages.success(request, "The mail server is saved. Next: send a test message.")
        return redirect("message_settings", partner_id)
    return form_page(
        request, form, title="Mail server", submit="Save mail server", back=_back(partner_id), back_label="Messages"
    )


@page("settings.edit")
def sms_gateway(request: HttpRequest, partner_id: int) -> HttpResponse:
    """How SMS leave."""
    partner = visible_partner(request, partner_id)
    row = SmsGateway.objects.filter(partner=partner).first() or SmsGateway()
    form = SmsGatewayForm(posted(request), initial={name: getattr(row, name) for name in SMS_FIELDS})
    if not queries.loopback_allowed():
        del form.fields["loopback"]

    def act() -> SmsGateway:
        return actions.save_sms_gateway(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "save_sms_gateway", ("partner", partner_id), act):
        messages.success(request, "The SMS gateway is saved. Next: send a test message.")
        return redirect("message_settings", partner_id)
    intro = "Any gateway that takes an HTTP request. It must have a public address."
    return form_page(
        request,
        form,
        title="SMS gateway",
        submit="Save SMS gateway",
        intro=intro,
        back=_back(partner_id),
        back_label="Messages",
    )


@page("settings.edit")
def test(request: HttpRequest, partner_id: int, channel: str) -> HttpResponse:
    """A message to oneself."""
    partner = visible_partner(request, partner_id)
    if channel not in CHANNEL_NAMES:
        raise Http404
    form = TestForm(posted(request), initial={"recipient": partner.email if channel == MAIL else partner.phone})

    def act() -> Message:
        return actions.send_test(partner_id, channel=channel, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "send_test", ("partner", partner_id), act):
        messages.success(request, "The test is on its way; this page says within a minute what became of it.")
        return redirect("message", form.result.pk)
    return form_page(
        request,
        form,
        title=f"Test: {CHANNEL_NAMES[channel]}",
        submit="Send test message",
        intro="It leaves by the present settings, in a dry run too.",
        back=_back(partner_id),
        back_label="Messages",
    )


def _back(partner_id: int) -> str:
    return reverse("message_settings", args=[partner_id])
