"""Routers as RADIUS clients. Their secrets are sealed here and opened by radiusd alone."""

from datetime import datetime
from ipaddress import ip_address
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction

from demarc.access.actions.sessions import OPEN
from demarc.access.feed import tell_radius
from demarc.access.models import CoaIntent, CoaKind, Nas, RequireAuthenticator
from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.base.numbering import take_ids
from demarc.base.vault import seal_for_radius
from demarc.core.errors import Refused
from demarc.network.models import Router

SECRET_LENGTH_MAX = 128
OURS = (
    *("address", "secret", "require_authenticator", "sends_authenticator", "coa_enabled", "coa_port"),
    *("block_by", "interim_s", "framed_pool", "node"),
)
"""Columns that people set; the others are radiusd's, which writes them meanwhile."""


class NasFacts(TypedDict, total=False):
    """How a NAS is spoken to. `framed_pool`: the NAS's own pool, from which it allocates; then we only record."""

    require_authenticator: str
    coa_enabled: bool
    coa_port: int
    block_by: str
    interim_s: int
    framed_pool: str
    node: str


@transaction.atomic
def save_nas(*, router_id: int, address: str, secret: str, by: Actor, at: datetime, **facts: Unpack[NasFacts]) -> Nas:
    """Make a router a RADIUS client, or change how it is one; an empty `secret` keeps the present one.

    Refused: no address, or another NAS's (the holder is its router); no secret for a new one; a number out of range.
    """
    router = Router.objects.select_for_update().get(pk=router_id)
    known = Nas.objects.filter(router=router).first()
    nas = known or Nas(pk=take_ids("access_nas_id_seq", 1)[0], router=router, partner_id=router.partner_id)
    before = log.snapshot(nas)
    if nas.address != (nas_address := _address(address)):
        nas.address, nas.sends_authenticator = nas_address, None
    for name, value in facts.items():
        setattr(nas, name, value)
    _check(nas)
    if secret:
        nas.secret = seal_for_radius(_secret(secret), f"access_nas.secret.{nas.pk}")
    elif known is None:
        raise Refused("Give the NAS a secret; the same one is typed into the router.", field="secret")
    _refuse_taken(nas)
    try:
        with transaction.atomic():
            nas.save(update_fields=OURS if known else None)
    except IntegrityError as error:  # another one was quicker, or it is out of sight; say which
        _refuse_taken(nas)
        raise Refused("Another router has this address.", field="address", code="taken") from error
    # What waits to be told to it, its new node tells it: the old one may be no more.
    CoaIntent.objects.filter(nas=nas, state__in=OPEN).exclude(node=nas.node).update(node=nas.node)
    told = {"changed": log.changes(before, nas, names=[*OURS, "secret"])}
    log.record("nas_saved", by=by, at=at, subject=("router", router_id), partner_id=router.partner_id, **told)
    tell_radius("nas", [nas.pk])
    return nas


def _address(text: str) -> str:
    try:
        address = ip_address(text.strip())
    except ValueError as error:
        raise Refused(f"{text} is not an IP address.", field="address") from error
    if address.is_multicast or address.is_unspecified:
        raise Refused(f"No router sends from {address}.", field="address")
    return str(address)


def _secret(text: str) -> str:
    return texts.one_line(text, field="secret", length_max=SECRET_LENGTH_MAX)


def _check(nas: Nas) -> None:
    if not 1 <= nas.coa_port <= 65535:
        raise Refused("A port is a number from 1 to 65535.", field="coa_port")
    if not 60 <= nas.interim_s <= 86400:
        raise Refused("Accounting comes every 60 to 86400 seconds.", field="interim_s")
    if nas.require_authenticator not in RequireAuthenticator.values:
        raise Refused(f"Choose one of {', '.join(RequireAuthenticator.values)}.", field="require_authenticator")
    if nas.block_by not in CoaKind.values:
        raise Refused(f"Choose one of {', '.join(CoaKind.values)}.", field="block_by")
    nas.framed_pool = texts.one_line(nas.framed_pool, field="framed_pool", length_max=60)
    nas.node = texts.name(nas.node, field="node", length_max=60)


def _refuse_taken(nas: Nas) -> None:
    other = Nas.objects.filter(address=nas.address).exclude(pk=nas.pk).select_related("router").first()
    if other is None:
        return
    if other.partner_id != nas.partner_id:
        raise Refused("A router of another partner has this address.", field="address", code="taken")
    raise Refused(
        f"The router {other.router} has this address.",
        field="address",
        code="taken",
        holder=("router", other.router_id),
    )
