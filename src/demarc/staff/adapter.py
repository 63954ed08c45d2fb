"""How allauth lets staff in: only by this door's kind, tries limited across processes, failures logged.

Whatever is wrong, the answer is the same, so that nobody learns which user names exist.
"""

import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import authenticate
from django.http import HttpRequest

from demarc.base import clock, log, throttle
from demarc.base.actors import Actor
from demarc.base.throttle import Limit, network_of
from demarc.staff.doors import actor_of
from demarc.staff.models import Login, LoginKind

QUARTER_S = 900
HOUR_S = 3600


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """The staff application's door."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "User name and password do not match.",
        "too_many_login_attempts": "Too many tries. Wait a quarter of an hour, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff are added by an administrator."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Login | None:
        """The member of staff with these credentials, or None. Each try is counted first; a good one is given back."""
        username = str(credentials.get("username", ""))
        address = request.META.get("REMOTE_ADDR", "")
        limits = limits_for(username, address)
        spent = [throttle.spend(limit, clock.now()) for limit in limits]
        if not all(spent):
            _log(request, "login_throttled", username)
            raise self.validation_error("too_many_login_attempts")
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
        log.record("logged_in", by=actor_of(request), at=clock.now(), subject=("login", user.pk))

    def logout(self, request: HttpRequest) -> None:
        """Write it down and end the session."""
        by = actor_of(request)
        if by.id:
            log.record("logged_out", by=by, at=clock.now(), subject=("login", by.id))
        super().logout(request)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The page one lands on says enough."""


def limits_for(username: str, address: str) -> tuple[Limit, ...]:
    """A person may mistype; a machine may not guess: per network and name, per network, and per name."""
    name = hashlib.sha256(username.strip().lower().encode()).hexdigest()[:32]
    network = network_of(address)
    return (
        Limit(f"login:{network}:{name}", hits=6, window_s=QUARTER_S),
        Limit(f"login:{network}", hits=40, window_s=QUARTER_S),
        Limit(f"login:{name}", hits=60, window_s=HOUR_S),
    )


def _log(request: HttpRequest, verb: str, username: str) -> None:
    """Named only when such a login exists: people type passwords into the wrong field."""
    known = Login.objects.filter(username__iexact=username.strip()).only("id", "username").first()
    label = known.username if known else "unknown user name"
    seen_as = actor_of(request)
    by = Actor("staff", 0, label, seen_as.address, seen_as.request_id)
    log.record_refused(verb, by=by, at=clock.now(), subject=("login", known.pk if known else None))
