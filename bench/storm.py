"""A storm: 100,000 subscribers of three NASes are gone at once, one NAS is dead, all come back while a day is billed.

Twice: appearing within 30 s, as homes do when the power returns, and within 3 s, paced by nobody. A fifth has a wrong
password. The NASes keep RouterOS's timers (storm.c tells them); first they meet a responder that answers at once, so
that `ideal_s` is what they need by themselves, and then one radiusd. 10,000 subscribers with --quick. The generator,
radiusd, PostgreSQL and the billing run share the machine.
"""

import importlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench import peer
from bench.bill import PAID, demarc
from bench.radius import ACCT_PORT, AUTH_PORT, HERE, backlog, radiusd
from bench.stage import Stage, conclude, flags, stage

SUBSCRIBERS, SUBSCRIBERS_QUICK = 100_000, 10_000
NASES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
DEAD = 2
WRONG_PERCENT = 20
SPREADS_S = {"paced": 30, "unpaced": 3}
IDEAL_AUTH_PORT, IDEAL_ACCT_PORT = 24812, 24813
LIMIT_S = 120
DAYS = 24
"""Days that may be billed, one after the other, while the storms last."""

BEFORE_S = 2
"""So long a billing run has been under way when the storm breaks."""


@dataclass(frozen=True)
class Weather:
    """The generator, made ready. `users`: the file of logins and passwords."""

    program: Path
    users: Path

    def storm(self, spread_s: int, auth_port: int, acct_port: int, *, before: Any = None) -> dict[str, Any]:
        """Everybody logs in; `before` is called; then the storm. What storm.c prints."""
        command = [
            str(self.program), "-u", str(self.users), "-S", ",".join(NASES), "-s", peer.SECRET, "-a", str(auth_port),
            "-c", str(acct_port), "-W", str(spread_s), "-b", str(WRONG_PERCENT), "-D", str(DEAD), "-L", str(LIMIT_S),
        ]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError("the subscribers did not come online before the storm")
            if before is not None:
                before()
            told, _ = process.communicate("\n", timeout=LIMIT_S + 60)
        return dict(json.loads(told))

    @contextmanager
    def ideal(self) -> Iterator[None]:
        """The responder that answers at once."""
        command = [str(self.program), "-E", "-s", peer.SECRET, "-a", str(IDEAL_AUTH_PORT), "-c", str(IDEAL_ACCT_PORT)]
        process = subprocess.Popen(command)
        try:
            time.sleep(0.5)
            yield
        finally:
            process.terminate()
            process.wait(10)


class Billing:
    """Bills day after day in a process beside, while it lasts."""

    def __init__(self, at_stage: Stage, days: list[date]) -> None:
        self._stage = at_stage
        self._days = days
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.took_s: list[float] = []

    def begin(self) -> None:
        """Under way when this returns."""
        self._over.clear()
        self._thread = threading.Thread(target=self._bill)
        self._thread.start()
        time.sleep(BEFORE_S)

    def end(self) -> None:
        """The day that is being billed is finished."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _bill(self) -> None:
        while self._days and not self._over.is_set():
            self.took_s.append(demarc(self._stage, "bill", "--date", self._days.pop(0).isoformat()))


def main(quick: bool = False, as_json: bool = False) -> int:
    """Run it all; exit code 0 also when a figure falls short, for the table says so."""
    count = SUBSCRIBERS_QUICK if quick else SUBSCRIBERS
    with stage() as at_stage:
        weather, billing = prepared(at_stage, count)
        with weather.ideal():
            ideal = {
                name: weather.storm(spread_s, IDEAL_AUTH_PORT, IDEAL_ACCT_PORT) for name, spread_s in SPREADS_S.items()
            }
        real, billed = {}, {}
        with radiusd(at_stage, count):
            for name, spread_s in SPREADS_S.items():
                done = len(billing.took_s)
                real[name] = weather.storm(spread_s, AUTH_PORT, ACCT_PORT, before=lambda: calm(at_stage, billing))
                billing.end()
                billed[name] = len(billing.took_s) - done
    figures: dict[str, object] = {"subscribers": count, "nas": len(NASES), "bill_days_s": billing.took_s}
    rows: list[tuple[str, str, str]] = []
    for name in SPREADS_S:
        figures |= {f"{name}_{key}": value for key, value in judged(ideal[name], real[name]).items()}
        figures[f"{name}_days_billed"] = billed[name]
        rows += table(name, figures)
    conclude(rows, figures, as_json=as_json)
    return 0


def prepared(at_stage: Stage, count: int) -> tuple[Weather, Billing]:
    """Subscribers, as many prepaid accounts to be billed, and the generator."""
    directory = at_stage.config.data / "bench"
    directory.mkdir()
    program = directory / "storm"
    subprocess.run(["cc", "-O2", "-o", str(program), str(HERE / "storm.c")], check=True)
    people = importlib.import_module("bench.people")
    now = importlib.import_module("demarc.base.clock").now()
    users = people.subscribers(count, NASES)
    listed = directory / "users"
    listed.write_text("".join(f"{one.login} {one.password}\n" for one in users))
    models = importlib.import_module("demarc.base.models")
    for _ in people.prepaid(models.Partner.objects.get(), count, PAID, at=now - timedelta(days=DAYS)):
        pass
    return Weather(program, listed), Billing(
        at_stage, [(now - timedelta(days=ago)).date() for ago in range(DAYS)][::-1]
    )


def calm(at_stage: Stage, billing: Billing) -> None:
    """Before the storm everybody's session is in the database, and a day is being billed."""
    deadline = time.monotonic() + 120
    while backlog(at_stage) and time.monotonic() < deadline:
        time.sleep(0.5)
    billing.begin()


def judged(ideal: dict[str, Any], real: dict[str, Any]) -> dict[str, Any]:
    """What was measured, beside what the NASes need by themselves. -1: it was not reached."""
    online_s, ideal_s = real["online_s"], ideal["online_s"]
    excess_s = round(online_s - ideal_s, 2) if online_s >= 0 else -1
    return {"ideal_s": ideal_s, "excess_s": excess_s, "online_ratio": round(online_s / ideal_s, 2), **real}


def table(name: str, told: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Figure, measured, wanted."""

    def row(figure: str, wanted: str) -> tuple[str, str, str]:
        return f"{name}_{figure}", f"{told[f'{name}_{figure}']:,}", wanted

    return [
        row("ideal_s", ""),
        row("online_s", f"<= {1.25 * told[f'{name}_ideal_s']:.1f} (1.25 x ideal)"),
        row("online_95_s", ""),
        row("excess_s", "<= 5"),
        row("recovery_s", "<= 10, not -1"),
        row("refused", "0"),
        row("duplicate_addresses", "0"),
        row("started_s", ""),
        row("requests", ""),
        row("resent", ""),
        row("gave_up", ""),
        row("late", ""),
        row("p99_ms", ""),
        row("days_billed", ""),
    ]


if __name__ == "__main__":
    sys.exit(main(**flags()))
