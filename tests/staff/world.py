"""A small provider with one of everything a page can be about, and the people who look at it."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests import cast
from tests.access import scene

from demarc.access.models import CoaIntent, Decision, NatRange, SessionLive, Subscriber
from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog, Partner
from demarc.billing import actions as billing
from demarc.billing.models import Document, Payment
from demarc.customers.models import Account, Customer
from demarc.messages import actions as messages
from demarc.messages.models import Message
from demarc.network import actions as network
from demarc.plans.models import Service
from demarc.staff.actions import create_login, create_token
from demarc.staff.actions.tokens import Limits
from demarc.staff.models import ApiToken, Login, LoginKind, Role, SavedView
from demarc.staff.sessions import PROVEN

LOOKED = re.compile(r'name="looked" value="([0-9a-f]{64})"')
PASSWORD = "correct horse battery"
API = "api/"
LOGO = b"\x89PNG\r\n\x1a\n" + bytes(20)


@dataclass
class Late:
    """A recurring customer who did not pay and is in a held wave, and an outage that lasts."""

    account: Account
    document_id: int
    wave_id: int
    outage_id: int


@dataclass
class World:
    """One of everything, of one provider."""

    scene: scene.Scene
    customer: Customer
    account: Account
    service: Service
    login: Subscriber
    session: SessionLive
    payment: Payment
    message: Message
    decision: Decision
    papers: dict[str, int]
    larry: Late | None

    @property
    def late(self) -> Late:
        """The late payer, where there is one."""
        assert self.larry is not None
        return self.larry

    @property
    def partner(self) -> Partner:
        return self.scene.partner

    @property
    def refused(self) -> CoaIntent:
        """What Ana's router was told, and did not do."""
        told = {"nas": self.session.nas, "session_id": self.session.session_id, "user_name": self.session.user_name}
        facts = {"subscriber": self.login, "kind": "disconnect", "state": "nak", "error_cause": 501, "tries": 1}
        return CoaIntent.objects.get_or_create(**told, defaults={**facts, "node": "main"})[0]

    @property
    def nat_range(self) -> NatRange:
        """Public addresses that its customers share."""
        facts = {"inside": "100.64.0.0/30", "ports_each": 1000, "valid_from": self.session.started_at}
        outside = f"198.51.100.{self.partner.pk % 250}/32"
        return NatRange.objects.get_or_create(partner=self.partner, defaults={**facts, "outside": outside})[0]

    @property
    def colleague(self) -> Login:
        """Somebody who works for this provider only."""
        return Login.objects.get(username=f"clerk-of-{self.partner.pk}")

    @property
    def token(self) -> ApiToken:
        """A program that works for this provider only."""
        return ApiToken.objects.get(name__endswith=f"program-of-{self.partner.pk}")

    @property
    def view(self) -> SavedView:
        """What the colleague keeps of the list of customers."""
        facts = {"login": self.colleague, "list_name": "customers", "name": "Mine"}
        return SavedView.objects.get_or_create(**facts)[0]

    @property
    def ids(self) -> dict[str, Any]:
        """The arguments of URLs by name."""
        return {
            "partner_id": self.partner.pk,
            "customer_id": self.customer.pk,
            "account_id": self.account.pk,
            "service_id": self.service.pk,
            "login_id": self.login.pk,
            "session_id": self.session.pk,
            "staff_id": self.colleague.pk,
            "role_id": Role.objects.get(name="Cashier").pk,
            "token_id": self.token.pk,
            "view_id": self.view.pk,
            "intent_id": self.refused.pk,
            "payment_id": self.payment.pk,
            **({"wave_id": self.larry.wave_id, "outage_id": self.larry.outage_id} if self.larry else {}),
            "plan_id": self.scene.plan.pk,
            "router_id": self.scene.router.pk,
            "pool_id": self.scene.dynamic.pk,
            "entry_id": OperationLog.objects.filter(partner=self.partner).latest("id").pk,
            "cause": 2,
            "preset": "demarc",
            "decision_id": self.decision.pk,
            "range_id": self.nat_range.pk,
            "nas_type": "mikrotik",
            "place": 2,
            "day": clock.today(self.partner.zone).isoformat(),
            "message_id": self.message.pk,
            "kind": "payment_received",
            "channel": "mail",
            "language": "es",
            **self.papers,
        }


