"""Lives told through the API alone: a provider, his customers, and days that pass on the test clock.

`until` lets the days pass with what the worker does in them: the periodic jobs at the hours of their cron lines, and
the jobs that events left behind. Money is written as the API writes it, so that figures can be checked by hand.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from procrastinate.contrib.django import app
from tests.project.api_scene import Program, problem, program

from demarc.base import clock
from demarc.billing import jobs as billing
from demarc.billing.models import PrepaidState
from demarc.plans import jobs as plans

ONE_DAY = timedelta(days=1)
ROOMS = ("billing.", "plans.")
"""Whose jobs are done; routers and mails are other stories."""

WAITING = "SELECT id, task_name, args FROM procrastinate_jobs WHERE id > %s AND status = 'todo' ORDER BY id"

DAY: tuple[tuple[int, int, tuple[Callable[..., Any], ...]], ...] = (
    (0, 10, (plans.carry_out_planned, plans.tell_begun, billing.open_days, billing.issue_due)),
    (5, 20, (billing.invoice_consumed,)),
    (9, 30, (billing.dun,)),
)
"""The hours of a day at which periodic jobs have something to do, and which; the rest of their hours are empty."""

# The days on which anything begins or is due; where debts are followed up, all days around the one they are due on.
EVENTFUL = """
SELECT min(day) FROM (
    SELECT next_on AS day FROM billing_recurringstate
    UNION ALL SELECT decided_through + 1 FROM billing_prepaidstate
    UNION ALL SELECT valid_from FROM plans_servicefact
    UNION ALL SELECT valid_from FROM plans_discount
    UNION ALL SELECT valid_to + 1 FROM plans_discount
    UNION ALL SELECT due_on + n FROM billing_document, generate_series(-3, 21) AS n WHERE %(duns)s AND open_amount > 0
    UNION ALL SELECT until + n FROM billing_promise, generate_series(1, 4) AS n WHERE ended_at IS NULL
) AS days WHERE day > %(today)s
"""

_keys = count(1)


class StoryClock:
    """The time of the story; each look at it is a second later."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass
class Provider:
    """One provider with his program; `api` may do everything. The story begins at ten in the morning."""

    clock: StoryClock
    zone: str
    currency: str
    api: Program
    partner_id: int = 0
    down: bool = False
    duns: bool = False
    _jobs_done: int = 0
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def today(self) -> date:
        return self.clock.moment.astimezone(ZoneInfo(self.zone)).date()

    def get(self, path: str) -> Any:
        return self.api.get(path)

    def post(self, path: str, body: Any = None) -> Any:
        """A request under a key of its own; then the worker does what it left behind."""
        answer = self.api.post(path, body, key=f"story-{next(_keys)}")
        self.work()
        return answer

    def refused(self, path: str, body: Any = None) -> str:
        """The code with which a request is refused; nothing of it stays."""
        answer = self.api.call("POST", path, body or {}, key=f"story-{next(_keys)}")
        told = problem(answer, answer.status_code)
        return str(told["code"])

    def plan(self, price: str, **facts: Any) -> int:
        """A plan at this price a month."""
        named = {"partner_id": self.partner_id, "name": f"Plan {next(self._names)} at {price}", "price": price}
        speeds = {"speed_down_kbps": 5000, "speed_up_kbps": 1000, "valid_from": "2020-01-01"}
        return int(self.post("/plans", named | speeds | facts)["id"])

    def tax(self, rate: str, since: str = "2020-01-01") -> None:
        body = {"category": "standard", "valid_from": since, "rate": rate}
        self.post(f"/partners/{self.partner_id}/taxes", body)

    def calendar(self, **rules: Any) -> None:
        """Rules of billing that have always been so."""
        self.post(f"/partners/{self.partner_id}/calendar", {"valid_from": "2020-01-01"} | rules)

    def dunning(self, **rules: Any) -> None:
        """Rules of reminding and blocking that have always been so."""
        self.post(f"/partners/{self.partner_id}/dunning", {"valid_from": "2020-01-01"} | rules)

    def sign_up(self, price: str = "31.00", *, pays: str = "recurring", paid: str = "", **plan: Any) -> "Life":
        """A new customer with one service, in use from now on. `paid`: what he paid before."""
        life = self.known(pays)
        if paid:
            life.pay(paid)
        life.takes(self.plan(price, **plan))
        return life

    def known(self, pays: str = "recurring", **facts: Any) -> "Life":
        """A new customer without any service."""
        body = {"partner_id": self.partner_id, "name": f"Customer {next(self._names)}", "billing_type": pays}
        made = self.post("/customers", body | facts)
        return Life(self, made["id"], made["accounts"][0]["id"])

    def work(self) -> None:
        """What the worker does at once: the jobs that waited, and those that they leave behind."""
        while not self.down and (some := self._waiting()):
            for job_id, name, args in some:
                self._jobs_done = job_id
                if name.startswith(ROOMS):
                    app.tasks[name](**args)

    def until(self, day: str) -> None:
        """Days pass; in the end it is ten o'clock of that day. The worker sleeps through days that are not EVENTFUL,
        for the sake of the tests' time, but not through the last one."""
        last = date.fromisoformat(day)
        while self.today < last:
            self._pass(min(self._next_eventful(), last))

    def at(self, time: str) -> None:
        """It is this time of the same day, at the provider's."""
        hour, minute = map(int, time.split(":"))
        day = self.today
        self.clock.moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(self.zone))

    @contextmanager
    def everything_is_down(self) -> Iterator[None]:
        """No job runs; afterwards the worker does what waited, and at the next full hour what is due by then."""
        self.down = True
        yield
        self.down = False
        self._jobs_of_a_day()

    def _pass(self, coming: date) -> None:
        for hour, minute, due in DAY:
            self.clock.moment = datetime(
                coming.year, coming.month, coming.day, hour, minute, tzinfo=ZoneInfo(self.zone)
            )
            self._run(due)
        self.clock.moment = datetime(coming.year, coming.month, coming.day, 10, tzinfo=ZoneInfo(self.zone))

    def _jobs_of_a_day(self) -> None:
        self._run([job for _, _, due in DAY for job in due])

    def _run(self, due: Any) -> None:
        if self.down:
            return
        for job in due:
            if job is not billing.open_days or PrepaidState.objects.exists():  # it would walk through empty days
                job(timestamp=0)
                self.work()

    def _next_eventful(self) -> date:
        with connection.cursor() as cursor:
            cursor.execute(EVENTFUL, {"today": self.today, "duns": self.duns})
            (day,) = cursor.fetchone()
        return day or date.max

    def _waiting(self) -> list[tuple[int, str, dict[str, Any]]]:
        with connection.cursor() as cursor:
            cursor.execute(WAITING, [self._jobs_done])
            return [(job_id, name, json.loads(args)) for job_id, name, args in cursor.fetchall()]


