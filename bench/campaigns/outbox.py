"""The outbox under kill -9: what is told is told, and what may be told twice is what SMTP cannot avoid.

A worker that dies between the server's 250 and its own note leaves a letter that nobody knows the fate of: it goes once
more under its old Message-ID (RFC 5321 section 4.5.3.2.6), so each such death is exactly one letter too many. An SMS
has no such id: it never goes twice, and fails with a word of why instead.
"""

import importlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from tests.sim.sms import SmsGateway, sms_gateway
from tests.sim.smtp import MailServer, mail_server

from bench.campaigns.deaths import Killer
from bench.campaigns.report import Failed

NEWS = "demarc.messages.actions.outbox"
SENDING = "demarc.messages.actions.sending"

TOLD = (f"{NEWS}._recipient", f"{NEWS}._write")
SENT = (
    f"{SENDING}._take_up", f"{SENDING}._claim", f"{SENDING}._held_back", f"{SENDING}._letter", f"{SENDING}._send_one",
    f"{SENDING}.mark_sent", f"{SENDING}._put",
)  # fmt: skip

IN_DOUBT = ("mark_sent before", "_put before")
"""Deaths after the other side's yes and before our own note of it; nothing else ever calls for a note here."""

READERS = 8
BATCH = 3
"""So small that both workers find something to claim."""


class Outbox:
    """A few customers who are told something each round, by mail and SMS."""

    def __init__(self, partner: Any, by: Any, at: datetime, mail: MailServer, sms: SmsGateway) -> None:
        self.actions = importlib.import_module("demarc.messages.actions")
        self.models = importlib.import_module("demarc.messages.models")
        importlib.import_module(SENDING).BATCH = BATCH
        customers = importlib.import_module("demarc.customers.actions")
        self.money = importlib.import_module("demarc.core.money").Money
        self.by, self.mail, self.sms = by, mail, sms
        new = [
            customers.NewCustomer(name=f"Reader {number}", email=f"r{number}@example.com", phone="+34600111222")
            for number in range(READERS)
        ]
        made = customers.create_customers(new, partner_id=partner.pk, by=by, at=at)
        self.accounts = [customer.accounts.get().pk for customer in made]
        told = {"payment_received": ["mail", "sms"]}
        self.actions.set_rules(partner.pk, dry_run=False, channels=told, by=by, at=at)
        self.actions.save_mail_server(
            partner.pk, host="127.0.0.1", port=mail.port, security="none", from_address="isp@example.com", by=by, at=at
        )
        self.actions.save_sms_gateway(
            partner.pk, url=sms.url, body="id={id}&to={to}&text={text}", sender="ISP", loopback=True, by=by, at=at
        )

    def play(self, killer: Killer, round_number: int, at: datetime) -> None:
        """One round: it is written what is to be told, then it is sent, with deaths; then a look at both ends."""
        keys = [f"told:{round_number}:{account}" for account in self.accounts]
        values = {"amount": self.money(2000, "EUR"), "balance": self.money(0, "EUR"), "received_on": at.date()}
        news = [
            self.actions.News(kind="payment_received", key=key, account_id=account, values=values)
            for key, account in zip(keys, self.accounts, strict=True)
        ]
        letters, asked = len(self.mail.letters), len(self.sms.asked)
        killer.until_done("told", TOLD, lambda _: self.actions.enqueue_many(news, by=self.by, at=at))

        def send(attempt: int) -> None:
            now = at + attempt * timedelta(minutes=11)  # longer than a claim lasts
            self.actions.send_waiting(by=self.by, now=lambda: now)

        deaths = killer.until_done("outbox", SENT, send)
        went = Counter(name.strip("<>").partition("@")[0] for name in self.mail.ids[letters:])
        went_sms = Counter(one.body.partition("id=")[2].partition("&")[0] for one in self.sms.asked[asked:])
        self._look(keys, went, went_sms, sum(deaths[place] for place in IN_DOUBT))

    def _look(self, keys: list[str], letters: Counter[str], texts: Counter[str], in_doubt: int) -> None:
        """Each told once by each channel; no letter missing; too many only by those deaths; no SMS twice."""
        rows = self.models.Message.objects.filter(event_key__in=keys)
        told = Counter(rows.values_list("event_key", "channel"))
        if told != Counter((key, channel) for key in keys for channel in ("mail", "sms")):
            raise Failed(f"{keys[0]}: not told once by each channel: {told}")
        mails = {one.public_id.hex for one in rows if one.channel == "mail" and one.state == "sent"}
        if len(mails) != len(keys) or set(letters) != mails:
            raise Failed(f"{keys[0]}: letters are missing, or not noted: {letters}, {mails}")
        texted = {one.public_id.hex for one in rows if one.channel == "sms" and one.state == "sent"}
        unknown = {
            one.public_id.hex
            for one in rows
            if one.channel == "sms" and one.state == "failed" and "nobody knows" in one.trouble
        }
        if len(texted | unknown) != len(keys) or not texted <= set(texts) <= texted | unknown:
            raise Failed(f"{keys[0]}: an SMS is lost and nobody says so: {texts}, {texted}, {unknown}")
        doubled, untold = letters.total() - len(mails), len(set(texts) & unknown)
        if texts.total() != len(texts) or doubled + untold != in_doubt:
            raise Failed(f"{keys[0]}: {in_doubt} deaths in doubt, {doubled} letters too many, {untold} SMS, {texts}")


@contextmanager
def servers() -> Iterator[tuple[MailServer, SmsGateway]]:
    """A mail server and an SMS gateway of this process's own."""
    with mail_server() as mail, sms_gateway() as sms:
        yield mail, sms
