"""The background doors of messages: news from other rooms, the sending, and the daily look for low balances."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.core.errors import Unreachable
from demarc.messages import actions


@app.task(name="messages.note_payments", queue="run")
def note_payments(payments: list[int]) -> None:
    """Payments came in (event PaymentsReceived)."""
    actions.note_payments(payments, by=SYSTEM, at=clock.now())


@app.task(name="messages.note_documents", queue="run")
def note_documents(documents: list[int]) -> None:
    """Documents were issued (event DocumentsIssued)."""
    actions.note_documents(documents, by=SYSTEM, at=clock.now())


@app.task(name="messages.note_reminders", queue="run")
def note_reminders(reminders: list[int]) -> None:
    """Somebody is to be reminded (event Reminded)."""
    actions.note_reminders(reminders, by=SYSTEM, at=clock.now())


@app.task(name="messages.note_access", queue="now")
def note_access(services: list[int]) -> None:
    """Access of services changed (event AccessChanged)."""
    actions.note_access(services, by=SYSTEM, at=clock.now())


@app.task(
    name="messages.write_to_staff",
    queue="slow",
    retry=RetryStrategy(max_attempts=5, exponential_wait=10, retry_exceptions=[Unreachable]),
)
def write_to_staff(kind: str, login_id: int, device_id: int = 0) -> None:
    """A member of staff is to be written to (event StaffLetterWanted)."""
    actions.write_to_staff(kind, login_id, device_id=device_id, by=SYSTEM, at=clock.now())


@app.task(name="messages.send_soon", queue="slow")
def send_soon(partners: list[int]) -> None:
    """Somebody waits for a message to leave (event MessagesWaiting)."""
    actions.send_waiting(by=SYSTEM, now=clock.now)


@app.periodic(cron="* * * * *")
@app.task(name="messages.send_waiting", queue="slow", lock="messages.send", queueing_lock="messages.send")
def send_waiting(timestamp: int) -> None:
    """Every minute, one at a time: what is due goes out."""
    actions.send_waiting(by=SYSTEM, now=clock.now)


@app.periodic(cron="*/10 * * * *")
@app.task(name="messages.look_for_low", queue="slow")
def look_for_low(timestamp: int) -> None:
    """Often, because each provider has an hour of his own; it looks once a day."""
    actions.look_for_low(by=SYSTEM, at=clock.now())
