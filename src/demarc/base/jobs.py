"""Background doors of base: what the operation log needs every night. Sealing it is the worker's own, every 5 s."""

from procrastinate.contrib.django import app

from demarc.base import clock, sealing
from demarc.base.actors import SYSTEM
from demarc.base.keeping import expire


@app.periodic(cron="25 3 * * *")
@app.task(name="base.keep_log", queue="slow")
def keep_log(timestamp: int) -> None:
    """Every night: take the contents away that are older than they may be, then prove that the rest is as sealed."""
    expire(by=SYSTEM, at=clock.now())
    sealing.verify_now(at=clock.now())
