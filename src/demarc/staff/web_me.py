"""The viewer's own pages: who he is, what he logs in with, where he is logged in. Knows no business noun."""

import base64
import secrets

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from demarc.base import clock
from demarc.base.seal import Unsealable
from demarc.base.vault import open_for_staff, seal_for_staff
from demarc.core import onetime
from demarc.staff import actions, passkeys, sessions
from demarc.staff.doors import actor_of, before_second_factor, login_of, partners, proven, signed_in
from demarc.staff.forms import EmailForm, PasskeyForm, PasswordForm, ProfileForm, ProofForm, SureForm, TotpForm
from demarc.staff.models import Login
from demarc.staff.pages import carried_out
from demarc.staff.proving import credentials_of, passkey_question, shown
from demarc.staff.qr import qr
from demarc.staff.queries import factors_of, handle_of, has_second_factor, passkeys_of, sessions_of
from demarc.ui.forms import form_page, posted
from demarc.ui.menu import Line

ISSUER = "Demarc"
PENDING = "pending_totp"
SECRET_BYTES = 20
TABS = (("Profile", "me"), ("Logging in", "security"), ("Sessions", "my_sessions"))


@signed_in
def me(request: HttpRequest) -> HttpResponse:
    """How the viewer is called, and how he reads times and mail."""
    viewer = login_of(request)
    initial = {"name": viewer.name, "zone": viewer.zone, "language": viewer.language or "en"}
    form = ProfileForm(posted(request), initial=initial)
    form.offer_zones(partners(request).order_by("id").values_list("zone", flat=True).first() or "UTC")

    def act() -> None:
        actions.save_profile(viewer.pk, **form.cleaned_data, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "save_profile", ("login", viewer.pk), act):
        messages.success(request, "Your profile is saved.")
        return redirect("me")
    return form_page(request, form, "staff/me.html", title="You", submit="Save", tabs=_tabs("me"))


@signed_in
@before_second_factor
def security(request: HttpRequest) -> HttpResponse:
    """What the viewer logs in with."""
    viewer = login_of(request)
    lacking = bool(viewer.role and viewer.role.second_factor and not has_second_factor(viewer.pk))
    seen = {"tabs": _tabs("security"), "lacking": lacking, **factors_of(viewer.pk)}
    return render(request, "staff/security.html", seen)


@signed_in
@proven
def email(request: HttpRequest) -> HttpResponse:
    """Where mail to the viewer goes."""
    viewer = login_of(request)
    form = EmailForm(posted(request), initial={"email": viewer.email})

    def act() -> None:
        actions.change_email(viewer.pk, form.cleaned_data["email"], by=actor_of(request), at=clock.now())

    if carried_out(request, form, "change_email", ("login", viewer.pk), act):
        messages.success(request, "Your e-mail address is changed.")
        return redirect("me")
    words = {"title": "Your e-mail address", "submit": "Change it", "back": reverse("me"), "back_label": "You"}
    return form_page(request, form, **words)


@signed_in
@before_second_factor
def password(request: HttpRequest) -> HttpResponse:
    """A new password; the viewer stays, in a session made anew."""
    viewer = login_of(request)
    form = PasswordForm(posted(request))

    def act() -> None:
        given = form.cleaned_data
        actions.change_own_password(viewer.pk, old=given["old"], new=given["new"], by=actor_of(request), at=clock.now())

    if carried_out(request, form, "change_password", ("login", viewer.pk), act):
        viewer.refresh_from_db()
        update_session_auth_hash(request, viewer)
        sessions.prove(request, clock.now())
        messages.success(request, "Your password is changed. Your other sessions are ended.")
        return redirect("security")
    words = {"title": "New password", "submit": "Change my password", "intro": "All your other sessions end with it."}
    return form_page(request, form, **words, back=reverse("security"), back_label="Logging in")


@signed_in
@before_second_factor
@proven
def totp(request: HttpRequest) -> HttpResponse:
    """Set up an app: its secret is shown here until the app's first code is right, and never again."""
    viewer = login_of(request)
    if factors_of(viewer.pk)["app"]:
        return redirect("security")
    secret, form = _pending_secret(request, viewer), TotpForm(posted(request))

    def act() -> list[str]:
        code = form.cleaned_data["code"]
        return actions.turn_on_totp(viewer.pk, secret, code, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "turn_on_totp", ("login", viewer.pk), act):
        request.session.pop(PENDING, None)
        return _done(request, "Your app is asked for a code when you log in.", form.result)
    address = onetime.key_address(secret, issuer=ISSUER, label=viewer.username)
    text = onetime.key_text(secret)
    groups = " ".join(text[start : start + 4] for start in range(0, len(text), 4))
    seen = {"title": "Set up an app", "submit": "Turn it on", "qr": qr(address), "key": groups}
    return _secret_page(form_page(request, form, "staff/totp.html", back=reverse("security"), **seen))


@signed_in
@proven
def totp_off(request: HttpRequest) -> HttpResponse:
    """The app is asked no more."""
    viewer = login_of(request)
    form = SureForm(posted(request))

    def act() -> None:
        actions.turn_off_totp(viewer.pk, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "turn_off_totp", ("login", viewer.pk), act):
        messages.success(request, "The app is no longer asked for codes.")
        return redirect("security")
    lines = [
        "When you log in, no code of the app is asked any more.",
        "The key in the app opens nothing; delete it there.",
    ]
    words = {"title": "Turn the app off?", "submit": "Turn it off", "back": reverse("security")}
    return form_page(request, form, **words, consequences=lines, danger=True)


