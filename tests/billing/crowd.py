"""Stories in which much happens to few services on few days: what stories drawn evenly hardly ever do.

A story is plain data made from a seed, and is told through the actions, with the jobs that follow them. Nobody knows
what its balances should be; it is judged by what must be so after any: the checks, the replay, the database's own
constraints, no document when nothing changed, and each day in use paid once, by the day or by a document.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from django.db import connection, transaction
from tests import cast
from tests.cast import STAFF

from demarc.base.actors import SYSTEM
from demarc.billing import actions, check
from demarc.billing.actions import Wanted
from demarc.billing.models import Document, PrepaidState
from demarc.billing.queries import accounts_due
from demarc.billing.replay import Replay
from demarc.core.errors import Refused
from demarc.customers import actions as customers
from demarc.customers.models import Account, Customer
from demarc.plans import actions as plans
from demarc.plans.models import Service

DAY = timedelta(days=1)
DEEDS_A_STORY = 25
RICH = 10**9

# Days on which a service was in use since before, nobody decided and no document bills, and days paid twice. A free day
# may wait for the next regular document.
PAID_ONCE = """
WITH day AS (
    SELECT s.id AS service_id, s.account_id, day::date AS day
    FROM plans_service s CROSS JOIN generate_series(%(first)s::date, %(today)s::date, interval '1 day') AS day
), used AS (
    SELECT d.*, EXISTS (SELECT FROM plans_servicefact f WHERE f.service_id = d.service_id AND f.valid_from <= d.day
            AND (f.price_override = 0
                OR EXISTS (SELECT FROM plans_planprice p WHERE p.plan_id = f.plan_id AND p.amount = 0)))
        OR EXISTS (SELECT FROM plans_discount c WHERE c.service_id = d.service_id AND c.percent = 10000) AS free,
        (SELECT f.state FROM plans_servicefact f WHERE f.service_id = d.service_id AND f.valid_from < d.day
        ORDER BY valid_from DESC, id DESC LIMIT 1) = 'active' AND NOT EXISTS (SELECT FROM plans_servicefact f
        WHERE f.service_id = d.service_id AND f.valid_from = d.day) AS used
    FROM day d
), paid AS (
    SELECT u.*, (SELECT count(*) FROM billing_cover c WHERE c.service_id = u.service_id AND c.replaced_by_id IS NULL
            AND u.day BETWEEN c.first_day AND c.last_day) AS billed,
        (SELECT count(*) FROM billing_transfer t WHERE t.service_id = u.service_id AND t.kind = 'charge'
            AND t.day = u.day) AS charged,
        (SELECT count(*) FROM billing_daydecision e WHERE e.account_id = u.account_id AND e.day = u.day) AS decided
    FROM used u
)
SELECT service_id, day, billed, charged, decided FROM paid
WHERE billed + charged > 1 OR (used AND NOT free AND billed + decided = 0) ORDER BY service_id, day
"""


class Story(NamedTuple):
    """How a provider begins, and what is then done: (name of a method of Crowd, what it is given)."""

    begin: dict[str, Any]
    deeds: list[tuple[str, dict[str, Any]]]


class Fault(NamedTuple):
    """What is wrong, and after which deed it showed: the story's length if only at its end."""

    deed: int
    kind: str
    text: str


def pick(chance: Random) -> dict[str, Any]:
    return {"pick": chance.randrange(12)}


DEEDS: dict[str, tuple[int, Callable[[Random], dict[str, Any]]]] = {
    "days_pass": (5, lambda chance: {"days": chance.choice([1, 1, 2, 5, 12, 30])}),
    "leave": (5, lambda chance: pick(chance) | {"state": chance.choice([*["paused"] * 6, *["stopped"] * 3, "ended"])}),
    "take_up": (6, pick),
    "move": (4, lambda chance: pick(chance) | {"plan": chance.randrange(3), "own": chance.choice([None, 0, 700])}),
    "hold_more": (2, lambda chance: pick(chance) | {"quantity": chance.choice([1, 2, 3])}),
    "price_back": (2, lambda chance: pick(chance) | {"days": chance.randrange(40), "own": chance.choice([None, 0, 9])}),
    "plan_ahead": (3, lambda chance: pick(chance)
        | {"days": chance.choice([1, 1, 2, 3, 20]), "state": chance.choice([*["active", "paused", None] * 3, "ended"]),
           "plan": chance.choice([None, 0, 1, 2])}),
    "take_back": (2, lambda chance: pick(chance) | {"days": chance.choice([1, 2, 3, 20])}),
    "discount": (2, lambda chance: pick(chance)
        | {"percent": chance.choice([1000, 10_000]), "days": chance.randint(-20, 5), "length": chance.randrange(20)}),
    "convert": (5, pick),
    "link": (3, lambda chance: pick(chance) | {"other": chance.randrange(12)}),
    "unlink": (2, pick),
    "list_price": (1, lambda chance: {"plan": chance.randrange(3), "amount": chance.choice([0, 3100, 500]),
                                      "days": chance.randint(-10, 10)}),
    "sell": (1, lambda chance: pick(chance) | {"amount": chance.choice([-300, 450]), "now": chance.random() < 0.5}),
    "pay": (2, lambda chance: pick(chance) | {"amount": chance.choice([100, 5000, RICH])}),
    "join": (1, lambda chance: {"prepaid": chance.random() < 0.5, "rich": chance.random() < 0.7}),
    "add": (1, pick),
}  # fmt: skip
"""What may happen: how often beside the others, and what it is given."""


