"""The second thing by which staff prove themselves: an app's codes, passkeys, recovery codes for when both are gone.

They lie in allauth's table, whose rows make allauth ask for them at login; what is in a row and how it is checked is
ours, because allauth remembers used codes in one process only and keeps recovery codes so that they can be read again.
"""

import base64
import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.base.vault import open_for_staff, seal_for_staff
from demarc.core import onetime
from demarc.core.errors import Refused
from demarc.staff import passkeys
from demarc.staff.models import Login, Role, Session
from demarc.staff.permissions import covers
from demarc.staff.queries import has_second_factor, passkeys_of, stored_credential

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
PASSKEYS_MAX = 10
TOTP, RECOVERY, PASSKEY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES, Authenticator.Type.WEBAUTHN
WRONG_CODE = "This code is wrong, or it was used before. Wait for the next one and try again."


@transaction.atomic
def turn_on_totp(login_id: int, secret: bytes, code: str, *, by: Actor, at: datetime) -> list[str]:
    """From now on the app that holds `secret` (20 bytes) is asked at login. Answers with new recovery codes, to be
    shown this once; none where the holder has some. Refused: the app's code is wrong, or an app is already asked."""
    _held(login_id)
    if Authenticator.objects.filter(user_id=login_id, type=TOTP).exists():
        raise Refused("An app is already asked for codes. Turn it off first.", code="already_on")
    step = onetime.matching_step(secret, _digits(code), at=at)
    if step is None:
        raise Refused(
            "The app shows another code now. Wait for the next one; if it is wrong again, look whether the phone's "
            "clock is right.",
            field="code",
            code="wrong_code",
        )
    sealed = base64.b64encode(seal_for_staff(onetime.key_text(secret), _totp_place(login_id))).decode()
    Authenticator.objects.create(user_id=login_id, type=TOTP, data={"sealed": sealed, "step": step}, created_at=at)
    log.record("second_factor_on", by=by, at=at, subject=("login", login_id), factor="app")
    return _first_recovery_codes(login_id, at)


@transaction.atomic
def turn_off_totp(login_id: int, *, by: Actor, at: datetime) -> None:
    """The app is no longer asked. Refused: none was, or it is the last factor of somebody who must have one."""
    _take_away(login_id, TOTP, by=by, at=at)


@transaction.atomic
def make_recovery_codes(login_id: int, *, by: Actor, at: datetime) -> list[str]:
    """New codes, to be shown this once; the old ones open nothing from now on. Refused: there is no second factor."""
    _held(login_id)
    if not has_second_factor(login_id):
        raise Refused("Recovery codes stand in for a second factor; set one up first.", code="no_factor")
    Authenticator.objects.filter(user_id=login_id, type=RECOVERY).delete()
    log.record("recovery_codes_made", by=by, at=at, subject=("login", login_id))
    return _first_recovery_codes(login_id, at)


@transaction.atomic
def check_code(login_id: int, code: str, *, by: Actor, at: datetime) -> str:
    """Use up a code of the app, or a recovery code; answers which: "app" or "recovery code". Good once, whichever of
    the web processes is asked. Refused: it is neither."""
    rows = Authenticator.objects.select_for_update().filter(user_id=login_id, type__in=[TOTP, RECOVERY])
    held = {row.type: row for row in rows}
    used = ""
    if TOTP in held and _use_totp(held[TOTP], code, at):
        used = "app"
    elif RECOVERY in held and _use_recovery(held[RECOVERY], code, at):
        used = "recovery code"
    if not used:
        raise Refused(WRONG_CODE, field="code", code="wrong_code")
    log.record("second_factor_shown", by=by, at=at, subject=("login", login_id), factor=used)
    return used


@transaction.atomic
def add_passkey(login_id: int, name: str, made: passkeys.Made, *, by: Actor, at: datetime) -> list[str]:
    """Another passkey, already verified (staff.passkeys). Answers like `turn_on_totp`. Refused: too many."""
    _held(login_id)
    if len(passkeys_of(login_id)) >= PASSKEYS_MAX:
        raise Refused(f"There may be {PASSKEYS_MAX} passkeys; remove one first.", code="too_many")
    name = texts.name(name, length_max=60)
    data = {"name": name, "credential": base64.b64encode(made.credential).decode(), "count": made.count}
    Authenticator.objects.create(user_id=login_id, type=PASSKEY, data=data, created_at=at)
    log.record("second_factor_on", by=by, at=at, subject=("login", login_id), factor="passkey", name=name)
    return _first_recovery_codes(login_id, at)


@transaction.atomic
def remove_passkey(login_id: int, key_id: int, *, by: Actor, at: datetime) -> None:
    """This passkey opens nothing any more. Refused as in `turn_off_totp`."""
    _take_away(login_id, PASSKEY, key_id, by=by, at=at)