@signed_in
@proven
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown once."""
    viewer = login_of(request)
    form = SureForm(posted(request))

    def act() -> list[str]:
        return actions.make_recovery_codes(viewer.pk, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "make_recovery_codes", ("login", viewer.pk), act):
        return _done(request, "These are your new recovery codes; the old ones open nothing any more.", form.result)
    lines = ["Ten new codes are shown, this once.", "The old codes open nothing from then on."]
    words = {"title": "New recovery codes?", "submit": "Make new codes", "back": reverse("security")}
    return form_page(request, form, **words, consequences=lines)


@signed_in
@before_second_factor
@proven
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Another passkey: the browser makes it, and its public half is kept."""
    viewer = login_of(request)
    form = PasskeyForm(posted(request))

    def act() -> list[str]:
        made, by = passkeys.new(request, form.cleaned_data["answer"]), actor_of(request)
        return actions.add_passkey(viewer.pk, form.cleaned_data["name"], made, by=by, at=clock.now())

    if carried_out(request, form, "add_passkey", ("login", viewer.pk), act):
        return _done(request, "The passkey is set up. When you log in, it can be used instead of a code.", form.result)
    question = passkeys.ask_for_new(request, (viewer.pk, viewer.username, str(viewer)), credentials_of(viewer))
    words = {"title": "Add a passkey", "submit": "Add it", "back": reverse("security"), "question": question}
    return form_page(request, form, "staff/passkey.html", **words)


@signed_in
@proven
def passkey_remove(request: HttpRequest) -> HttpResponse:
    """One passkey opens nothing any more; `?key=` says which."""
    viewer = login_of(request)
    key = next((one for one in passkeys_of(viewer.pk) if str(one.pk) == request.GET.get("key")), None)
    if key is None:
        return redirect("security")
    form = SureForm(posted(request))

    def act() -> None:
        actions.remove_passkey(viewer.pk, key.pk, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "remove_passkey", ("login", viewer.pk), act):
        messages.success(request, f"The passkey {key.data['name']} is removed.")
        return redirect("security")
    lines = [f"“{key.data['name']}” can no longer be used to log in."]
    words = {"title": "Remove this passkey?", "submit": "Remove it", "back": reverse("security")}
    return form_page(request, form, **words, consequences=lines, danger=True)


@signed_in
def my_sessions(request: HttpRequest) -> HttpResponse:
    """Where the viewer is logged in; one or all others are ended by POST (`end`: a handle, or "others")."""
    viewer = login_of(request)
    present = handle_of(request.session.session_key or "")
    rows = [(handle_of(row.session_key), row) for row in sessions_of(viewer.pk)]
    if request.method == "POST":
        wanted = request.POST.get("end", "")
        handles = {handle for handle, _ in rows if handle != present} if wanted == "others" else {wanted}
        ended = actions.end_sessions(viewer.pk, handles - {present}, by=actor_of(request), at=clock.now())
        messages.success(request, "It is ended." if ended == 1 else f"{ended} sessions are ended.")
        return redirect("my_sessions")
    shown_rows = [(handle, row, handle == present) for handle, row in rows]
    seen = {"tabs": _tabs("my_sessions"), "rows": shown_rows, "may_act": True}
    return render(request, "staff/my_sessions.html", seen)


@signed_in
@before_second_factor
def prove(request: HttpRequest) -> HttpResponse:
    """Prove once more that it is you; then on to where you were going."""
    viewer, wanted = login_of(request), request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    going, form = wanted if ours else "/", ProofForm(posted(request))
    if not factors_of(viewer.pk)["app"]:
        del form.fields["code"]
    if shown(request, form, viewer, actor_of(request)):
        request.session.cycle_key()
        sessions.prove(request, clock.now())
        return redirect(going)
    question = passkey_question(request, viewer)
    return form_page(request, form, "staff/prove.html", question=question, back=reverse("me"))


def _tabs(current: str) -> list[Line]:
    return [Line(label, reverse(name), "", name == current) for label, name in TABS]


def _pending_secret(request: HttpRequest, viewer: Login) -> bytes:
    """The secret of the app that is being set up; it waits in the session, sealed."""
    place = f"session.totp.{viewer.pk}"
    try:
        text = open_for_staff(base64.b64decode(request.session.get(PENDING, "")), place)
        return base64.b32decode(text)
    except (Unsealable, ValueError):
        secret = secrets.token_bytes(SECRET_BYTES)
        sealed = seal_for_staff(base64.b32encode(secret).decode(), place)
        request.session[PENDING] = base64.b64encode(sealed).decode()
        return secret


def _done(request: HttpRequest, words: str, codes: list[str]) -> HttpResponse:
    """What follows on a new factor: recovery codes, this once, or back to the page."""
    sessions.prove(request, clock.now())
    if not codes:
        messages.success(request, words)
        return redirect("security")
    return _secret_page(render(request, "staff/recovery_codes.html", {"words": words, "codes": codes}))


def _secret_page(answer: HttpResponse) -> HttpResponse:
    """Not even the browser keeps it."""
    answer["Cache-Control"] = "no-store"
    return answer
