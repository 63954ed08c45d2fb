"""Reads of logins, their factors and sessions, roles and tokens. Never answers with a password or a token's digest."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.db.models.functions import Now

from demarc.base.models import Partner
from demarc.base.throttle import network_of
from demarc.core.errors import Refused
from demarc.staff.models import ApiToken, Device, Login, LoginKind, Role, SavedView, Session
from demarc.staff.permissions import ALL, PERMISSIONS, grants, overridden, reason, spread

SESSIONS_SHOWN = 100


def digest_of(plaintext: str) -> bytes:
    """What is kept of a token. It is 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(plaintext.encode()).digest()


def opaque(text: str) -> str:
    """What stands for a name in a key that others can read."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def token_named(plaintext: str) -> ApiToken | None:
    """The token with this text and its role, whether it still opens anything or not."""
    return ApiToken.objects.select_related("role").filter(digest=digest_of(plaintext)).first()


def opens(token: ApiToken, at: datetime) -> bool:
    """Whether the token is neither revoked nor expired at this moment."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > at)


def used_within(networks: Sequence[str], address: str) -> bool:
    """Whether a token of these networks may be used from an address; none: from anywhere."""
    if not networks:
        return True
    try:
        here = ip_address(address)
    except ValueError:
        return False
    here = getattr(here, "ipv4_mapped", None) or here
    return any(here in ip_network(network) for network in networks)


def super_administrators() -> QuerySet[Login]:
    """Who may do everything, for all providers, and is not switched off."""
    everything = Login.objects.filter(kind=LoginKind.STAFF, role__permissions__contains=[ALL])
    return everything.filter(is_active=True, everywhere=True, partners=None).order_by("id")


def refuse_last_super(login: Login, field: str = "") -> None:
    """Refused: nobody but this person may do everything for all providers. Whoever asks waits for those who asked
    before, to the end of their transactions, so that no two go each relying on the other."""
    if not super_administrators().filter(pk=login.pk).exists():
        return
    list(Role.objects.select_for_update(no_key=True).filter(permissions__contains=[ALL]).order_by("id"))
    if not super_administrators().exclude(pk=login.pk).exists():
        told = "Nobody else may do everything for all providers; make somebody so first."
        raise Refused(told, field=field, code="last_super")


def providers_named(ids: Sequence[int]) -> list[Partner]:
    """The providers of these ids. Refused: one of them is not there; for fewer than were named may be none at all."""
    found = list(Partner.objects.filter(pk__in=ids).order_by("id"))
    if len(found) != len(set(ids)):
        raise Refused("One of the providers is not there any more; choose again.", field="partners", code="unknown")
    return found


def works_for(holder: Login | ApiToken) -> list[int] | None:
    """The ids of the providers whose rows a person or a program may see; None: all. That it is all is said, not left
    to follow from naming none; where both are said, the narrower holds."""
    ids = list(holder.partners.values_list("id", flat=True))
    return None if holder.everywhere and not ids else ids


def words_of(login: Login) -> frozenset[str]:
    """All that a person may do: what his role holds, with his own besides and without what was taken from him."""
    role = login.role
    return overridden(role.permissions if role else (), login.granted, login.withdrawn)


