"""`python -m bench.campaigns.books --steps 1000000`: the model-based test of tests/billing, for hours.

Stories of a hundred steps each, drawn from one seed after the other, against a dictionary that knows what everything
costs; the first that disagrees ends it, told as briefly as possible. With --keep each seed's line goes to
bench/results/books-DATE.txt as soon as it is played. The next run counts what all those files say, goes on with the
seed after the last one, and so comes to its --steps in as many sittings as it takes; SIGTERM ends one.

Side by side, on two cores: --lane 1/2 and --lane 2/2, each with --keep. A lane has every second seed, so that no seed
is played twice whatever the other does; both count what either keeps, and end when it is enough or one has found
something.
"""

import argparse
import importlib
import os
import re
import signal
import sys
import time
import traceback
from types import FrameType

from bench.campaigns.report import ROOT, commit, keep_line
from bench.stage import stage

FIRST_SEED = 2_000_000
"""Far from the seeds that CI plays."""

STEPS_A_SEED = 2400
"""Two minutes: what an interruption loses. The first story of each seed is the same, the simplest, so a seed has many.
Fewer than play() draws from one seed, so that a line is one seed's."""

LINE = "seed {seed}  {steps} steps  {documents} documents  {cpu_s:.0f} s of CPU  commit {commit}  {outcome}"
KEPT = re.compile(r"^seed (\d+)  (\d+) steps  (\d+) documents  .*  (\w+)$", re.M)


Lane = tuple[int, int]
"""(number from 1, of how many)."""


def kept() -> list[tuple[int, int, int, str]]:
    """What earlier sittings wrote: (seed, steps, documents, ok or FAILED) of each seed."""
    files = sorted((ROOT / "bench" / "results").glob("books-*.txt"))
    found = [match.groups() for file in files for match in KEPT.finditer(file.read_text())]
    return [(int(seed), int(steps), int(documents), outcome) for seed, steps, documents, outcome in found]


def next_seed(lane: Lane, earlier: list[tuple[int, int, int, str]]) -> int:
    """The lane's first seed after all those of its own that were kept."""
    number, of = lane
    first = FIRST_SEED + number - 1
    return max((seed + of for seed, *_ in earlier if seed >= first and (seed - first) % of == 0), default=first)


def steps_of(seeds: list[tuple[int, int, int, str]]) -> int:
    """The steps in which nothing was found."""
    return sum(steps for _, steps, _, outcome in seeds if outcome == "ok")


def campaign(steps: int, seed: int, lane: Lane, *, keep: bool) -> bool:
    """Play the lane's seeds from `seed` on until there were so many steps, with --keep those of all sittings and lanes,
    or something disagrees, here or in another lane: whether all went well."""
    provider = importlib.import_module("tests.billing.provider")
    failed_before = len(failed(kept()))
    done = steps_of(kept()) if keep else 0
    while done < steps:
        began, outcome, told = time.process_time(), "ok", ""
        try:
            provider.play(STEPS_A_SEED, seed, shrink=True)
        except Exception as found:  # noqa: BLE001 - whatever it is, it is told
            outcome, told = "FAILED", "".join(traceback.format_exception(found, limit=-5))
        played = provider.played
        line = LINE.format(
            seed=seed, steps=played["steps"], documents=played["documents"], cpu_s=time.process_time() - began,
            commit=commit(), outcome=outcome,
        )  # fmt: skip
        if keep:
            keep_line("books", line)
        done = steps_of(kept()) if keep else done + played["steps"]
        print(f"{line}; {done:,} steps in all", flush=True)
        if told:
            print(told, flush=True)
            return False
        if keep and len(failed(kept())) > failed_before:
            print("another lane has found something", flush=True)
            return False
        seed += lane[1]
    return True


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1_000_000, help="with --keep: together with what is kept")
    parser.add_argument("--seed", type=int, help="the first one, else the one after the lane's last that was kept")
    parser.add_argument("--lane", type=_lane, default=(1, 1), help="1/2 and 2/2: two side by side, each with --keep")
    parser.add_argument("--keep", action="store_true", help="append to bench/results/books-DATE.txt")
    parser.add_argument("--totals", action="store_true", help="only say what all sittings together have played")
    given = parser.parse_args()
    earlier = kept() if given.keep or given.totals else []
    totals(earlier)
    if given.totals:
        return 0
    seed = next_seed(given.lane, earlier) if given.seed is None else given.seed
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with stage(durable=False):
            well = campaign(given.steps, seed, given.lane, keep=given.keep)
    except KeyboardInterrupt:
        print("interrupted; until here nothing was found")
        well = True
    if given.keep:
        totals(kept())
    return 0 if well else 1


def failed(seeds: list[tuple[int, int, int, str]]) -> list[int]:
    """The seeds that found something."""
    return [seed for seed, *_, outcome in seeds if outcome != "ok"]


def totals(seeds: list[tuple[int, int, int, str]]) -> None:
    """Say what all sittings together have played."""
    print(
        f"kept: {len(seeds)} seeds, {sum(steps for _, steps, *_ in seeds):,} steps, "
        f"{sum(documents for *_, documents, _ in seeds):,} documents, failed: {failed(seeds) or 'none'}; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        flush=True,
    )


def _lane(word: str) -> Lane:
    number, of = map(int, word.split("/"))
    if not 1 <= number <= of:
        raise ValueError(word)
    return number, of


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