def world(name: str = "Demarc", *, number: int = 0, only: str = "") -> World:
    """A provider whose customer Ana has paid, is active and online; Rita has documents and Larry is late, unless `only`
    one of them is wanted ("rita", "larry")."""
    now = clock.now()
    made = scene.scene(name, number=number)
    customer = cast.customer(made.partner, f"Ana of {name}", at=now, phone="+34 600 111 222", email="ana@example.com")
    account = cast.account_of(customer)
    payment = cast.pay(account, 2000, at=now)
    service = cast.service(customer, made.plan, at=now)
    cast.activate(service, at=now)
    service.refresh_from_db()
    login = scene.login(service, f"ana{number}")
    session = scene.online(login, made.nas, f"172.16.{number * 16}.10")
    decision = scene.decided(made.nas, login.login, subscriber_id=login.pk)
    network.save_blocking_page(made.partner.pk, logo=LOGO, by=SYSTEM, at=now)
    (message,) = messages.note_payments([payment.pk], by=SYSTEM, at=now)
    ritas = papers(made.partner) if only != "larry" else {}
    larrys = late(made.partner) if only != "rita" else None
    person("Cashier", f"clerk-of-{made.partner.pk}").partners.set([made.partner])
    limits = Limits(partners=(made.partner.pk,))
    create_token(f"program-of-{made.partner.pk}", "API full", by=SYSTEM, at=now, limits=limits)
    return World(made, customer, account, service, login, session, payment, message, decision, ritas, larrys)


def papers(partner: Partner) -> dict[str, int]:
    """A recurring customer with a document, a discount, something to be billed once, a preview, and a pause that is
    planned: their ids."""
    now = clock.now()
    rita = cast.customer(partner, f"Rita of {partner}", at=now, billing_type="recurring")
    account = cast.account_of(rita)
    held = cast.activate(cast.service(rita, cast.plan(partner, "Monthly"), at=now), at=now)
    discount = cast.plans.add_discount(service_id=held.pk, percent=500, by=SYSTEM, at=now)
    item = billing.bill_item(account_id=account.pk, text="Router", amount=5000, by=SYSTEM, at=now)
    run = billing.preview_run(partner.pk, day=clock.today(partner.zone) + timedelta(days=40), by=SYSTEM, at=now)
    document = Document.objects.filter(account=account).latest("id")
    on = clock.today(partner.zone) + timedelta(days=60)
    planned = cast.plans.plan_ahead(held.pk, on=on, state="paused", by=SYSTEM, at=now)
    ids = {"document_id": document.pk, "item_id": item.pk, "run_id": run.pk, "discount_id": discount.pk}
    return {**ids, "fact_id": planned.pk}


def late(partner: Partner) -> Late:
    """Larry's bill was due two weeks ago, and any wave waits for a person."""
    now = clock.now()
    then = now - timedelta(days=40)
    rules = {"wave_least": 0, "on_weekends": True, "block_hour": 0}
    billing.set_dunning_terms(partner.pk, valid_from=date(2020, 1, 1), by=SYSTEM, at=then, **rules)
    customer = cast.customer(partner, f"Larry of {partner}", billing_type="recurring", at=then)
    account = cast.account_of(customer)
    plan = cast.plan(partner, "Fibre by invoice", at=then)
    cast.activate(cast.service(customer, plan, at=then), at=then)
    wave = billing.remind_and_block(partner.pk, by=SYSTEM, at=now).wave
    outage = billing.note_outage(partner.pk, began_at=now, note="mast down", by=SYSTEM, at=now)
    assert wave is not None
    return Late(account, account.documents.get().pk, wave.pk, outage.pk)


def person(role: str, name: str = "") -> Login:
    """A member of staff."""
    name = name or role.lower().replace(" ", "-")
    return create_login(username=name, password=PASSWORD, role=role, by=SYSTEM, at=clock.now())


def customer_login(name: str = "ana-portal") -> Login:
    """A customer's login, with an administrator's role by mistake: the door must not care."""
    login = Login(username=name, kind=LoginKind.CUSTOMER, role=Role.objects.get(name="Super administrator"))
    login.set_password(PASSWORD)
    login.save()
    return login


def logged_in(login: Login) -> Client:
    """A browser in which this person has logged in."""
    client = Client()
    client.force_login(login)
    session = client.session
    session[PROVEN] = clock.now().isoformat()
    session.save()
    return client


def words(answer: HttpResponse) -> str:
    """A page as people read it: spaces are spaces, dashes dashes."""
    return answer.content.decode().replace("\xa0", " ").replace("\N{EN DASH}", "-")


def proof(answer: HttpResponse) -> str:
    """What a form sends back when its consequences were looked at."""
    found = LOOKED.search(answer.content.decode())
    assert found is not None, "the page shows nothing to be confirmed"
    return found[1]


def staff_pages() -> list[URLPattern]:
    """Every URL of the staff application; the API and what is served for it are another door."""
    return [pattern for prefix, pattern in _patterns(get_resolver().url_patterns) if not prefix.startswith(API)]


def _patterns(found: list[Any], prefix: str = "") -> list[tuple[str, URLPattern]]:
    flat: list[tuple[str, URLPattern]] = []
    for one in found:
        path = prefix + str(one.pattern)
        flat += _patterns(one.url_patterns, path) if isinstance(one, URLResolver) else [(path, one)]
    return flat


def address(pattern: URLPattern, of: World) -> str:
    """The URL of a page about this world's things."""
    wanted = pattern.pattern.converters
    return reverse(str(pattern.name), kwargs={name: of.ids[name] for name in wanted})
