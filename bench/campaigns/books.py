"""`python -m bench.campaigns.books --steps 1000000 --seed 7`: the model-based test of tests/billing, for hours.

Stories of a hundred steps each, drawn from one seed after the other, against a dictionary that knows what everything
costs; the first that disagrees ends it, told as briefly as possible. Interrupted (SIGTERM), it says how far it came.
"""

import argparse
import importlib
import signal
import sys
import time
import traceback
from types import FrameType

from bench.campaigns.report import Report, commit
from bench.stage import stage

ROUND = 10_000
"""So many steps are played between two lines of the report."""

SEEDS_A_ROUND = 1000


def campaign(steps: int, seed: int, report: Report) -> bool:
    """Play so many steps, or until something disagrees, which is told: whether all went well."""
    provider = importlib.import_module("tests.billing.provider")
    done = documents = 0
    began = time.monotonic()
    for first in range(seed, seed + steps * SEEDS_A_ROUND, SEEDS_A_ROUND):
        try:
            played = provider.play(min(ROUND, steps - done), first, shrink=True)
        except Exception as found:  # noqa: BLE001 - whatever it is, it is told
            report.say("".join(traceback.format_exception(found, limit=-5)))
            report.say(f"FAILED after {done:,} steps")
            return False
        done, documents = done + played["steps"], documents + played["documents"]
        pace = done / (time.monotonic() - began)
        report.say(f"{done:12,} steps  {documents:9,} documents  {pace:6.1f} steps a second")
        if done >= steps:
            break
    report.say(f"{done:,} steps: every balance is the model's, the checker finds nothing")
    return True


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="write bench/results/books-SEED-DATE.txt")
    given = parser.parse_args()
    report = Report()
    report.say(f"books --steps {given.steps} --seed {given.seed}, commit {commit()}")
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with stage():
            return 0 if campaign(given.steps, given.seed, report) else 1
    except KeyboardInterrupt:
        report.say("interrupted; until here nothing was found")
        return 0
    finally:
        if given.keep:
            report.keep(f"books-{given.seed}")


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
