"""Background doors of the access room: news from other rooms, and what must happen every so often."""

from procrastinate.contrib.django import app

from demarc.access import actions
from demarc.access.queries import services_without_money
from demarc.base.clock import now
from demarc.base.events import IDS_MAX

FAIR_USE_BATCHES_MAX = 500


@app.task(name="access.sync_services", queue="now")
def sync_services(services: list[int]) -> None:
    """Services changed: bring their logins and sessions after them."""
    actions.sync_services(services, at=now())


@app.task(name="access.publish_policy", queue="now")
def publish_policy(partners: list[int]) -> None:
    """Routers, pools or causes changed: let radiusd know."""
    for partner_id in partners:
        actions.publish_policy(partner_id, at=now())


@app.periodic(cron="* * * * *")
@app.task(name="access.repair_sessions", queue="run")
def repair_sessions(timestamp: int) -> None:
    """Every minute: sessions that are not in the list they should be in, and those that fell silent."""
    actions.repair_sessions(at=now())
    actions.close_stale_sessions(at=now())


@app.periodic(cron="5,35 * * * *")
@app.task(name="access.sync_owed", queue="run")
def sync_owed(timestamp: int) -> None:
    """Twice an hour: what is owed changes with the day, without news from anybody."""
    services = services_without_money()
    for start in range(0, len(services), IDS_MAX):
        actions.sync_services(services[start : start + IDS_MAX], at=now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="access.measure_fair_use", queue="run")
def measure_fair_use(timestamp: int) -> None:
    """Every five minutes: who has used up his month's volume, and at a month's start who may go on."""
    for _ in range(FAIR_USE_BATCHES_MAX):
        if not actions.measure_fair_use(at=now()):
            break


@app.periodic(cron="*/5 * * * *")
@app.task(name="access.keep_peaks", queue="run")
def keep_peaks(timestamp: int) -> None:
    """Every five minutes: the most that is in use of the pools."""
    actions.keep_peaks(at=now())


@app.periodic(cron="17 * * * *")
@app.task(name="access.keep_house", queue="slow")
def keep_house(timestamp: int) -> None:
    """Every hour: months for the history, and old news dropped."""
    actions.make_session_months(at=now())
    actions.prune_feed(at=now())
    actions.keep_decisions(at=now())


@app.periodic(cron="* * * * *")
@app.task(name="access.take_learned_passwords", queue="run")
def take_learned_passwords(timestamp: int) -> None:
    """Every minute: passwords that the old server taught us."""
    actions.take_learned_passwords(at=now())
