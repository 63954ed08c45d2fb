"""The background doors of billing: the day's run, every minute until it is done, and accounts to try again."""

from procrastinate.contrib.django import app

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.billing import actions


@app.periodic(cron="* * * * *")
@app.task(name="billing.open_days", queue="run")
def open_days(timestamp: int) -> None:
    """Run every partner's days that have begun; finds nothing to do on all but the first minutes of a day."""
    actions.bill(by=SYSTEM, at=clock.now(), hands=actions.HANDS)


@app.task(name="billing.retry_accounts", queue="now")
def retry_accounts(accounts: list[int]) -> None:
    """Something that decides about these accounts has changed (event RetryDue)."""
    actions.retry_accounts(accounts, by=SYSTEM, at=clock.now())


@app.task(name="billing.correct_services", queue="now")
def correct_services(services: list[int]) -> None:
    """Facts of these services were recorded (event HoldingChanged)."""
    actions.correct_services(services, by=SYSTEM, at=clock.now())


@app.task(name="billing.work_run", queue="run")
def work_run(run: int) -> None:
    """Somebody confirmed a run (event RunConfirmed)."""
    actions.work_run(run, by=SYSTEM, at=clock.now(), hands=actions.HANDS)
