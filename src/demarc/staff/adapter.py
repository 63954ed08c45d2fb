"""How allauth lets staff in: only by this door's kind, tries limited across processes, failures logged.

Whatever is wrong, the answer is the same, so that nobody learns which user names exist. A browser that is known again
by its cookie is counted for itself: whoever guesses elsewhere, or beside it, shuts nobody out.
"""

import math
import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import override

from demarc.base import clock, log, throttle
from demarc.base.actors import Actor
from demarc.base.throttle import Limit, network_of
from demarc.staff import sessions
from demarc.staff.actions import note_device
from demarc.staff.devices import device_words
from demarc.staff.doors import actor_of, permitted, zone
from demarc.staff.models import Login, LoginKind
from demarc.staff.queries import devices_since, known_device, known_network, opaque
from demarc.ui import formats, menu

QUARTER_S = 900
HOUR_S = 3600
DEVICE_COOKIE = "demarc_device"
DEVICE_LASTS_S = 365 * 24 * 3600


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """The staff application's door."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "User name and password do not match.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff are added by an administrator."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Login | None:
        """The member of staff with these credentials, or None. Each try is counted first; a good one is given back."""
        username, now = str(credentials.get("username", "")), clock.now()
        limits = limits_for(request, username)
        refused_by = throttle.spend_each(limits, now)
        if refused_by:
            _log(request, "login_throttled", username)
            raise ValidationError(too_many(refused_by), code="too_many_login_attempts")
        login = authenticate(request, **credentials)
        AuthenticationBackend.unstash_authenticated_user()
        if not isinstance(login, Login) or login.kind != LoginKind.STAFF or not login.is_active:
            _log(request, "login_failed", username)
            return None
        for limit in limits:
            throttle.give_back(limit)
        return login

    def login(self, request: HttpRequest, user: Any) -> None:
        """Begin the session and write it down."""
        super().login(request, user)
        sessions.begin(request, clock.now())
        device = device_words(request.headers.get("User-Agent", ""))
        log.record("logged_in", by=actor_of(request), at=clock.now(), subject=("login", user.pk), device=device)

    def post_login(self, request: HttpRequest, user: Any, **facts: Any) -> HttpResponse:
        """Where one goes after logging in, with the cookie by which this browser is known the next time."""
        response: HttpResponse = super().post_login(request, user, **facts)
        token = request.COOKIES.get(DEVICE_COOKIE) or secrets.token_urlsafe(32)
        words, at = device_words(request.headers.get("User-Agent", "")), clock.now()
        known = note_device(user.pk, token, words, by=actor_of(request), at=at)
        if known:
            with override(zone(request)):
                for other in devices_since(user.pk, known.last_seen_at, known.pk):
                    _warn_of(request, other.words, other.address or "", formats.moment(other.first_seen_at))
        response.set_cookie(
            DEVICE_COOKIE,
            token,
            max_age=DEVICE_LASTS_S,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The dashboard, or for who has none the first page of his menu, or his own."""
        if permitted(request, "dashboard.see"):
            return "/"
        lines = [line for _, group in menu.lines(lambda word: permitted(request, word), "") for line in group]
        return lines[0].href if lines else reverse("me")

    def logout(self, request: HttpRequest) -> None:
        """Write it down and end the session."""
        by = actor_of(request)
        if by.id:
            log.record("logged_out", by=by, at=clock.now(), subject=("login", by.id))
        super().logout(request)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The page one lands on says enough."""


def limits_for(request: HttpRequest, username: str, *, what: str = "login") -> tuple[Limit, ...]:
    """A person may mistype; a machine may not guess: a known browser by itself; else per network and name, per network,
    and per name from all the networks where this person was never seen, so that many of them share the last."""
    name = opaque(username.strip().lower())
    device = known_device(username.strip(), request.COOKIES.get(DEVICE_COOKIE, ""))
    if device:
        return (Limit(f"{what}:device:{device.pk}", hits=10, window_s=QUARTER_S),)
    network = network_of(request.META.get("REMOTE_ADDR", ""))
    here = (
        Limit(f"{what}:{network}:{name}", hits=6, window_s=QUARTER_S),
        Limit(f"{what}:{network}", hits=40, window_s=QUARTER_S),
    )
    if not username.strip() or known_network(username.strip(), network):
        return here
    return (*here, Limit(f"{what}:{name}", hits=60, window_s=HOUR_S))


def too_many(limit: Limit) -> str:
    """What somebody is told whose tries are used up, with how long it lasts."""
    minutes = math.ceil(throttle.opens_in(limit, clock.now()).total_seconds() / 60)
    return f"Too many tries. Try again in {formats.plural(max(minutes, 1), 'minute')}."


def _warn_of(request: HttpRequest, device: str, address: str, moment: str) -> None:
    messages.warning(
        request,
        f"A new device logged in as you since you were here: {device} from {address}, {moment}. If that was not you, "
        "change your password: it ends all sessions.",
    )


def _log(request: HttpRequest, verb: str, username: str) -> None:
    """Named only when such a login exists: people type passwords into the wrong field."""
    known = Login.objects.filter(username__iexact=username.strip()).only("id", "username").first()
    label = known.username if known else "unknown user name"
    seen_as = actor_of(request)
    by = Actor("staff", 0, label, seen_as.address, seen_as.request_id)
    log.record_refused(verb, by=by, at=clock.now(), subject=("login", known.pk if known else None))
