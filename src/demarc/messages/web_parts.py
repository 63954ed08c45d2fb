"""What messages add to the pages of other rooms. Wired in project.wiring."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.base.models import Partner
from demarc.customers.models import Customer
from demarc.messages import queries
from demarc.messages.models import MailServer, SmsGateway, Wording
from demarc.messages.web import state_chip
from demarc.staff.doors import scope
from demarc.ui import formats
from demarc.ui.panels import Action, Notice

SHOWN = 5


def customer_panel(request: HttpRequest, customer: Customer) -> SafeString:
    """On the customer's overview: what he was told lately."""
    rows = [(message, state_chip(message)) for message in queries.message_list(None, customer=customer)[:SHOWN]]
    return render_to_string("messages/customer_panel.html", {"customer": customer, "rows": rows}, request)


def write_action(request: HttpRequest, customer: Customer) -> Action:
    """On the customer's page: write to him."""
    return Action("Write a message", reverse("write_message", args=[customer.pk]), "mail")


def settings_panel(request: HttpRequest, partner: Partner) -> SafeString:
    """On the provider's settings: how messages are sent."""
    shown = {
        "partner": partner,
        "rules": queries.rules_of([partner.pk])[partner.pk],
        "mail": MailServer.objects.filter(partner=partner).first(),
        "sms": SmsGateway.objects.filter(partner=partner).first(),
        "own_texts": Wording.objects.filter(partner=partner).count(),
    }
    return render_to_string("messages/settings_panel.html", shown, request)


def dashboard_attention(request: HttpRequest) -> list[Notice]:
    """On the dashboard: messages that could not be sent although there was an address."""
    failed = queries.counted(scope(request), at=clock.now()).failed
    if not failed:
        return []
    words = f"{formats.plural(failed, 'message')} of the last {queries.LATELY.days} days could not be sent."
    return [Notice("warning", words, f"{reverse('messages')}?state=failed", "Show them")]
