"""`python -m bench.campaigns.failpoints --kills 1000 --seed 7`: kill -9 at named places of payment and bill run.

Two workers at once do the same work on one database; each dies at a place and time that the seed draws. Then the work
is done again until it is done. Nothing that was acknowledged may be missing, nothing may be there twice, numbers have
no gaps, and the checker finds nothing. The failpoints are put in from here: the program knows nothing of them.
"""

import argparse
import importlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random
from typing import Any

from bench.campaigns.report import Failed, Report, commit
from bench.stage import stage
from demarc.core.period import add_months

DOCUMENTS = "demarc.billing.actions.documents"
RUNS = "demarc.billing.actions.runs"
PAYMENTS = "demarc.billing.actions.payments"

POINTS: dict[str, tuple[str, ...]] = {
    "run": (
        f"{DOCUMENTS}._planned", f"{DOCUMENTS}._post", f"{DOCUMENTS}._write_covers", f"{DOCUMENTS}._write_settlement",
        f"{DOCUMENTS}._numbered", f"{DOCUMENTS}.emit_ids", f"{RUNS}.issue", f"{RUNS}._execute", f"{RUNS}._post_chunk",
        f"{RUNS}._finish",
    ),
    "payment": (
        "demarc.billing.bulk.post", f"{PAYMENTS}._credit", f"{PAYMENTS}._write_payments", f"{PAYMENTS}.pay_documents",
        f"{PAYMENTS}.move_to_parents", f"{PAYMENTS}._log_received", f"{PAYMENTS}.receive",
    ),
}  # fmt: skip
"""Kinds of work and the functions before or after which a worker dies."""

WORKERS = 2
PRICE = 3100
BEGIN = date(2024, 1, 1)


def die_at(point: str, count: int, after: bool) -> None:
    """Let this process kill itself before or after the `count`-th call of a function."""
    module_name, _, name = point.rpartition(".")
    module = importlib.import_module(module_name)
    inner: Callable[..., Any] = getattr(module, name)
    calls = [0]

    def outer(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == count and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = inner(*args, **kwargs)
        if calls[0] == count and after:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(module, name, outer)


def child(work: Callable[[], None], draw: tuple[str, int, bool] | None) -> int:
    """Fork a worker; its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        importlib.import_module("django.db").connections.close_all()
        if draw is not None:
            die_at(*draw)
        work()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told and counted
        print(f"worker: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


class Campaign:
    """One provider with a few accounts, month after month."""

    def __init__(self, accounts: int, random: Random) -> None:
        self.people = importlib.import_module("bench.people")
        self.actions = importlib.import_module("demarc.billing.actions")
        self.models = importlib.import_module("demarc.billing.models")
        self.check = importlib.import_module("demarc.billing.check")
        importlib.import_module(RUNS).CHUNK = max(accounts // 6, 1)
        self.random = random
        self.by = self.people.SYSTEM
        self.month = BEGIN
        self.partner = self.people.provider()
        services = self.people.held(self.partner, accounts, 0, "recurring", self.moment)
        self.actions.activate_many(services, by=self.by, at=self.moment)
        held = importlib.import_module("demarc.plans.models").Service.objects.filter(pk__in=services)
        self.accounts = sorted(held.values_list("account_id", flat=True))
        self.kills: Counter[str] = Counter()
        self.rounds = 0

    @property
    def moment(self) -> datetime:
        return datetime(self.month.year, self.month.month, self.month.day, 9, tzinfo=UTC)

    def draw(self, kind: str) -> tuple[str, int, bool]:
        return self.random.choice(POINTS[kind]), self.random.randint(1, 4), self.random.random() < 0.5

    def play(self) -> None:
        """One month: its documents, then its payments, with deaths, and a look at everything."""
        self.rounds += 1
        self.month = add_months(self.month, 1, 1)
        run = self.actions.preview_run(self.partner.pk, by=self.by, at=self.moment)
        self.actions.confirm_run(run.pk, by=self.by, at=self.moment)
        at = self.moment
        self.until_done("run", lambda: self.actions.work_run(run.pk, by=self.by, at=at))
        keys = [(account, f"{self.month}:{account}") for account in self.accounts if self.random.random() < 0.7]
        read, write = os.pipe()

        def pay() -> None:
            mine = list(keys)
            Random(os.getpid()).shuffle(mine)
            for account, key in mine[: len(mine) * 2 // 3]:
                self.actions.receive(
                    account_id=account, amount=PRICE, method="cash", received_on=self.month, key=key, by=self.by, at=at
                )
                os.write(write, f"{key}\n".encode())

        self.until_done("payment", pay)
        os.close(write)
        with os.fdopen(read) as told:
            acknowledged = set(told.read().split())
        self.look(run, acknowledged)

    def until_done(self, kind: str, work: Callable[[], Any]) -> None:
        """Two workers that die, again until one does not; then one that is left alone. Bounded."""
        importlib.import_module("django.db").connections.close_all()
        for attempt in range(4):
            draws = [self.draw(kind) if attempt < 3 else None for _ in range(WORKERS)]
            pids = [child(work, draw) for draw in draws]
            for pid, draw in zip(pids, draws, strict=True):
                _, status = os.waitpid(pid, 0)
                if os.WIFSIGNALED(status) and draw is not None:
                    self.kills[f"{kind} {draw[0].rpartition('.')[2]} {'after' if draw[2] else 'before'}"] += 1
                elif os.WEXITSTATUS(status):
                    raise Failed(f"a worker of {kind} ended with {status}; it was to die at {draw}")
        if os.waitstatus_to_exitcode(os.waitpid(child(work, None), 0)[1]):
            raise Failed(f"{kind} could not be finished")

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
    played = Campaign(accounts, Random(seed))
    while played.kills.total() < kills:
        played.play()
        if played.rounds > kills:
            raise Failed("hardly anybody dies: the failpoints are not on the way")
    report.say(
        f"{played.kills.total()} kills in {played.rounds} months, {WORKERS} workers at once, nothing lost or doubled"
    )
    for place, count in sorted(played.kills.items()):
        report.say(f"  {count:5d}  {place}")
    return played.kills


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