def scopes_of(token: ApiToken) -> frozenset[str]:
    """All that a token may do: what its role holds, and of it only what its scopes name, if it has any."""
    held = spread(token.role.permissions)
    return held if token.scopes is None else held & spread(token.scopes)


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether somebody can see or do something, and why, in sentences; `others`: the roles that can."""

    who: str
    word: str
    yes: bool
    why: tuple[str, ...]
    others: tuple[str, ...]


def answer_about(who: str, word: str, partner_ids: list[int] | None) -> Answer | None:
    """Can a role ("role:7") or a person ("person:7") do what a word names? None: there is no such, for whoever works
    for these partners."""
    kind, _, key = who.partition(":")
    roles = list(Role.objects.order_by("name"))
    others = tuple(role.name for role in roles if grants(role.permissions, word))
    if kind == "role":
        role = next((one for one in roles if str(one.pk) == key), None)
        if role is None:
            return None
        return Answer(role.name, word, role.name in others, (_by_role(role, word), *_bounds(role)), others)
    login = staff_within(partner_ids).filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    if login is None:
        return None
    held = words_of(login)
    role = login.role
    providers = works_for(login)
    bound = role is not None and role.bound and not providers
    why = [_by_person(login, word, held)]
    if bound:
        why.append("The role is for people who work for named providers, and this person works for none.")
    elif names := ", ".join(login.partners.order_by("name").values_list("name", flat=True)):
        why.append(f"Only what belongs to {names}.")
    elif providers is not None:
        why.append("This person works for no provider, and sees nothing of any.")
    if not login.is_active:
        why.append("The login is switched off.")
    return Answer(str(login), word, word in held and login.is_active and not bound, tuple(why), others)


def _by_role(role: Role, word: str) -> str:
    brought = reason(role.permissions, word)
    if brought == ALL:
        return f"The role {role.name} may do everything."
    if brought == word:
        return f"The role {role.name} holds “{PERMISSIONS[word]}” ({word})."
    if brought:
        return f"The role {role.name} holds “{PERMISSIONS[brought]}” ({brought}), which includes it."
    return f"The role {role.name} does not hold “{PERMISSIONS[word]}” ({word})."


def _bounds(role: Role) -> list[str]:
    return ["Only for people who work for named providers, and only what is theirs."] if role.bound else []


def _by_person(login: Login, word: str, held: frozenset[str]) -> str:
    role = login.role
    by_role = role is not None and grants(role.permissions, word)
    if word in held and role is not None and by_role:
        return _by_role(role, word)
    if word in held:
        return f"It was given to this person besides the role ({word})."
    if by_role:
        return f"The role {role} would grant it, but it was taken from this person ({word})."
    return _by_role(role, word) if role is not None else "This person has no role."


def role_of(name: str) -> Role:
    """The role of this name, whatever its capitals. Refused: there is none."""
    role = Role.objects.filter(name__iexact=name).first()
    if role is None:
        known = ", ".join(Role.objects.order_by("name").values_list("name", flat=True))
        raise Refused(f"There is no role {name!r}; the roles are: {known}.", field="role", code="role_unknown")
    return role


def has_second_factor(login_id: int) -> bool:
    """Whether something is asked at login besides the password; recovery codes alone are nothing."""
    return bool(second_factors().filter(user_id=login_id).exists())


def second_factors() -> Any:
    """The apps and passkeys of everybody."""
    return Authenticator.objects.filter(type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])


def factors_of(login_id: int) -> dict[str, Any]:
    """What a login's page shows: when the app was set up, the passkeys, how many recovery codes are left."""
    rows = list(Authenticator.objects.filter(user_id=login_id).order_by("id"))
    by_kind = {row.type: row for row in rows}
    recovery = by_kind.get(Authenticator.Type.RECOVERY_CODES)
    return {
        "app": by_kind.get(Authenticator.Type.TOTP),
        "passkeys": [row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        "recovery_left": len(recovery.data["digests"]) if recovery else 0,
    }


def passkeys_of(login_id: int) -> list[Any]:
    """The rows of a login's passkeys."""
    return list(Authenticator.objects.filter(user_id=login_id, type=Authenticator.Type.WEBAUTHN).order_by("id"))


def stored_credential(row: Any) -> bytes:
    """A passkey's id and public key, as staff.passkeys made them."""
    return base64.b64decode(row.data["credential"])


def handle_of(session_key: str) -> str:
    """What a page names a session by; the key itself would open it."""
    return opaque(session_key)


def sessions_of(login_id: int) -> list[Session]:
    """The sessions that are open, the one seen last first."""
    rows = Session.objects.filter(login_id=login_id, expire_date__gt=Now()).order_by("-seen_at")
    return list(rows.defer("session_data")[:SESSIONS_SHOWN])


def known_device(username: str, token: str) -> Device | None:
    """The row of the browser with this cookie, if the person of that user name has logged in by it."""
    if not token:
        return None
    return Device.objects.filter(login__username__iexact=username, digest=digest_of(token)).first()


def known_network(username: str, network: str) -> bool:
    """Whether the person of that user name has logged in from this network before."""
    rows = Device.objects.filter(login__username__iexact=username).values_list("address", flat=True)
    return network in {network_of(address) for address in rows if address}


def devices_since(login_id: int, since: datetime, but: int) -> list[Device]:
    """The browsers that were first used after a moment, without one of them."""
    return list(Device.objects.filter(login_id=login_id, first_seen_at__gt=since).exclude(pk=but)[:5])


def who_may_reset(named: str) -> Login | None:
    """The one active member of staff of this user name or e-mail address who can be written to."""
    rows = Login.objects.filter(kind=LoginKind.STAFF, is_active=True).exclude(email="")
    found = rows.filter(username__iexact=named.strip()) or rows.filter(email__iexact=named.strip())
    return found[0] if len(found) == 1 else None


def staff_within(partner_ids: list[int] | None) -> QuerySet[Login]:
    """The people who work for none but these partners; None: everybody."""
    rows = Login.objects.filter(kind=LoginKind.STAFF).select_related("role")
    if partner_ids is None:
        return rows
    elsewhere = Login.objects.filter(partners__in=Partner.objects.exclude(pk__in=partner_ids))
    return rows.filter(partners__in=partner_ids).exclude(pk__in=elsewhere.values("pk")).distinct()


def views_of_person(login_id: int) -> QuerySet[SavedView]:
    """All views that somebody keeps."""
    return SavedView.objects.filter(login_id=login_id)


def views_of(login_id: int, list_name: str) -> QuerySet[SavedView]:
    """The views of a list that somebody keeps, by name."""
    return SavedView.objects.filter(login_id=login_id, list_name=list_name).order_by("name")
