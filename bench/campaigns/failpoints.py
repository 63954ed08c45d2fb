"""`python -m bench.campaigns.failpoints --kills 1000 --seed 7`: kill -9 at named places of payment, run and outbox.

Two workers at once do the same work on one database; each dies at a place and time that the seed draws. Then the work
is done again until it is done. Nothing that was acknowledged may be missing, nothing may be there twice but the letters
that SMTP cannot tell apart (bench.campaigns.outbox), numbers have no gaps, and the checker finds nothing.
"""

import argparse
import importlib
import os
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime
from random import Random
from typing import Any

from tests.sim.sms import SmsGateway
from tests.sim.smtp import MailServer

from bench.campaigns.deaths import WORKERS, Killer
from bench.campaigns.outbox import Outbox, servers
from bench.campaigns.report import Failed, Report, commit
from bench.stage import stage
from demarc.core.period import add_months

DOCUMENTS = "demarc.billing.actions.documents"
RUNS = "demarc.billing.actions.runs"
PAYMENTS = "demarc.billing.actions.payments"

POINTS: dict[str, tuple[str, ...]] = {
    "run": (
        f"{DOCUMENTS}._planned", f"{DOCUMENTS}._post", f"{DOCUMENTS}._write_covers", f"{DOCUMENTS}._write_settlement",
        f"{DOCUMENTS}._numbered", f"{DOCUMENTS}.emit_ids", f"{RUNS}.issue", f"{RUNS}._post_chunk", f"{RUNS}._finish",
        "demarc.base.sql.execute",
    ),
    "payment": (
        "demarc.billing.bulk.post", f"{PAYMENTS}._credit", f"{PAYMENTS}._write_payments", f"{PAYMENTS}.pay_documents",
        f"{PAYMENTS}.move_to_parents", f"{PAYMENTS}._log_received", f"{PAYMENTS}.receive",
    ),
}  # fmt: skip
"""Kinds of work and the functions before or after which a worker dies."""

PRICE = 3100
BEGIN = date(2024, 1, 1)


class Campaign:
    """One provider with a few accounts, month after month."""

    def __init__(self, accounts: int, random: Random, mail: MailServer, sms: SmsGateway) -> None:
        self.people = importlib.import_module("bench.people")
        self.actions = importlib.import_module("demarc.billing.actions")
        self.models = importlib.import_module("demarc.billing.models")
        self.check = importlib.import_module("demarc.billing.check")
        importlib.import_module(RUNS).CHUNK = max(accounts // 6, 1)
        self.random, self.killer = random, Killer(random)
        self.by = self.people.SYSTEM
        self.month = BEGIN
        self.partner = self.people.provider()
        services = self.people.held(self.partner, accounts, 0, "recurring", self.moment)
        self.actions.activate_many(services, by=self.by, at=self.moment)
        held = importlib.import_module("demarc.plans.models").Service.objects.filter(pk__in=services)
        self.accounts = sorted(held.values_list("account_id", flat=True))
        self.outbox = Outbox(self.partner, self.by, self.moment, mail, sms)
        self.rounds = 0

    @property
    def moment(self) -> datetime:
        return datetime(self.month.year, self.month.month, self.month.day, 9, tzinfo=UTC)

    def play(self) -> None:
        """One month: its documents, then its payments, with deaths, and a look at everything."""
        self.rounds += 1
        self.month = add_months(self.month, 1, 1)
        run = self.actions.preview_run(self.partner.pk, by=self.by, at=self.moment)
        self.actions.confirm_run(run.pk, by=self.by, at=self.moment)
        at = self.moment
        self.killer.until_done("run", POINTS["run"], lambda _: self.actions.work_run(run.pk, by=self.by, at=at))
        keys = [(account, f"{self.month}:{account}") for account in self.accounts if self.random.random() < 0.7]
        read, write = os.pipe()

        def pay(attempt: int) -> None:
            mine = list(keys)
            Random(os.getpid()).shuffle(mine)
            for account, key in mine[: len(mine) * 2 // 3]:
                self.actions.receive(
                    account_id=account, amount=PRICE, method="cash", received_on=self.month, key=key, by=self.by, at=at
                )
                os.write(write, f"{key}\n".encode())

        self.killer.until_done("payment", POINTS["payment"], pay)
        os.close(write)
        with os.fdopen(read) as told:
            acknowledged = set(told.read().split())
        self.look(run, acknowledged)
        self.outbox.play(self.killer, self.rounds, at)

    def look(self, run: Any, acknowledged: set[str]) -> None:
        """Nothing lost, nothing doubled, no gap, sound books."""
        run.refresh_from_db()
        documents = Counter(
            self.models.Document.objects.filter(issued_on=self.month).values_list("account_id", flat=True)
        )
        if documents != Counter(self.accounts):
            raise Failed(f"{self.month}: documents are missing or doubled: {documents - Counter(self.accounts)}")
        if (run.state, run.posted_hash) != ("done", run.preview_hash):
            raise Failed(f"{self.month}: the run is {run.state}, and what was posted is not what was shown")
        paid = set(self.models.Payment.objects.values_list("key", flat=True))
        if acknowledged - paid:
            raise Failed(f"{self.month}: acknowledged payments are lost: {sorted(acknowledged - paid)[:5]}")
        entries = self.models.Transfer.objects.filter(kind="payment").count()
        if entries != len(paid):
            raise Failed(f"{self.month}: {len(paid)} payments, {entries} transfers")
        findings = self.check.run(days=4000)
        if findings:
            raise Failed(f"{self.month}: {findings[:5]}")


def campaign(kills: int, seed: int, report: Report, accounts: int = 30) -> Counter[str]:
    """Play until so many workers died: where they did. Raises Failed when something is lost, doubled or wrong."""
    with servers() as (mail, sms):
        played = Campaign(accounts, Random(seed), mail, sms)
        died = played.killer.kills
        while died.total() < kills:
            played.play()
            if played.rounds > kills:
                raise Failed("hardly anybody dies: the failpoints are not on the way")
        letters = Counter(mail.ids)
    report.say(f"{died.total()} kills in {played.rounds} months, {WORKERS} workers at once, nothing lost or doubled")
    report.say(f"{len(letters)} letters; {letters.total() - len(letters)} more under an old Message-ID, one a death")
    for place, count in sorted(died.items()):
        report.say(f"  {count:5d}  {place}")
    return died


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="write bench/results/failpoints-DATE.txt")
    given = parser.parse_args()
    report = Report()
    report.say(f"failpoints --kills {given.kills} --seed {given.seed}, commit {commit()}")
    with stage():
        try:
            campaign(given.kills, given.seed, report)
        except Failed as found:
            report.say(f"FAILED: {found}")
            return 1
    if given.keep:
        report.keep("failpoints")
    return 0


if __name__ == "__main__":
    sys.exit(main())