def story(seed: int) -> Story:
    """The story of a seed."""
    chance = Random(seed)
    begin = {"billing_day": chance.choice([1, 31, chance.randint(1, 31)]), "offset": chance.randrange(70)}
    weights = [weight for weight, _ in DEEDS.values()]
    names = chance.choices(list(DEEDS), weights, k=DEEDS_A_STORY)
    return Story(begin, [(name, DEEDS[name][1](chance)) for name in ["join", "join", *names]])


def tell(told: Story) -> Fault | None:
    """Tell a story and take it back: the first fault, if there is any."""
    done = 0
    with transaction.atomic():
        try:
            crowd = Crowd(**told.begin)
            for name, given in told.deeds:
                crowd.does(name, given)
                done += 1
            crowd.look()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            return Fault(done, type(error).__name__, str(error)[:1500])
        finally:
            transaction.set_rollback(True)
    return None


def shorter(told: Story, fault: Fault) -> tuple[Story, Fault]:
    """The story without the deeds that a fault of this kind does not need."""
    told, place = told._replace(deeds=told.deeds[: fault.deed + 1]), len(told.deeds)
    while place > 0:
        place = min(place, len(told.deeds)) - 1
        less = told._replace(deeds=told.deeds[:place] + told.deeds[place + 1 :])
        found = tell(less)
        if found is not None and found.kind == fault.kind:
            told, fault = less, found
    return told, fault


