"""Pages of a service's logins: made, given addresses, given another password. A password is never shown."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from demarc.access import actions
from demarc.access.forms import AddressesForm, NewLoginForm, PasswordForm
from demarc.access.models import Subscriber
from demarc.base import clock
from demarc.plans.web_services import visible_service
from demarc.staff.doors import actor_of, page, within
from demarc.staff.pages import carried_out, seen
from demarc.ui.forms import Form, form_page, posted

HELD = ("static_ipv4", "framed_ipv6_prefix", "delegated_prefix", "framed_ipv6")

BOUND = ("bind_mac", "learn_macs", "learn_replaces")


@page("services.edit")
def new_login(request: HttpRequest, service_id: int) -> HttpResponse:
    """A login for a service."""
    service = visible_service(request, service_id)
    form = NewLoginForm(posted(request), partner_id=service.partner_id)

    def act() -> Subscriber:
        return actions.create_subscriber(
            service_id=service_id, by=actor_of(request), at=clock.now(), **form.cleaned_data
        )

    if carried_out(request, form, "create_login", ("customer", service.customer_id), act):
        messages.success(request, f"The login {form.result.login} is made.")
        return redirect("service", service_id)
    back = reverse("service", args=[service_id])
    return form_page(request, form, title="Add login", submit="Add login", back=back, back_label=str(service))


def visible_login(request: HttpRequest, login_id: int) -> Subscriber:
    """The login, if it is one of the viewer's; else 404. Looking is written down."""
    found = get_object_or_404(within(request, Subscriber.objects.select_related("service__plan")), pk=login_id)
    seen(request, ("customer", found.service.customer_id), found.partner_id)
    return found


@page("services.edit")
def change_password(request: HttpRequest, login_id: int) -> HttpResponse:
    """Another password for a login."""
    found = visible_login(request, login_id)
    form = PasswordForm(posted(request))

    def act() -> None:
        actions.change_password(login_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "change_password", ("customer", found.service.customer_id), act):
        messages.success(request, f"The password of {found.login} is changed.")
        return redirect("service", found.service_id)
    what_then = "Sessions that are on stay on; the next one needs the new password."
    return login_page(request, form, found, f"Password of {found.login}", "Change password", what_then)


@page("services.edit")
def set_addresses(request: HttpRequest, login_id: int) -> HttpResponse:
    """Another address or other MACs for a login."""
    found = visible_login(request, login_id)
    held = {name: getattr(found, name) for name in HELD}
    initial = {**held, "macs": "\n".join(found.macs), **{name: getattr(found, name) for name in BOUND}}
    initial["port"] = found.nas_port_id
    form = AddressesForm(posted(request), initial=initial)

    def act() -> Any:
        given = form.cleaned_data | {name: form.cleaned_data[name] or None for name in HELD}
        return actions.set_addresses(login_id, by=actor_of(request), at=clock.now(), **given)

    if carried_out(request, form, "set_addresses", ("customer", found.service.customer_id), act):
        messages.success(request, f"Address and MACs of {found.login} are saved.")
        return redirect("service", found.service_id)
    what_then = "A session that is on with another address is cut, and comes back with the new one."
    return login_page(request, form, found, f"Addresses of {found.login}", "Save addresses", what_then)


def login_page(
    request: HttpRequest, form: Form, login: Subscriber, title: str, submit: str, what_then: str
) -> HttpResponse:
    """A form about one login, on the way back to its service."""
    back = reverse("service", args=[login.service_id])
    return form_page(
        request,
        form,
        title=title,
        submit=submit,
        consequences=[what_then],
        back=back,
        back_label=str(login.service.plan),
    )
