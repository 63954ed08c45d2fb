"""Filling the demo ISP: 1,000 customers, and 100,000 without --quick; the checker after each."""

import importlib
import subprocess
import sys
import time

from bench.stage import Stage, conclude, stage

SIZES = (1_000, 100_000)


def filled(at_stage: Stage, customers: int) -> tuple[float, float]:
    """Seconds that filling and checking take, in this process and by the command."""
    demo = importlib.import_module("demarc.project.demo")
    clock = importlib.import_module("demarc.base.clock")
    actors = importlib.import_module("demarc.base.actors")
    started = time.monotonic()
    for _ in demo.fill(by=actors.SYSTEM, at=clock.now(), customers=customers):
        pass
    took = time.monotonic() - started
    started = time.monotonic()
    check = [sys.executable, "-m", "demarc.project.cli", "check"]
    subprocess.run(check, env=at_stage.environment(), check=True, stdout=subprocess.DEVNULL)
    return took, time.monotonic() - started


def main(quick: bool = False, as_json: bool = False, customers: int = 0) -> int:
    """One size per process, since Django is set up once: the larger one runs in a process of its own."""
    size = customers or SIZES[0]
    with stage() as at_stage:
        fill_s, check_s = filled(at_stage, size)
    figures: dict[str, object] = {"fill_s": round(fill_s, 1), "check_s": round(check_s, 1), "customers": size}
    wanted = "< 10" if size <= SIZES[0] else "< 300"
    rows = [(f"fill_s, {size:,} customers", f"{fill_s:.1f}", wanted), ("check_s", f"{check_s:.1f}", "< 60")]
    conclude(rows, figures, as_json=as_json)
    if not quick and not customers:
        again = f"from bench.demo import main; main(customers={SIZES[1]}, as_json={as_json})"
        subprocess.run([sys.executable, "-c", again], check=True)
    return 0
