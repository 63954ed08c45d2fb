"""The demo's provider: modelled on a coast town's ISP with fibre, wireless and holiday guests, and three concentrators.

The concentrators are this machine's loopback addresses, so that real RADIUS clients here can speak for them.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from demarc.access.actions import save_nas
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.billing.actions import set_dunning_terms
from demarc.customers.actions import create_partner, update_partner
from demarc.messages.actions import MailFields, save_mail_server, set_rules
from demarc.network.actions import create_pool, create_router, create_site, save_blocking_page, set_up_partner
from demarc.plans.actions import create_plan, set_tax
from demarc.plans.models import Plan

ZONE = "Europe/Madrid"
SECRET = "demarc-demo"  # noqa: S105 - of loopback addresses, and only in a data directory made with --demo
CONCENTRATORS = (("bras-1", "127.0.0.1"), ("bras-2", "127.0.0.2"), ("bras-3", "127.0.0.3"))
PUBLIC = "203.0.113.0/24"
HOW_TO_PAY = "By card or cash at our office, Carrer de la Vila 12, or by transfer to ES91 2100 0418 4502 0005 1332."
TAX = Decimal("0.21")

PLANS = (
    ("Fibre 100", 2490, 100_000, 50_000),
    ("Fibre 300", 3490, 300_000, 150_000),
    ("Fibre 600", 4490, 600_000, 300_000),
    ("Wireless 20", 1990, 20_000, 5_000),
    ("Wireless 50", 2990, 50_000, 10_000),
    ("Vacation 50", 4000, 50_000, 25_000),
)


@dataclass(frozen=True)
class Provider:
    """What the customers hang on; plans by name."""

    partner: Partner
    plans: dict[str, Plan]


def make_provider(*, customers: int, by: Actor, at: datetime) -> Provider:
    """The partner with its network, sized for `customers`, and its plans."""
    partner = create_partner(name="Costa Fibra", zone=ZONE, currency="EUR", language="en", by=by, at=at)
    contact = {"phone": "+34 972 00 00 00", "email": "hola@costafibra.example", "website": "https://costafibra.example"}
    update_partner(partner.pk, by=by, at=at, **contact)
    set_tax(partner.pk, category="standard", valid_from=date(2012, 9, 1), rate=TAX, by=by, at=at)
    set_up_partner(partner.pk, by=by, at=at)
    save_blocking_page(partner.pk, how_to_pay=HOW_TO_PAY, colour="#0b7285", by=by, at=at)
    sender = MailFields(host="mail.costafibra.example", from_name=partner.name, from_address=contact["email"])
    save_mail_server(partner.pk, by=by, at=at, **sender)
    set_rules(partner.pk, channels={"running_low": ["mail", "sms"]}, by=by, at=at)  # a dry run: nothing leaves
    set_dunning_terms(partner.pk, valid_from=at.date(), country="ES", on_weekends=True, by=by, at=at)
    _make_network(partner, customers, by=by, at=at)
    plans = {
        name: create_plan(
            partner_id=partner.pk, name=name, price=price, speed_down_kbps=down, speed_up_kbps=up, by=by, at=at
        )
        for name, price, down, up in PLANS
    }
    return Provider(partner, plans)


def _make_network(partner: Partner, customers: int, *, by: Actor, at: datetime) -> None:
    site = create_site(partner_id=partner.pk, name="Lloret, core", by=by, at=at)
    for number, (name, address) in enumerate(CONCENTRATORS):
        router = create_router(partner_id=partner.pk, name=name, site_id=site.pk, by=by, at=at)
        save_nas(router_id=router.pk, address=address, secret=SECRET, by=by, at=at)
        create_pool(
            partner_id=partner.pk,
            name=f"{name} private",
            network=private_network(number, customers),
            router_id=router.pk,
            by=by,
            at=at,
        )
    create_pool(partner_id=partner.pk, name="Public", network=PUBLIC, kind="static", by=by, at=at)


def private_network(number: int, customers: int) -> str:
    """The private pool of concentrator `number` from 0: a /20 of 172.16.0.0/12, or as much as the survivors of one
    failed concentrator need for all customers."""
    prefix = 20
    while 2 ** (32 - prefix) * 2 < customers * 5 // 4 and prefix > 14:
        prefix -= 1
    start = (172 << 24 | 16 << 16) + (number << (32 - prefix))
    return f"{start >> 24}.{start >> 16 & 255}.{start >> 8 & 255}.0/{prefix}"