class Crowd:
    """One provider with three plans, and the customers who join."""

    def __init__(self, billing_day: int, offset: int) -> None:
        self.today = self.first = date(2024, 1, 1) + offset * DAY
        self.keys = 0
        self.partner = cast.partner(at=self.noon)
        terms = {"valid_from": date(2020, 1, 1), "billing_day": billing_day}
        customers.set_recurring_terms(self.partner.pk, by=STAFF, at=self.noon, **terms)
        self.plans = [cast.plan(self.partner, name, price=price, at=self.noon)
                      for name, price in (("Small", 1999), ("Large", 4400), ("Free", 0))]  # fmt: skip

    @property
    def noon(self) -> datetime:
        self.keys += 1
        return datetime(self.today.year, self.today.month, self.today.day, 12, tzinfo=UTC) + timedelta(
            seconds=self.keys
        )

    def does(self, name: str, given: dict[str, Any]) -> None:
        """One deed, and the jobs that follow; what is refused has not happened."""
        try:
            with transaction.atomic():
                getattr(self, name)(**given)
        except Refused:
            return
        self.jobs()

    def jobs(self) -> None:
        """What the worker does when facts of services changed."""
        services = list(Service.objects.order_by("id").values_list("id", flat=True))
        actions.change_services(services, by=SYSTEM, at=self.noon)

    def look(self) -> None:
        """What must be so, whatever happened."""
        before = Document.objects.count()
        self.jobs()
        assert Document.objects.count() == before, "nothing changed, and yet there is a document"
        with connection.cursor() as cursor:
            cursor.execute(PAID_ONCE, {"first": self.first, "today": self.today})
            wrong = [(one[0], str(one[1]), *one[2:]) for one in cursor.fetchall()]
        assert wrong == [], f"(service, day, times billed, charged, decided): {wrong}"
        with transaction.atomic():
            connection.check_constraints()
            found = [finding.text for finding in check.run(days=3000)]
            transaction.set_rollback(True)
        replay = Replay(planned_from=self.today - DAY)
        while (some := replay.chunk()) is not None:
            found += some
        assert found == [], found

    def service(self, pick: int) -> Service:
        some = list(Service.objects.exclude(state="ended").order_by("id"))
        if not some:
            raise Refused("Nobody holds anything.")
        return some[pick % len(some)]

    def account(self, pick: int) -> Account:
        some = list(Account.objects.order_by("id"))
        return some[pick % len(some)]

    def days_pass(self, days: int) -> None:
        self.today += days * DAY
        plans.carry_out_planned(self.partner.pk, by=SYSTEM, at=self.noon)
        self.jobs()
        if PrepaidState.objects.exists():
            actions.open_day(self.partner.pk, day=self.today, by=SYSTEM, at=self.noon)
        if accounts_due(self.partner.pk, self.today):
            run = actions.preview_run(self.partner.pk, by=SYSTEM, at=self.noon)
            actions.confirm_run(run.pk, by=SYSTEM, at=self.noon)
            done = actions.work_run(run.pk, by=SYSTEM, at=self.noon)
            assert (done.preview_hash, list(done.anomalies)) == (done.posted_hash or done.preview_hash, run.anomalies)
            assert not [one for one in run.anomalies if one.get("code") == "parked"], run.anomalies

    def join(self, prepaid: bool, rich: bool) -> None:
        if Customer.objects.count() < 3:
            made = cast.customer(self.partner, billing_type="prepaid" if prepaid else "recurring", at=self.noon)
            if rich:
                self.receive(cast.account_of(made), RICH)
            cast.activate(cast.service(made, self.plans[0], at=self.noon), at=self.noon)

    def add(self, pick: int) -> None:
        holder = self.account(pick).customer
        if Service.objects.count() < 5:
            cast.activate(cast.service(holder, self.plans[1], at=self.noon), at=self.noon)

    def leave(self, pick: int, state: str) -> None:
        actions.change_service(self.service(pick).pk, Wanted(state=state), by=STAFF, at=self.noon)

    def take_up(self, pick: int) -> None:
        away = Service.objects.filter(state__in=["paused", "stopped"]).order_by("id")
        if away:
            actions.activate(away[pick % len(away)].pk, by=STAFF, at=self.noon)

    def move(self, pick: int, plan: int, own: int | None) -> None:
        wanted = Wanted(plan_id=self.plans[plan].pk, price=own)
        actions.change_service(self.service(pick).pk, wanted, by=STAFF, at=self.noon)

    def hold_more(self, pick: int, quantity: int) -> None:
        actions.change_service(self.service(pick).pk, Wanted(quantity=quantity), by=STAFF, at=self.noon)

    def price_back(self, pick: int, days: int, own: int | None) -> None:
        since = self.today - days * DAY
        plans.set_service_price(self.service(pick).pk, price=own, valid_from=since, by=STAFF, at=self.noon)

    def plan_ahead(self, pick: int, days: int, state: str | None, plan: int | None) -> None:
        wanted = Wanted(plan_id=None if plan is None else self.plans[plan].pk, state=state)
        actions.change_service(self.service(pick).pk, wanted, on=self.today + days * DAY, by=STAFF, at=self.noon)

    def take_back(self, pick: int, days: int) -> None:
        plans.cancel_planned(self.service(pick).pk, on=self.today + days * DAY, by=STAFF, at=self.noon)

    def discount(self, pick: int, percent: int, days: int, length: int) -> None:
        first = self.today + days * DAY
        given = {"service_id": self.service(pick).pk, "percent": percent, "valid_from": first}
        plans.add_discount(**given, valid_to=first + length * DAY, by=STAFF, at=self.noon)

    def convert(self, pick: int) -> None:
        account = self.account(pick)
        turn = actions.make_recurring if account.billing_type == "prepaid" else actions.make_prepaid
        turn(account.pk, by=STAFF, at=self.noon)

    def link(self, pick: int, other: int) -> None:
        actions.link_account(self.account(pick).pk, parent_id=self.account(other).pk, by=STAFF, at=self.noon)

    def unlink(self, pick: int) -> None:
        actions.unlink_account(self.account(pick).pk, by=STAFF, at=self.noon)

    def list_price(self, plan: int, amount: int, days: int) -> None:
        since = self.today + days * DAY
        plans.set_price(self.plans[plan].pk, valid_from=since, amount=amount, by=STAFF, at=self.noon)

    def sell(self, pick: int, amount: int, now: bool) -> None:
        account = self.account(pick)
        if account.billing_type == "recurring":
            given = {"account_id": account.pk, "text": "Thing", "amount": amount, "now": now}
            actions.bill_item(**given, by=STAFF, at=self.noon)

    def pay(self, pick: int, amount: int) -> None:
        self.receive(self.account(pick), amount)

    def receive(self, account: Account, amount: int) -> None:
        given = {"amount": amount, "method": "cash", "received_on": self.today, "key": f"pay-{self.keys}"}
        actions.receive(account_id=account.pk, **given, by=STAFF, at=self.noon)
