"""Filling the demo ISP: 1,000 customers, and 100,000 without --quick; the checker after each."""

import importlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime

from bench.stage import Stage, conclude, flags, stage

SIZES = {1_000: "< 10", 100_000: "< 300"}


def filled(at_stage: Stage, customers: int) -> tuple[float, float]:
    """Seconds that filling and checking take, in this process and by the command."""
    demo = importlib.import_module("demarc.project.demo")
    actors = importlib.import_module("demarc.base.actors")
    started = time.monotonic()
    for _ in demo.fill(by=actors.SYSTEM, at=datetime.now(UTC), customers=customers):
        pass
    took = time.monotonic() - started
    started = time.monotonic()
    check = [sys.executable, "-m", "demarc.project.cli", "check"]
    subprocess.run(check, env=at_stage.environment(), check=True, stdout=subprocess.DEVNULL)
    return took, time.monotonic() - started


def one_size(customers: int) -> int:
    """Fill once and print the two figures: the program of one size, since Django is set up once per process."""
    with stage() as at_stage:
        print(json.dumps(filled(at_stage, customers)))
    return 0


def main(quick: bool = False, as_json: bool = False) -> int:
    """Both sizes, or the smaller one."""
    rows, figures = [], {}
    for size in list(SIZES)[: 1 if quick else None]:
        program = f"from bench.demo import one_size; one_size({size})"
        said = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout
        fill_s, check_s = json.loads(said.splitlines()[-1])
        rows += [
            (f"fill_{size}_s", f"{fill_s:.1f}", SIZES[size]),
            (f"check_{size}_s", f"{check_s:.1f}", "< 60"),
        ]
        figures |= {f"fill_{size}_s": round(fill_s, 2), f"check_{size}_s": round(check_s, 2)}
    conclude(rows, figures, as_json=as_json)
    return 0


if __name__ == "__main__":
    sys.exit(main(**flags()))
