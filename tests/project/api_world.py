"""An ISP with one of everything that an operation can name, and requests made from the API's own document."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from tests import cast
from tests.access import scene as radius
from tests.cast import STAFF
from tests.staff import world as staff_world
from tests.staff.world import papers

from demarc.access import actions as access
from demarc.access.models import CoaIntent
from demarc.base import clock
from demarc.base.models import Location, Partner
from demarc.billing import actions as billing
from demarc.messages import actions as messages
from demarc.network import actions as network
from demarc.project.api import api

ID = re.compile(r"\w+_id")
SAMPLES = {
    "amount": "1.00",
    "text": "Router",
    "auto": True,
    "price": "10.00",
    "method": "cash",
    "reason": "because",
    "zone": "UTC",
    "currency": "EUR",
    "category": "standard",
    "valid_from": "2024-05-31",
    "rate": "0.21",
    "speed_down_kbps": 5000,
    "speed_up_kbps": 1000,
    "address": "127.0.9.9",
    "network": "198.18.0.0/24",
    "preset": "demarc",
    "monthly_gb": 100,
    "inside": "100.64.0.0/30",
    "outside": "192.0.2.0/32",
    "ports_each": 1000,
    "block": "cut",
    "answer": "list",
    "password": "secret",
    "message_kind": "reminder",
    "channel": "mail",
    "subject": "Hello",
    "host": "mail.example.com",
    "from_address": "isp@example.com",
    "url": "https://sms.example.com/send?to={to}&text={text}",
    "time": "2024-05-31T12:00:00",
    "on": "2199-12-31",
    "billing_type": "prepaid",
    "until": "2024-05-31",
    "began_at": "2024-05-31T10:00:00Z",
}
"""A good value for each field that an operation requires; a name is made up."""
_names = count(1)


@dataclass(frozen=True)
class Operation:
    """One operation as the document describes it."""

    id: str
    method: str
    path: str
    details: dict[str, Any]

    @property
    def permission(self) -> str:
        return self.details["x-permission"]

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """Those of query and header, by name."""
        return {one["name"]: one for one in self.details["parameters"] if one["in"] != "path"}

    @property
    def body(self) -> dict[str, Any]:
        """The schema of its body; empty when it takes none."""
        content = self.details.get("requestBody", {}).get("content", {})
        return resolved(content["application/json"]["schema"]) if content else {}

    @property
    def named(self) -> set[str]:
        """The ids it takes, wherever: in its path, a filter or its body."""
        fields = {*self.path_names, *self.parameters, *self.body.get("properties", {})}
        return {name for name in fields if ID.fullmatch(name)}

    def at(self, values: dict[str, Any]) -> str:
        """Its path below /api/v1 with these values in it, and its required filters behind."""
        path = self.path.removeprefix("/api/v1").format_map(values)
        asked = [
            f"{name}={values[name]}"
            for name, one in self.parameters.items()
            if one["in"] == "query" and one["required"]
        ]
        return path + ("?" + "&".join(asked) if asked else "")

    def filled(self, values: dict[str, Any], *also: str) -> dict[str, Any]:
        """A good body of what it requires and the fields `also`; ids from `values`."""
        wanted = {*self.body.get("required", []), *(name for name in also if name in self.body.get("properties", {}))}
        made_up = {"name": f"Name {next(_names)}", "login": f"login{next(_names)}"}
        return {name: (values | SAMPLES | made_up)[name] for name in sorted(wanted)}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema's $ref stands for."""
    while "$ref" in schema:
        schema = api.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def operations() -> Iterator[Operation]:
    for path, methods in api.document["paths"].items():
        for method, details in methods.items():
            yield Operation(details["operationId"], method.upper(), path, details)


OPERATIONS = {operation.id: operation for operation in operations()}


def isp(number: int) -> tuple[Partner, dict[str, int]]:
    """A provider with one of everything, and the ids by the names that operations give them."""
    stage = radius.scene(f"Provider of everything {number}", number=number)
    login = radius.login(radius.service(stage), f"login-of-{number}")
    session = radius.online(login, stage.nas, str(stage.dynamic.first))
    told = access.request_disconnect(session.pk, by=STAFF, at=clock.now())
    CoaIntent.objects.filter(pk=told.pk).update(state="nak", error_cause=501)
    other = radius.online(login, stage.nas, None, session_id="stuck")
    stuck = access.request_disconnect(other.pk, by=STAFF, at=clock.now())
    CoaIntent.objects.filter(pk=stuck.pk).update(state="nak", error_cause=501)
    account = cast.account_of(login.service.customer)
    payment = cast.pay(account, 5000, at=clock.now())
    (message,) = messages.note_payments([payment.pk], by=STAFF, at=clock.now())
    late = staff_world.late(stage.partner)
    eve = clock.now() - timedelta(days=1)
    daily = cast.subscriber(stage.partner, cast.plan(stage.partner, "By the day", at=eve), paid=1000, at=eve)
    billing.open_day(stage.partner.pk, day=clock.today("UTC"), by=STAFF, at=clock.now())
    return stage.partner, {
        "partner_id": stage.partner.pk,
        "customer_id": login.service.customer_id,
        "account_id": account.pk,
        "plan_id": stage.plan.pk,
        "service_id": login.service_id,
        "payment_id": payment.pk,
        "message_id": message.pk,
        "router_id": stage.router.pk,
        "location_id": Location.objects.create(partner=stage.partner, name="North").pk,
        "site_id": network.create_site(partner_id=stage.partner.pk, name="Tower", by=STAFF, at=clock.now()).pk,
        "pool_id": stage.dynamic.pk,
        "login_id": login.pk,
        "session_id": session.pk,
        "intent_id": told.pk,
        "nas_type": "mikrotik",
        "range_id": access.add_nat_range(
            stage.partner.pk,
            inside="100.64.0.0/30",
            outside=f"198.51.100.{stage.partner.pk % 250}/32",
            ports_each=1000,
            by=STAFF,
            at=clock.now(),
        ).pk,
        "decision_id": radius.decided(stage.nas, login.login, subscriber_id=login.pk).pk,
        "cause": 2,
        **papers(stage.partner),
        "document_id": late.document_id,
        "wave_id": late.wave_id,
        "parent_id": late.account.pk,
        "day_id": daily.days.get().pk,
        "transfer_id": daily.transfers.get(kind="charge").pk,
        "outage_id": late.outage_id,
    }
