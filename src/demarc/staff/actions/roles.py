"""What is done to roles, and to what a person may do. Nobody gives, takes or changes what he may not do himself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.staff.models import Login, Role
from demarc.staff.permissions import ALL, PERMISSIONS, covers, spread
from demarc.staff.queries import providers_named, refuse_last_super, words_of, works_for
from demarc.staff.shipped import SHIPPED

ABOVE = "You cannot give, take or change what you may not do yourself."


@dataclass(frozen=True, slots=True)
class Wished:
    """What a role is to be: `words` it is to hold; `bound`: for people who work for named providers only."""

    name: str
    words: Collection[str]
    bound: bool


@transaction.atomic
def create_role(name: str, *, like: int, held: Collection[str], by: Actor, at: datetime) -> Role:
    """A new role that may do what the role `like` may; `held`: what the one may do who makes it.

    Refused: the name is taken, the other role may do more than he.
    """
    pattern = _changeable(like, held)
    name = _free_name(name)
    made = Role.objects.create(
        name=name, permissions=pattern.permissions, bound=pattern.bound, second_factor=pattern.second_factor
    )
    log.record("created", by=by, at=at, subject=("role", made.pk), name=name, like=pattern.name)
    return made


@transaction.atomic
def save_role(role_id: int, wished: Wished, *, held: Collection[str], by: Actor, at: datetime) -> Role:
    """What a role is called and may do, and whether its holders must work for named providers only.

    Refused: it or what it is to be may do more than `held`; the name is taken; it is the super administrator's; it is
    to be bound while somebody who works for all providers holds it.
    """
    role = _changeable(role_id, held)
    wanted, bound = _known(wished.words), wished.bound
    _refuse_above(held, wanted)
    if bound and not role.bound and _unbound_holders(role):
        told = "Somebody who holds it works for all providers; give him providers first."
        raise Refused(told, field="bound", code="unbound")
    before = {"name": role.name, "words": role.permissions, "bound": role.bound}
    role.name = role.name if wished.name == role.name else _free_name(wished.name, but=role.pk)
    role.permissions, role.bound = sorted(wanted), bound
    role.save(update_fields=["name", "permissions", "bound"])
    after = {"name": role.name, "words": role.permissions, "bound": bound}
    log.record("role_saved", by=by, at=at, subject=("role", role_id), before=before, after=after)
    return role


@transaction.atomic
def reset_role(role_id: int, *, held: Collection[str], by: Actor, at: datetime) -> Role:
    """A shipped role may again do just what it shipped with. Refused: it did not ship; it is above `held`."""
    role = _changeable(role_id, held)
    shipped = SHIPPED.get(role.shipped)
    if shipped is None:
        raise Refused("This role did not come with Demarc; there is nothing to go back to.", code="not_shipped")
    _refuse_above(held, shipped.words)
    if shipped.bound and _unbound_holders(role):
        raise Refused("Somebody who holds it works for all providers; give him providers first.", code="unbound")
    before = list(role.permissions)
    role.permissions, role.bound = sorted(shipped.words), shipped.bound
    role.save(update_fields=["permissions", "bound"])
    log.record("role_reset", by=by, at=at, subject=("role", role_id), before=before, words=role.permissions)
    return role


@transaction.atomic
def remove_role(role_id: int, *, held: Collection[str], by: Actor, at: datetime) -> None:
    """The role is gone. Refused: it came with Demarc; somebody or a token holds it; it is above `held`."""
    role = _changeable(role_id, held)
    if role.shipped:
        raise Refused("This role came with Demarc; it can be changed, not removed.", code="shipped")
    if role.logins.exists() or role.tokens.exists():
        raise Refused("Somebody or an API token holds this role; give them another first.", code="held")
    role.delete()
    log.record("removed", by=by, at=at, subject=("role", role_id), name=role.name)


@transaction.atomic
def set_role(
    login_id: int, *, role: int, partners: Sequence[int], held: Collection[str], by: Actor, at: datetime
) -> Login:
    """Which role a person holds, and the providers he works for; none: all of them. His own rights stay.

    Refused: he may or would do more than `held`; the role is for named providers only and there is none; one of them
    is not there; it is the last super administrator of all providers who would be no more.
    """
    login = _below(login_id, held)
    wanted, providers = Role.objects.get(pk=role), providers_named(partners)
    _refuse_unbound(wanted, partners)
    if ALL not in wanted.permissions or providers:
        refuse_last_super(login, field="role" if ALL not in wanted.permissions else "partners")
    before = {"role": login.role.name if login.role else None, "partners": works_for(login)}
    login.role, login.everywhere = wanted, not providers
    if ALL in wanted.permissions:
        login.granted, login.withdrawn = [], []
    _refuse_above(held, words_of(login), field="role")
    login.save(update_fields=["role", "everywhere", "granted", "withdrawn"])
    login.partners.set(providers)
    after = {"role": wanted.name, "partners": works_for(login)}
    log.record("role_given", by=by, at=at, subject=("login", login_id), before=before, after=after)
    return login


@transaction.atomic
def set_own_rights(login_id: int, words: Collection[str], *, held: Collection[str], by: Actor, at: datetime) -> Login:
    """A person may do just this, whatever his role holds: the difference to the role is kept with him.

    Refused: he may or would do more than `held`; his role may do everything, which is never narrowed.
    """
    login = _below(login_id, held)
    by_role = spread(login.role.permissions if login.role else ())
    if ALL in by_role:
        raise Refused("Who may do everything is not narrowed; give him another role.", code="everything")
    wanted = spread(_known(words))
    _refuse_above(held, wanted)
    before = {"granted": login.granted, "withdrawn": login.withdrawn}
    login.granted, login.withdrawn = sorted(wanted - by_role), sorted(by_role - wanted)
    login.save(update_fields=["granted", "withdrawn"])
    after = {"granted": login.granted, "withdrawn": login.withdrawn}
    log.record("own_rights_set", by=by, at=at, subject=("login", login_id), before=before, after=after)
    return login


@transaction.atomic
def view_as(role_id: int, *, by: Actor, at: datetime) -> Role:
    """Somebody who may do everything begins to look at the application as a role would; his session remembers it."""
    role: Role = Role.objects.get(pk=role_id)
    log.record("view_as_began", by=by, at=at, subject=("role", role_id), role=role.name)
    return role


@transaction.atomic
def end_view_as(role_id: int, *, by: Actor, at: datetime) -> None:
    """He looks at it as himself again. Never refused."""
    log.record("view_as_ended", by=by, at=at, subject=("role", role_id))


def _changeable(role_id: int, held: Collection[str]) -> Role:
    """The role, held for change. Refused: it is above."""
    role: Role = Role.objects.select_for_update().get(pk=role_id)
    if ALL in role.permissions:
        raise Refused("Who may do everything, may: this role is neither changed nor copied.", code="everything")
    _refuse_above(held, role.permissions)
    return role


def _below(login_id: int, held: Collection[str]) -> Login:
    """The person, held for change. Refused: he is above."""
    login: Login = Login.objects.select_for_update(of=("self",)).select_related("role").get(pk=login_id)
    _refuse_above(held, words_of(login))
    return login


def _refuse_above(held: Collection[str], wanted: Collection[str], field: str = "") -> None:
    if not covers(held, wanted):
        raise Refused(ABOVE, field=field, code="above")


def _refuse_unbound(role: Role, partners: Sequence[int]) -> None:
    if role.bound and not partners:
        told = f"{role.name} is for people who work for named providers; choose them."
        raise Refused(told, field="partners", code="unbound")


def _known(words: Collection[str]) -> frozenset[str]:
    """These words. Refused: one is none of ours."""
    strange = sorted(set(words) - PERMISSIONS.keys())
    if strange:
        raise Refused(f"There is no right {strange[0][:40]!r}.", field="words", code="unknown_word")
    return frozenset(words)


def _free_name(name: str, but: int | None = None) -> str:
    name = texts.one_line(name, field="name", length_max=60)
    others = Role.objects.filter(name__iexact=name)
    if not name or (others if but is None else others.exclude(pk=but)).exists():
        raise Refused("Choose a name that no other role has.", field="name", code="taken")
    return name


def _unbound_holders(role: Role) -> bool:
    return role.logins.filter(partners=None).exists() or role.tokens.filter(partners=None, revoked_at=None).exists()