@transaction.atomic
def check_passkey(login_id: int, used: passkeys.Used, *, by: Actor, at: datetime) -> None:
    """Note that a passkey has signed (staff.passkeys verified it). Refused: it is not this person's, or its counter
    went back, as that of a copy does (WebAuthn section 6.1.1)."""
    rows = Authenticator.objects.select_for_update().filter(user_id=login_id, type=PASSKEY)
    row = next((row for row in rows if passkeys.id_of(stored_credential(row)) == used.credential_id), None)
    counts = row is not None and bool(used.count or row.data["count"])  # many passkeys do not count: both are 0
    if row is None or (counts and used.count <= row.data["count"]):
        raise Refused("This passkey is not accepted. Use another one, or a code.", code="wrong_passkey")
    row.data["count"] = used.count
    row.last_used_at = at
    row.save(update_fields=["data", "last_used_at"])
    log.record("second_factor_shown", by=by, at=at, subject=("login", login_id), factor="passkey")


@transaction.atomic
def remove_factors(login_id: int, *, by: Actor, at: datetime) -> None:
    """For somebody who lost his phone: no second factor is asked until he sets up a new one; his sessions end. The
    caller has seen to it that `by` may do all that this person may. Refused: there is none."""
    _held(login_id)
    removed, _ = Authenticator.objects.filter(user_id=login_id).delete()
    if not removed:
        raise Refused("There is no second factor to take away.", code="no_factor")
    ended, _ = Session.objects.filter(login_id=login_id).delete()
    log.record("second_factor_removed", by=by, at=at, subject=("login", login_id), sessions_ended=ended)


@transaction.atomic
def require_second_factor(role_ids: Collection[int], *, held: Collection[str], by: Actor, at: datetime) -> None:
    """Whoever holds one of these roles must have a second factor, nobody else. Refused: one that this changes may do
    more than `held`, what the one may do who says so."""
    for role in Role.objects.select_for_update().order_by("id"):
        required = role.pk in role_ids
        if role.second_factor != required:
            if not covers(held, role.permissions):
                told = f"{role.name} may do more than you; somebody who may do as much decides this."
                raise Refused(told, field="roles", code="above")
            role.second_factor = required
            role.save(update_fields=["second_factor"])
            verb = "second_factor_demanded" if required else "second_factor_waived"
            log.record(verb, by=by, at=at, subject=("role", role.pk), role=role.name)


def _totp_place(login_id: int) -> str:
    """What the app's secret is sealed for."""
    return f"mfa_authenticator.totp.{login_id}"


def _held(login_id: int) -> Login:
    """The login, held until the end of the transaction: nobody else changes its factors meanwhile."""
    held: Login = Login.objects.select_for_update(of=("self",)).select_related("role").get(pk=login_id)
    return held


def _take_away(login_id: int, kind: str, key_id: int | None = None, *, by: Actor, at: datetime) -> None:
    login = _held(login_id)
    rows = Authenticator.objects.filter(user_id=login_id, type=kind)
    removed, _ = (rows if key_id is None else rows.filter(pk=key_id)).delete()
    if not removed:
        raise Refused("It is gone already.", code="no_factor")
    if not has_second_factor(login_id):
        if login.role and login.role.second_factor:
            raise Refused(
                f"{login.role} must have a second factor, and this is your last one. Set up another one first.",
                code="must_have",
            )
        Authenticator.objects.filter(user_id=login_id, type=RECOVERY).delete()
    factor = "app" if kind == TOTP else "passkey"
    log.record("second_factor_off", by=by, at=at, subject=("login", login_id), factor=factor)


def _use_totp(row: Any, code: str, at: datetime) -> bool:
    text = open_for_staff(base64.b64decode(row.data["sealed"]), _totp_place(row.user_id))
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    step = onetime.matching_step(secret, _digits(code), at=at, after=row.data["step"])
    if step is None:
        return False
    row.data["step"] = step
    row.last_used_at = at
    row.save(update_fields=["data", "last_used_at"])
    return True


def _use_recovery(row: Any, code: str, at: datetime) -> bool:
    digest = _recovery_digest(code)
    if digest not in row.data["digests"]:
        return False
    row.data["digests"].remove(digest)
    row.last_used_at = at
    row.save(update_fields=["data", "last_used_at"])
    return True


def _first_recovery_codes(login_id: int, at: datetime) -> list[str]:
    """Ten of 80 random bits each, as abcd-efgh-ijkl-mnop; their digests alone are kept."""
    if Authenticator.objects.filter(user_id=login_id, type=RECOVERY).exists():
        return []
    codes = []
    for _ in range(RECOVERY_CODES):
        letters = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
        codes.append("-".join(letters[start : start + 4] for start in range(0, 16, 4)))
    data = {"digests": [_recovery_digest(code) for code in codes]}
    Authenticator.objects.create(user_id=login_id, type=RECOVERY, data=data, created_at=at)
    return codes


def _recovery_digest(code: str) -> str:
    letters = "".join(code.split()).replace("-", "").lower()
    return hashlib.sha256(letters.encode()).hexdigest()


def _digits(code: str) -> str:
    """As typed, without the blank that apps show in the middle."""
    return "".join(code.split())
