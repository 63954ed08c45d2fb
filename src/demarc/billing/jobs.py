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
