"""A provider who really sends: a mail server and an SMS gateway on this machine, and a customer to write to."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests import cast
from tests.cast import AT, STAFF
from tests.sim.sms import SmsGateway
from tests.sim.smtp import MailServer

from demarc.base.actors import SYSTEM
from demarc.base.models import Partner
from demarc.core.money import Money
from demarc.customers.models import Account
from demarc.messages import actions
from demarc.messages.kinds import KINDS
from demarc.messages.models import Message

MINUTE = timedelta(minutes=1)
PASSWORD, TOKEN = "mail-s3cret", "sms-s3cret"
BODY = "to={to}&text={text}&from={from}&id={id}"


def live(of: Partner, *, mail: MailServer | None = None, sms: SmsGateway | None = None, **rules: Any) -> Partner:
    """The provider no longer only plays: his mail and SMS go to these servers."""
    if mail:
        facts = {"host": "127.0.0.1", "port": mail.port, "security": "none"}
        sender = {"from_name": "Demarc ISP", "from_address": "isp@example.com"}
        actions.save_mail_server(of.pk, by=STAFF, at=AT, **facts | sender)
    if sms:
        headers = "Authorization: Bearer {token}"
        actions.save_sms_gateway(
            of.pk, url=sms.url, body=BODY, headers=headers, token=TOKEN, sender="ISP", loopback=True, by=STAFF, at=AT
        )
    actions.set_rules(of.pk, by=STAFF, at=AT, **{"dry_run": False} | rules)
    return of


def reader(of: Partner, **facts: Any) -> Account:
    """A customer with an address and a phone."""
    facts = {"email": "ana@example.com", "phone": "+34 600 111-222"} | facts
    return cast.account_of(cast.customer(of, facts.pop("name", "Ana"), **facts))


def tell(
    account: Account, kind: str = "payment_received", *, key: str = "fact-1", at: datetime = AT, **values: Any
) -> list[Message]:
    """Something has happened to the account."""
    values = {"amount": Money(2000, "EUR"), "balance": Money(1240, "EUR"), "received_on": AT.date()} | values
    kept = {name: value for name, value in values.items() if name in KINDS[kind].names}
    return actions.enqueue(kind=kind, key=key, account_id=account.pk, values=kept, by=SYSTEM, at=at)


def at_(moment: datetime = AT) -> Callable[[], datetime]:
    """A clock that stands."""
    return lambda: moment


def send(at: datetime = AT) -> Counter[str]:
    """The sending job, at a moment."""
    return actions.send_waiting(by=SYSTEM, now=at_(at))


def only() -> Message:
    """The one message there is."""
    return Message.objects.get()
