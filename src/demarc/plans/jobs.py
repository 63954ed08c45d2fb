"""The background doors of plans: what was planned for a day."""

from procrastinate.contrib.django import app

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import Partner
from demarc.plans import actions


@app.periodic(cron="*/5 * * * *")
@app.task(name="plans.carry_out_planned", queue="run")
def carry_out_planned(timestamp: int) -> None:
    """Changes that were planned for today; finds nothing on all but the first minutes of a day."""
    for partner_id in Partner.objects.order_by("id").values_list("id", flat=True):
        actions.carry_out_planned(partner_id, by=SYSTEM, at=clock.now())


@app.periodic(cron="10 * * * *")
@app.task(name="plans.tell_begun", queue="run")
def tell_begun(timestamp: int) -> None:
    """Facts and discounts that begin today; hourly, because providers' days begin at different hours."""
    for partner_id in Partner.objects.order_by("id").values_list("id", flat=True):
        actions.tell_begun(partner_id, by=SYSTEM, at=clock.now())
