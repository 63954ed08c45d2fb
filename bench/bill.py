"""The billing run: one prepaid day for 100,000 accounts, the same day again, and the checker after."""

import importlib
import subprocess
import sys
import time
from datetime import timedelta

from bench.stage import Stage, conclude, flags, median, spread, stage

ACCOUNTS = 100_000
PAID = 100_000


def demarc(at_stage: Stage, *arguments: str) -> float:
    """Seconds that a `demarc` command takes; it must succeed."""
    started = time.monotonic()
    command = [sys.executable, "-m", "demarc.project.cli", *arguments]
    subprocess.run(command, env=at_stage.environment(), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def main(quick: bool = False, as_json: bool = False) -> int:
    """Days are billed by the command itself, whole process included; --quick bills one day instead of five."""
    with stage() as at_stage:
        people = importlib.import_module("bench.people")
        clock = importlib.import_module("demarc.base.clock")
        days = 1 if quick else 5
        now = clock.now()
        made_s = time.monotonic()
        for done in people.prepaid(people.provider(), ACCOUNTS, PAID, at=now - timedelta(days=days)):
            print(f"{done:,} accounts", file=sys.stderr, end="\r")
        made_s = time.monotonic() - made_s
        first, again = [], []
        for ago in range(days - 1, -1, -1):
            day = (now - timedelta(days=ago)).date().isoformat()
            first.append(demarc(at_stage, "bill", "--date", day))
            again.append(demarc(at_stage, "bill", "--date", day))
        checked = demarc(at_stage, "check")
    figures: dict[str, object] = {
        "day_s": round(median(first), 2),
        "again_s": round(median(again), 2),
        "accounts_per_s": round(ACCOUNTS / median(first)),
        "check_s": round(checked, 2),
        "made_s": round(made_s, 1),
        "accounts": ACCOUNTS,
        "days": days,
    }
    rows = [
        ("day_s", spread(first), "< 15"),
        ("again_s", f"{median(again):.2f}", "< 2"),
        ("accounts_per_s", f"{ACCOUNTS / median(first):,.0f}", ""),
        ("check_s", f"{checked:.1f}", "< 60"),
    ]
    conclude(rows, figures, as_json=as_json)
    return 0


if __name__ == "__main__":
    sys.exit(main(**flags()))
