"""`demarc test`: every check of a checkout, and a summary at the end.

The tests have the machine. Whatever else there is runs beside them, one after the other and of low priority: it takes
what they leave while they wait for a program, a browser or a timer.
"""

import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from demarc.core.errors import Refused
from demarc.project.postgres_binaries import debian_binaries

ROOT = Path(__file__).parents[4]
BIN = Path(sys.executable).parent
NICENESS = 10  # a tenth of what a test that computes takes, and all that it leaves
ON_DEBIANS_POSTGRESQL = ("tests/base", "tests/billing", "tests/project/test_database.py")


@dataclass(frozen=True)
class Step:
    """One program to run, by its name in the environment."""

    name: str
    command: Sequence[str]
    environ: dict[str, str] = field(default_factory=dict)
    quiet: bool = True
    """Runs beside the tests, of low priority; what it says is shown when it has failed."""


TESTS = Step("tests", ["pytest", "-n", "2", "--dist=loadgroup", "--durations=30"], quiet=False)


def run(args: Namespace) -> int:
    """With arguments: pytest alone with them. Without: everything; 1 when anything failed."""
    if not (ROOT / "tests").is_dir():
        raise Refused("The tests are in a checkout of Demarc; this installation has none.", code="program")
    given = [word for word in args.pytest if word != "--"]
    if given:
        return subprocess.run([BIN / "pytest", *given], cwd=ROOT, check=False).returncode
    beside = _beside()
    with ThreadPoolExecutor(max_workers=1) as other_hand:
        going = [other_hand.submit(_done, step) for step in beside]
        tests = _done(TESTS)
        results = [*(one.result() for one in going), tests]
    sys.stdout.write("\n")
    for step, code, seconds in results:
        sys.stdout.write(f"{'ok    ' if code == 0 else 'FAILED'}  {step.name:<28} {seconds:6.1f} s\n")
    sys.stdout.flush()
    return int(any(code for _, code, _ in results))


def _beside() -> list[Step]:
    templates = [str(path) for path in sorted((ROOT / "src").rglob("templates/**/*.html"))]
    steps = [
        Step("lint", ["ruff", "check", "."]),
        Step("format", ["ruff", "format", "--check", "."]),
        Step("arrows", ["lint-imports"]),
        *([Step("templates", ["djade", "--check", "--target-version=5.2", *templates])] if templates else []),
        Step("types", ["mypy"]),
    ]
    if debian_binaries():
        rooms = [room for room in ON_DEBIANS_POSTGRESQL if (ROOT / room).exists()]
        command = ["pytest", "-q", "-m", "not slow", *rooms]
        steps.append(Step("tests on Debian's PostgreSQL", command, {"DEMARC_TEST_DATABASE": "debian"}))
    return steps


def _done(step: Step) -> tuple[Step, int, float]:
    """Run it: (step, exit code, seconds)."""
    began = time.monotonic()
    program, *arguments = step.command
    low = ["nice", "-n", str(NICENESS)] if step.quiet else []
    done = subprocess.run(
        [*low, BIN / program, *arguments],
        cwd=ROOT,
        env=os.environ | step.environ,
        check=False,
        stdout=subprocess.PIPE if step.quiet else None,
        stderr=subprocess.STDOUT if step.quiet else None,
        text=True,
    )
    if step.quiet and done.returncode:
        sys.stdout.write(f"\n== {step.name}\n{done.stdout}")
        sys.stdout.flush()
    return step, done.returncode, time.monotonic() - began
