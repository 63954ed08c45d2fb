"""The pages of the door: log in, log out, the viewer's own login, the dashboard. Knows no business noun."""

from allauth.account.views import LoginView, LogoutView
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from demarc.base import clock
from demarc.staff import actions
from demarc.staff.doors import actor_of, login_of, page, public, signed_in, zone
from demarc.staff.forms import PasswordForm
from demarc.staff.pages import carried_out, parts
from demarc.ui.forms import UNPROCESSABLE, form_page, posted


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
def old_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What Django shows for a form that does not prove that it came from our page."""
    return render(request, "staff/old_form.html", status=403)


@page("dashboard.see")
def dashboard(request: HttpRequest) -> HttpResponse:
    """What needs attention, from every room that has something to say."""
    attention = [line for lines in parts(request, "dashboard.attention") for line in lines]
    shown = {"facts": parts(request, "dashboard.facts"), "attention": attention}
    return render(request, "staff/dashboard.html", shown)


@signed_in
def me(request: HttpRequest) -> HttpResponse:
    """The viewer's own login: who he is here, and a new password."""
    viewer = login_of(request)
    form = PasswordForm(posted(request))

    def act() -> None:
        given = form.cleaned_data
        actions.change_own_password(viewer.pk, old=given["old"], new=given["new"], by=actor_of(request), at=clock.now())

    if carried_out(request, form, "change_password", ("login", viewer.pk), act):
        viewer.refresh_from_db()
        update_session_auth_hash(request, viewer)
        messages.success(request, "Your password is changed. Your other sessions are ended.")
        return redirect("me")
    return form_page(
        request, form, "staff/me.html", title="Your login", submit="Change my password", zone=zone(request)
    )