@dataclass
class Life:
    """One customer with one account, through the API."""

    isp: Provider
    customer: int
    account: int
    services: list[int] = field(default_factory=list)

    @property
    def service(self) -> int:
        return self.services[0]

    def takes(self, plan: int, **facts: Any) -> int:
        """One more service, in use from now on."""
        body = {"customer_id": self.customer, "plan_id": plan} | facts
        made = int(self.isp.post("/services", body)["id"])
        self.isp.post(f"/services/{made}/activate")
        self.services.append(made)
        return made

    def pay(self, amount: str) -> Any:
        return self.isp.post("/payments", {"account_id": self.account, "amount": amount, "method": "cash"})

    def change(self, **what: Any) -> Any:
        return self.isp.post(f"/services/{self.service}/changes", what)

    def foresee(self, **what: Any) -> list[str]:
        """The sums of the documents that a change would make."""
        foreseen = self.isp.post(f"/services/{self.service}/changes/preview", what)
        return [one["gross"] for one in foreseen["documents"]]

    def does(self, verb: str) -> Any:
        """activate, pause, stop or end the service, now."""
        return self.isp.post(f"/services/{self.service}/{verb}")

    @property
    def documents(self) -> list[Any]:
        """All documents, the first one first."""
        return list(reversed(self.isp.get(f"/documents?account_id={self.account}&limit=200")["items"]))

    @property
    def bills(self) -> list[str]:
        """What each document came to, the first one first; a credit is negative."""
        return [one["gross"] for one in self.documents]

    @property
    def open(self) -> list[str]:
        return [one["open"] for one in self.documents]

    @property
    def money(self) -> Any:
        return self.isp.get(f"/accounts/{self.account}")

    @property
    def balance(self) -> str:
        return str(self.money["balance"])

    @property
    def days(self) -> list[tuple[str, str]]:
        """The decided prepaid days with what each costs, the first one first."""
        rows = self.isp.get(f"/accounts/{self.account}/days?limit=200")["items"]
        return [(one["day"], one["cost"]) for one in reversed(rows) if one["decision"] == "charged"]

    @property
    def online(self) -> bool:
        """Whether all services that are in use have access."""
        some = [self.isp.get(f"/services/{service}") for service in self.services]
        return all(one["blocked_cause"] is None for one in some)

    @property
    def why_blocked(self) -> list[Any]:
        return list(self.isp.get(f"/customers/{self.customer}/why-blocked"))


def provider(moment: datetime, *, zone: str, currency: str, clock_of_tests: StoryClock) -> Provider:
    """A provider of the story's own, made through the API."""
    clock_of_tests.moment = moment
    isp = Provider(clock_of_tests, zone, currency, program("Super administrator"))
    body = {"name": f"Provider {next(_keys)}", "zone": zone, "currency": currency, "preset": "demarc"}
    isp.partner_id = isp.post("/partners", body)["id"]
    assert clock.now() >= moment
    return isp
