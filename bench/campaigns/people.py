"""`python -m bench.campaigns.people 2000 60 127.0.0.21=3799 ...`: a provider's customers, made by its own actions.

Prints as JSON who there is: the accounts, and the logins with their passwords. Runs in the environment of an
installation that is up.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demarc.project.settings")
django.setup()

from bench.campaigns.ground import SECRET  # noqa: E402
from bench.people import prepaid  # noqa: E402
from demarc.access.actions import NewSubscriber, create_subscribers, publish_policy, save_nas, sync_services  # noqa: E402
from demarc.base import clock  # noqa: E402
from demarc.base.actors import SYSTEM  # noqa: E402
from demarc.base.models import Partner  # noqa: E402
from demarc.network.actions import create_pool, create_router  # noqa: E402
from demarc.plans.actions import create_plan  # noqa: E402
from demarc.plans.models import Service  # noqa: E402

RICH, POOR = 100_000, 100
"""Minor units that an account begins with: for years, and for less than a day at 40.00 a month."""


def make(neighbours: int, subscribers: int, nases: Sequence[tuple[str, int]]) -> dict[str, object]:
    """`subscribers` poor accounts with a login each, then `neighbours` rich ones; all prepaid, active from today."""
    partner = Partner.objects.earliest("id")
    at = clock.now()
    facts = {"by": SYSTEM, "at": at}
    create_plan(partner_id=partner.pk, name="Fibre", price=4000, speed_down_kbps=50_000, speed_up_kbps=10_000, **facts)
    for number, (address, port) in enumerate(nases):
        router = create_router(partner_id=partner.pk, name=f"bras-{number + 1}", **facts)
        save_nas(router_id=router.pk, address=address, secret=SECRET, coa_port=port, **facts)
        create_pool(
            partner_id=partner.pk, name=f"bras-{number + 1}", network=f"172.30.{16 * number}.0/22",
            router_id=router.pk, **facts,
        )  # fmt: skip
    for count, money in ((subscribers, POOR), (neighbours, RICH)):
        for _ in prepaid(partner, count, money, at=at):
            pass
    logins = list(log_ins(Service.objects.order_by("id")[:subscribers]))
    publish_policy(partner.pk, **facts)
    accounts = list(Service.objects.order_by("id").values_list("account_id", flat=True))
    return {"zone": partner.zone, "accounts": accounts, "logins": logins}


def log_ins(services: Sequence[Service]) -> Iterator[dict[str, object]]:
    """A login for each of these services."""
    new = [
        NewSubscriber(service_id=service.pk, login=f"user{service.pk}", password=f"pass-of-{service.pk}")
        for service in services
    ]
    at = clock.now()
    create_subscribers(new, by=SYSTEM, at=at)
    sync_services([service.pk for service in services], by=SYSTEM, at=at)
    for one, service in zip(new, services, strict=True):
        yield {
            "service": service.pk,
            "account": service.account_id,
            "login": one["login"],
            "password": one["password"],
            "mac": f"02:00:00:{service.pk >> 16 & 255:02X}:{service.pk >> 8 & 255:02X}:{service.pk & 255:02X}",
        }


if __name__ == "__main__":
    count, with_login, *named = sys.argv[1:]
    pairs = [(address, int(port)) for address, _, port in (one.partition("=") for one in named)]
    print(json.dumps(make(int(count), int(with_login), pairs)))
