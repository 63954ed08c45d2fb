"""`python -m bench.campaigns.kills --rounds 50 --seed 7`: kill -9 in the middle of work, round after round.

While clients pay, log in and account and the next day is billed, one process is killed; it comes back by itself, the
clients repeat what was not acknowledged, and when all is quiet the oracle looks. The same seed draws the same victims
and moments; what the machine makes of them differs.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import psycopg
from tests.flows.programs import Api
from tests.installation import DEMARC
from tests.sim.nas import Heard, PretendNas

from bench.campaigns.clients import Book, Client, Payer, Router
from bench.campaigns.ground import SECRET, Ground, children, ground, kill, wait
from bench.campaigns.oracle import findings
from bench.campaigns.report import Failed, Report, commit

NASES = ("127.0.0.21", "127.0.0.22")
VICTIMS = ("now", "later", "bill", "radiusd", "shipper", "database", "database and its backends", "web")

QUIET_S = 60.0
WORK_ON_S = 2.0
"""How long the clients work at least with everything back."""

AT_WORK_S = 20.0
"""How long a killer waits to see his victim at work; then he kills it anyway."""

AT_WORK = {
    "now": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = 'now'",
    "later": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND queue_name IN ('run', 'slow')",
}
DAY_OPENS = "SELECT count(*) FROM billing_billingday WHERE day = %(day)s"


@dataclass
class Round:
    """What one round drew, and what came of it. `seen`: the victim was at work when it was killed; `struck`: there
    was one to be killed."""

    number: int
    victim: str
    midnight_s: float
    wait_s: float
    blind: bool
    day: date | None = None
    seen: bool = False
    struck: bool = False
    back_s: float = 0.0
    quiet_s: float = 0.0
    findings: list[str] = field(default_factory=list)

    def line(self, book: Book, before: Sequence[int]) -> str:
        """The round in a line."""
        paid, accounted, logins, unheard = (now - then for now, then in zip(figures(book), before, strict=True))
        when = "missed" if not self.struck else "at work" if self.seen else "any time"
        verdict = "ok" if not self.findings else f"{len(self.findings)} FINDINGS"
        return (
            f"{self.number:>3}  {self.victim:<26} {when:<9} {paid:>6} {accounted:>6} "
            f"{logins:>6} {unheard:>7} {self.back_s:>7.1f} {self.quiet_s:>7.1f}  {verdict}"
        )


HEAD = "  #  killed                     when        paid   acct logins unheard  back s quiet s"


def figures(book: Book) -> tuple[int, int, int, int]:
    """Payments acknowledged, accounting acknowledged, logins tried, tries of any kind that were not answered."""
    return sum(bool(payment.number) for payment in book.payments), book.accounted, book.logins, book.unheard


def draw(seed: int, rounds: int) -> list[Round]:
    """Every victim as often as the others, in an order and at moments that the seed draws."""
    random = Random(seed)
    deck: list[str] = []
    drawn = []
    for number in range(1, rounds + 1):
        deck = deck or random.sample(VICTIMS, len(VICTIMS))
        midnight_s = random.uniform(0.2, 2.0)
        drawn.append(Round(number, deck.pop(), midnight_s, random.uniform(0.0, 0.4), random.random() < 0.3))
    return drawn


class Biller(Client):
    """Midnight comes, and `demarc bill` decides the day: again, until it says that it has."""

    def __init__(self, at: Ground, plan: Round, *given: Any) -> None:
        super().__init__(*given)
        self.at = at
        self.plan = plan
        self.running: subprocess.Popen[bytes] | None = None
        self.billed = False

    def step(self) -> None:
        time.sleep(self.plan.midnight_s)
        day = self.plan.day = self.at.turn_midnight()
        self.until(lambda: self._bill(day), f"demarc bill --date {day}")
        self.finish.wait()

    def _bill(self, day: date) -> bool:
        command = [*DEMARC, "bill", "--date", day.isoformat()]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.running = subprocess.Popen(command, env=self.at.demarc.environ, **quiet)
        self.billed = self.running.wait() == 0
        return self.billed


class Campaign:
    """Rounds on one installation."""

    def __init__(self, at: Ground, nases: Sequence[PretendNas], seed: int, work_s: float) -> None:
        self.at = at
        self.nases = nases
        self.seed = seed
        self.work_s = work_s
        self.book = Book()
        self.first = at.now().astimezone(at.zone).date() + timedelta(days=1)
        tokens = [at.demarc.run("token", f"till {n}", "--role", "Administrator").stdout.split()[-1] for n in (1, 2)]
        base = f"http://127.0.0.1:{at.demarc.ports['web']}"
        self.apis = [Api(base, token, timeout_s=15) for token in tokens]
        for nas in nases:
            nas.on_coa = self._answer_coa

    def play(self, plan: Round) -> None:
        """One round; what the oracle finds is in the plan afterwards."""
        finish, done = threading.Event(), threading.Event()
        biller = Biller(self.at, plan, self.book, self._random(plan, "bill"), done)
        clients = [*self._clients(plan, finish), biller]
        for client in clients:
            client.start()
        began = time.monotonic()
        self._kill(plan, biller)
        struck = time.monotonic()
        left = wait(self.at.absent, QUIET_S)
        plan.back_s = time.monotonic() - struck
        time.sleep(max(WORK_ON_S, self.work_s - (time.monotonic() - began)))
        finish.set()
        for client in clients[:-1]:
            client.join()
        done.set()
        biller.join()
        resting = time.monotonic()
        left = left or self.at.come_to_rest(QUIET_S)
        plan.quiet_s = time.monotonic() - resting
        troubles = [*self.book.troubles, *([f"after {QUIET_S:.0f} s: {left}"] if left else [])]
        plan.findings = troubles or findings(self.at, self.book, self.nases, (self.first, plan.day))

    def _clients(self, plan: Round, finish: threading.Event) -> list[Client]:
        people = self.at.people
        poor = [login["account"] for login in people["logins"]]
        clients: list[Client] = []
        for number, api in enumerate(self.apis):
            name = f"kills-{plan.number}-{number}"
            given = (self.book, self._random(plan, name), finish)
            clients.append(Payer(api, (poor, people["accounts"]), name, *given))
        for number, nas in enumerate(self.nases):
            name = f"{plan.number:02d}-{number}"
            given = (self.book, self._random(plan, name), finish)
            clients.append(Router(nas, self.at.demarc.ports, people["logins"][number :: len(NASES)], name, *given))
        return clients

    def _random(self, plan: Round, name: str) -> Random:
        return Random(f"{self.seed}/{plan.number}/{name}")

    def _kill(self, plan: Round, biller: Biller) -> None:
        """Wait for the moment, then strike."""
        if plan.blind:
            time.sleep(plan.midnight_s + 4 * plan.wait_s)
        else:
            plan.seen = self._see(plan)
        while not (pids := self._pids(plan.victim, biller)) and not (plan.victim == "bill" and biller.billed):
            time.sleep(0.01)  # it is just being started
        plan.struck = bool(pids)
        kill(pids)

    def _see(self, plan: Round) -> bool:
        """Whether the victim was seen at work before long: a worker with a job, the others when the day opens."""
        deadline = time.monotonic() + plan.midnight_s + AT_WORK_S
        is_worker = plan.victim in AT_WORK
        while time.monotonic() < deadline:
            if plan.day and is_worker and self.at.count(AT_WORK[plan.victim]):
                return True
            if plan.day and not is_worker and self.at.count(DAY_OPENS, day=plan.day):
                time.sleep(plan.wait_s)
                return True
            time.sleep(0.002)
        return False

    def _pids(self, victim: str, biller: Biller) -> list[int]:
        if victim == "bill":
            return [biller.running.pid] if biller.running and not biller.billed else []
        pid = self.at.pid(victim.partition(" ")[0])
        if pid is None:
            return []
        return [pid, *children(pid)] if "backends" in victim else [pid]

    def _answer_coa(self, told: Heard) -> str | int:
        """A NAS knows the sessions that it has (Error-Cause 503: Session-Context-Not-Found)."""
        return "ack" if any(one.id == told.get("Acct-Session-Id") for one in list(self.book.on.values())) else 503


def campaign(
    rounds: int, seed: int, *, neighbours: int = 2000, logins: int = 60, work_s: float = 6.0, say: Any = print
) -> list[Round]:
    """Play the rounds on a fresh installation, stop at the first that finds something; what was played."""
    with ExitStack() as stack:
        nases = [stack.enter_context(PretendNas(address, secret=SECRET)) for address in NASES]
        ports = [(nas.address, nas.port) for nas in nases]
        say(f"kills: seed {seed}, commit {commit()}, {rounds} rounds, {neighbours + logins} accounts, {logins} logins")
        at = stack.enter_context(ground(neighbours, logins, ports))
        if left := at.come_to_rest(QUIET_S):
            raise Failed(f"before the first round: {left}")
        played = Campaign(at, nases, seed, work_s)
        say(HEAD)
        done: list[Round] = []
        for plan in draw(seed, rounds):
            before = figures(played.book)
            played.play(plan)
            done.append(plan)
            say(plan.line(played.book, before))
            if plan.findings:
                for finding in plan.findings[:50]:
                    say(f"     {finding}")
                raise Failed(f"round {plan.number} of seed {seed}: {plan.findings[0]}")
        total = figures(played.book)
        say(f"{len(done)} rounds: {total[0]} payments, {total[1]} accounting records and {total[2]} logins; nothing "
            "acknowledged is lost, nothing is doubled, demarc check is clean each time")  # fmt: skip
        return done


def main() -> int:
    """Play, and keep what was printed under bench/results."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments.add_argument("--accounts", type=int, default=2000)
    given = arguments.parse_args()
    report = Report()
    try:
        campaign(given.rounds, given.seed, neighbours=given.accounts, say=report.say)
        code = 0
    except (Failed, psycopg.Error) as failure:
        report.say(f"FAILED: {failure}")
        code = 1
    report.keep("kills")
    return code


if __name__ == "__main__":
    sys.exit(main())
