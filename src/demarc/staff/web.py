"""The pages of the door: log in, log out, a forgotten password, the dashboard. Knows no business noun."""

from typing import Any

from allauth.account.stages import LoginStageController
from allauth.account.views import LoginView, LogoutView
from allauth.mfa.stages import AuthenticateStage
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from demarc.base import clock, throttle
from demarc.base.actors import Actor
from demarc.base.throttle import Limit, network_of
from demarc.staff import actions
from demarc.staff.doors import actor_of, page, public
from demarc.staff.forms import CodeForm, ResetForm, WantResetForm
from demarc.staff.pages import carried_out, parts
from demarc.staff.proving import counted, passkey_question, shown
from demarc.staff.queries import opaque
from demarc.ui.forms import UNPROCESSABLE, form_page, posted

HOUR_S = 3600
LETTERS_AN_HOUR = 3


class Login(LoginView):  # type: ignore[misc] # allauth has no types
    """A failed try is a form with an error, so it answers 422."""

    template_name = "staff/login.html"

    def form_invalid(self, form: object) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        response.status_code = UNPROCESSABLE
        return response


login = public(Login.as_view())
logout = public(LogoutView.as_view(template_name="staff/logout.html"))


@public
def login_code(request: HttpRequest) -> HttpResponse:
    """The second factor of somebody whose password was right; nobody is logged in before."""
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    if stage is None or stage.login.user is None:
        return redirect("account_login")
    person, form = stage.login.user, CodeForm(posted(request))
    seen_as = actor_of(request)
    by = Actor("staff", person.pk, str(person), seen_as.address, seen_as.request_id)
    if shown(request, form, person, by):
        response: HttpResponse = stage.exit()
        return response
    question = passkey_question(request, person)
    return form_page(request, form, "staff/login_code.html", question=question)


@public
def want_reset(request: HttpRequest) -> HttpResponse:
    """Who forgot his password says who he is, and is told the same whoever he says."""
    form = WantResetForm(posted(request))

    def act() -> None:
        named, at = form.cleaned_data["named"], clock.now()
        limits = (
            Limit(f"reset:{network_of(by.address)}", hits=20, window_s=HOUR_S),
            Limit(f"reset:{opaque(named.strip().lower())}", hits=LETTERS_AN_HOUR, window_s=HOUR_S),
        )
        if throttle.spend_each(limits, at) is None:
            actions.want_reset(named, by=by, at=at)

    by = actor_of(request)
    if carried_out(request, form, "want_reset", ("login", None), act):
        return redirect("reset")
    return form_page(request, form, "staff/want_reset.html")


@public
def reset(request: HttpRequest) -> HttpResponse:
    """The mailed code and a new password."""
    form = ResetForm(posted(request))

    def act() -> Any:
        given = form.cleaned_data
        return actions.reset_password(given["code"], given["new"], by=actor_of(request), at=clock.now())

    if counted(request, form, "", "reset_code", ("login", None), act):
        messages.success(request, "Your password is changed and all your sessions are ended. Log in with it now.")
        return redirect("account_login")
    return form_page(request, form, "staff/reset.html")


@public
def old_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What Django shows for a form that does not prove that it came from our page."""
    return render(request, "staff/old_form.html", status=403)


@page("dashboard.see")
def dashboard(request: HttpRequest) -> HttpResponse:
    """What needs attention, from every room that has something to say."""
    attention = [line for lines in parts(request, "dashboard.attention") for line in lines]
    shown_parts = {"facts": parts(request, "dashboard.facts"), "attention": attention}
    return render(request, "staff/dashboard.html", shown_parts)
