"""Passkeys (W3C Web Authentication): what is asked of a browser and whether its answer proves anything. No database.

The relying party is the host by which the browser reaches us; the browser itself sees to it that a passkey made for one
host answers no other. What must be remembered between question and answer (`state`) lies in the session.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from demarc.core.errors import Refused

NAME = "Demarc"
STATE = "passkey"
ANSWER_BYTES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey: its id and public key (WebAuthn section 6.5.2), and how often it has signed."""

    credential: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Used:
    """A passkey that has just signed our question."""

    credential_id: bytes
    count: int


def id_of(credential: bytes) -> bytes:
    """The id by which the browser names a passkey."""
    return AttestedCredentialData(credential).credential_id


def ask_for_new(request: HttpRequest, login: tuple[int, str, str], known: Sequence[bytes]) -> dict[str, Any]:
    """What navigator.credentials.create is to be called with, for a login (id, user name, name). The passkeys `known`
    are not made twice."""
    login_id, username, name = login
    options, state = _server(request).register_begin(
        PublicKeyCredentialUserEntity(id=str(login_id).encode(), name=username, display_name=name),
        [AttestedCredentialData(one) for one in known],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    request.session[STATE] = state
    return dict(options.public_key)


def new(request: HttpRequest, answer: str) -> Made:
    """The passkey that the browser has made. Refused: it does not answer our question."""
    try:
        data = _server(request).register_complete(_state(request), _parsed(answer))
    except (ValueError, TypeError, KeyError) as error:
        raise _not_accepted() from error
    if data.credential_data is None:
        raise _not_accepted()
    return Made(bytes(data.credential_data), data.counter)


def ask(request: HttpRequest, known: Sequence[bytes]) -> dict[str, Any]:
    """What navigator.credentials.get is to be called with, for somebody who holds the passkeys `known`."""
    credentials = [AttestedCredentialData(one) for one in known]
    options, state = _server(request).authenticate_begin(credentials, UserVerificationRequirement.PREFERRED)
    request.session[STATE] = state
    return dict(options.public_key)


def used(request: HttpRequest, answer: str, known: Sequence[bytes]) -> Used:
    """Which of the passkeys `known` has signed. Refused: none, or another question."""
    credentials = [AttestedCredentialData(one) for one in known]
    try:
        parsed = _parsed(answer)
        found = _server(request).authenticate_complete(_state(request), credentials, parsed)
        count = AuthenticationResponse.from_dict(parsed).response.authenticator_data.counter
    except (ValueError, TypeError, KeyError) as error:
        raise _not_accepted() from error
    return Used(found.credential_id, count)


def _server(request: HttpRequest) -> Fido2Server:
    host = request.get_host().rpartition(":")[0] or request.get_host()
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name=NAME))


def _state(request: HttpRequest) -> Any:
    """A question is answered once."""
    return request.session.pop(STATE, None) or {}


def _parsed(answer: str) -> Any:
    if len(answer) > ANSWER_BYTES_MAX:
        raise ValueError("longer than any browser's answer")
    return json.loads(answer)


def _not_accepted() -> Refused:
    return Refused("The browser's passkey was not accepted. Try again, or use a code.", code="wrong_passkey")
