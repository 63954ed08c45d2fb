"""Sites and routers. Knows no secret: that is the access room's."""

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.core.errors import Refused
from demarc.network.models import NasType, Router, Site


class RouterFacts(TypedDict, total=False):
    """What may be changed on a router."""

    name: str
    nas_type: str
    site_id: int | None


@transaction.atomic
def create_site(*, partner_id: int, name: str, by: Actor, at: datetime) -> Site:
    """A place where routers stand. Refused: name empty or taken."""
    site = Site(partner_id=partner_id, name=texts.name(name))
    if taken := Site.objects.filter(partner_id=partner_id, name=site.name).first():
        raise Refused(f"There is a site {site.name} already.", field="name", code="taken", holder=("site", taken.pk))
    site.save()
    log.record("created", by=by, at=at, subject=("site", site.pk), partner_id=partner_id, name=site.name)
    return site


@transaction.atomic
def create_router(
    *, partner_id: int, name: str, nas_type: str = NasType.MIKROTIK, site_id: int | None = None, by: Actor, at: datetime
) -> Router:
    """A device that customers connect through. Refused: name empty or taken, type or site unknown."""
    router = Router(partner_id=partner_id, name=name, nas_type=nas_type, site_id=site_id, created_at=at)
    _check_router(router)
    router.save()
    _router_changed("created", router, by=by, at=at, name=router.name, nas_type=router.nas_type)
    return router


@transaction.atomic
def update_router(router_id: int, *, by: Actor, at: datetime, **changes: Unpack[RouterFacts]) -> Router:
    """Rename a router, change its type or its site. Refused as in create_router."""
    router = Router.objects.select_for_update().get(pk=router_id)
    before = log.snapshot(router)
    router.name = changes.get("name", router.name)
    router.nas_type = changes.get("nas_type", router.nas_type)
    router.site_id = changes.get("site_id", router.site_id)
    _check_router(router)
    router.save()
    _router_changed("changed", router, by=by, at=at, changed=log.changes(before, router))
    return router


def _check_router(router: Router) -> None:
    router.name = texts.name(router.name)
    if router.nas_type not in NasType.values:
        raise Refused(f"Choose one of {', '.join(NasType.values)}.", field="nas_type")
    if router.site_id and not Site.objects.filter(pk=router.site_id, partner_id=router.partner_id).exists():
        raise Refused("The partner has no such site.", field="site_id")
    namesakes = Router.objects.filter(partner_id=router.partner_id, name=router.name).exclude(pk=router.pk)
    if taken := namesakes.first():
        raise Refused(
            f"There is a router {router.name} already.", field="name", code="taken", holder=("router", taken.pk)
        )


def _router_changed(verb: str, router: Router, *, by: Actor, at: datetime, **body: object) -> None:
    log.record(verb, by=by, at=at, subject=("router", router.pk), partner_id=router.partner_id, **body)
    emit("PolicyChanged", partners=[router.partner_id])
