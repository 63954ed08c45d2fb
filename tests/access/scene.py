"""A provider whose customers are online through one router: the stage on which access is given and taken."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from tests import cast
from tests.cast import AT, STAFF

from demarc.access import actions as access
from demarc.access.models import CoaIntent, Decision, Nas, SessionLive, SessionLog, Subscriber
from demarc.base.models import Partner
from demarc.network import actions as network
from demarc.network.models import Pool, Router
from demarc.plans import actions as plans
from demarc.plans.models import Plan, Service


@dataclass
class Scene:
    """What is there. The router's NAS takes CoA and blocks by it."""

    partner: Partner
    plan: Plan
    router: Router
    nas: Nas
    dynamic: Pool
    static: Pool


def scene(name: str = "Demarc", *, number: int = 0, **nas: Any) -> Scene:
    """A partner with the shipped causes, a plan, a router with a dynamic pool, and a prefix for static addresses."""
    partner = cast.partner(name)
    network.set_up_partner(partner.pk, by=STAFF, at=AT)
    router = network.create_router(partner_id=partner.pk, name="North", by=STAFF, at=AT)
    return Scene(
        partner,
        cast.plan(partner),
        router,
        access.save_nas(
            router_id=router.pk, address=f"127.0.1.{number + 1}", secret="testing123", by=STAFF, at=AT, **nas
        ),
        pool(partner, "North", f"172.16.{number * 16}.0/20", router_id=router.pk),
        pool(partner, "Public", f"203.0.113.{number * 32}/27", kind="static"),
    )


def pool(partner: Partner, name: str, network_text: str, **facts: Any) -> Pool:
    return network.create_pool(partner_id=partner.pk, name=name, network=network_text, by=STAFF, at=AT, **facts)


def service(on: Scene, name: str = "Ana", *, active: bool = True) -> Service:
    """A new customer's service, in use unless said otherwise."""
    made = cast.service(cast.customer(on.partner, name), on.plan)
    if active:
        plans.activate_service(made.pk, by=STAFF, at=AT)
        made.refresh_from_db()
    return made


def login(of: Service, name: str = "ana", **options: Any) -> Subscriber:
    return access.create_subscriber(service_id=of.pk, login=name, password="secret", by=STAFF, at=AT, **options)


def online(subscriber: Subscriber, nas: Nas, address: str | None = "172.16.0.10", **facts: Any) -> SessionLive:
    """A live session, as radiusd's shipper writes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        at = cursor.fetchone()[0]
    given = {
        "nas": nas,
        "boot_epoch": 1,
        "session_id": f"8{subscriber.pk:07x}",
        "user_name": subscriber.login,
        "partner": subscriber.partner,
        "subscriber": subscriber,
        "service": subscriber.service,
        "framed_ipv4": address,
        "started_at": at,
        "updated_at": at,
    }
    return SessionLive.objects.create(**given | facts)


def past(
    nas: Nas, whose: Subscriber, session_id: str, started_at: datetime, ended_at: datetime, **facts: Any
) -> SessionLog:
    """A session that ended, as radiusd's shipper writes it."""
    given = {
        "id": SessionLog.objects.count() + 1, "nas_id": nas.pk, "boot_epoch": 1, "session_id": session_id,
        "user_name": whose.login, "partner_id": whose.partner_id, "subscriber_id": whose.pk,
        "service_id": whose.service_id, "started_at": started_at, "ended_at": ended_at,
        "calling_station": "02:00:00:00:00:01", "called_station": "", "nas_port_id": "vlan7", "vrf": 0,
        "framed_ipv4": "172.16.0.10", "session_time_s": 3600, "input_octets": 0, "output_octets": 0,
        "terminate_cause": 1, "ending": "stop",
    }  # fmt: skip
    return SessionLog.objects.create(**given | facts)


def decided(nas: Nas, login: str = "ana", **facts: Any) -> Decision:
    """A decision as radiusd's writer leaves it: PAP, accepted by us, unless said otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('access_decision_id_seq'), now()")
        key, at = cursor.fetchone()
    given = {
        "id": key, "at": at, "node": "main/0", "nas_id": nas.pk, "partner_id": nas.partner_id, "login": login,
        "found": "exact", "method": "pap", "credentials": "pass", "needs_proof": False,
        "station": "02:00:00:00:00:01", "port": "ether1", "mac_rule": "any", "others": 0, "session_limit": 1,
        "outcome": "accept", "answered_by": "us", "why": "The customer is active.", "address": "172.16.0.10",
        "address_from": "pool", "sent": ["Framed-IP-Address = 172.16.0.10"],
    }  # fmt: skip
    return Decision.objects.create(**given | facts)


def set_state(of: Service, cause: int | None, *, state: str = "active", at: datetime = AT) -> None:
    """The service's access as the plans room would leave it, without the rest of that room's story."""
    Service.objects.filter(pk=of.pk).update(blocked_cause=cause, state=state, access_since=at)


def told(subscriber: Subscriber) -> list[tuple[str, str, str, str]]:
    """Kind, list, rate and state of all that routers were to be told about a login, oldest first."""
    intents = CoaIntent.objects.filter(subscriber=subscriber).order_by("id")
    return [(one.kind, one.list_name, one.rate_limit, one.state) for one in intents]
