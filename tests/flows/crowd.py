"""`python -m tests.flows.crowd 2000`: so many prepaid customers with money, made by the actions of an installation."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demarc.project.settings")
django.setup()

from demarc.base import clock  # noqa: E402
from demarc.base.actors import SYSTEM  # noqa: E402
from demarc.base.models import Partner  # noqa: E402
from demarc.billing.actions import NewPayment, activate_many, receive_many  # noqa: E402
from demarc.customers.actions import NewCustomer, create_customers  # noqa: E402
from demarc.plans.actions import NewService, add_services  # noqa: E402

CHUNK = 2000


def make(count: int) -> None:
    """Customers on the first plan of the first partner, each with a thousand to spend."""
    partner = Partner.objects.earliest("id")
    plan_id = partner.plans.earliest("id").pk
    at = clock.now()
    facts = {"by": SYSTEM, "at": at}
    for start in range(0, count, CHUNK):
        names = [NewCustomer(name=f"Neighbour {number}") for number in range(start, min(start + CHUNK, count))]
        customers = create_customers(names, partner_id=partner.pk, **facts)
        wanted = [NewService(customer_id=customer.pk, plan_id=plan_id) for customer in customers]
        services = add_services(wanted, **facts)
        receive_many([payment(service.account_id) for service in services], **facts)
        activate_many([service.pk for service in services], **facts)


def payment(account_id: int) -> NewPayment:
    """A thousand by bank transfer."""
    day = clock.now().date()
    return NewPayment(account_id=account_id, amount=100_000, method="bank", received_on=day, key=f"crowd:{account_id}")


if __name__ == "__main__":
    make(int(sys.argv[1]))
