"""`demarc test`: every check of a checkout, one after the other, and a summary at the end."""

import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demarc.core.errors import Refused
from demarc.project.postgres_binaries import debian_binaries

ROOT = Path(__file__).parents[4]
BIN = Path(sys.executable).parent
ON_DEBIANS_POSTGRESQL = ("tests/base", "tests/billing", "tests/project/test_database.py")


@dataclass(frozen=True)
class Step:
    """One program to run, by its name in the environment."""

    name: str
    command: Sequence[str]
    environ: dict[str, str] = field(default_factory=dict)


def run(args: Namespace) -> int:
    """With arguments: pytest alone with them. Without: everything; 1 when anything failed."""
    if not (ROOT / "tests").is_dir():
        raise Refused("The tests are in a checkout of Demarc; this installation has none.", code="program")
    given = [word for word in args.pytest if word != "--"]
    if given:
        return subprocess.run([BIN / "pytest", *given], cwd=ROOT, check=False).returncode
    results = [(step, *_timed(step)) for step in _steps()]
    sys.stdout.write("\n")
    for step, code, seconds in results:
        sys.stdout.write(f"{'ok    ' if code == 0 else 'FAILED'}  {step.name:<28} {seconds:6.1f} s\n")
    sys.stdout.flush()
    return int(any(code for _, code, _ in results))


def _steps() -> list[Step]:
    templates = [str(path) for path in sorted((ROOT / "src").rglob("templates/**/*.html"))]
    steps = [
        Step("lint", ["ruff", "check", "."]),
        Step("format", ["ruff", "format", "--check", "."]),
        Step("types", ["mypy"]),
        Step("arrows", ["lint-imports"]),
        *([Step("templates", ["djade", "--check", "--target-version=5.2", *templates])] if templates else []),
    ]
    if debian_binaries():
        rooms = [room for room in ON_DEBIANS_POSTGRESQL if (ROOT / room).exists()]
        environ = {"DEMARC_TEST_DATABASE": "debian"}
        steps.append(
            Step(
                "tests on Debian's PostgreSQL",
                ["pytest", "-q", "-n", "2", "--dist=loadgroup", "-m", "not slow", *rooms],
                environ,
            )
        )
    steps.append(Step("tests", ["pytest", "-n", "2", "--dist=loadgroup", "--durations=30"]))
    return steps


def _timed(step: Step) -> tuple[int, float]:
    sys.stdout.write(f"\n== {step.name}\n")
    sys.stdout.flush()
    began = time.monotonic()
    program, *arguments = step.command
    code = subprocess.run([BIN / program, *arguments], cwd=ROOT, env=os.environ | step.environ, check=False).returncode
    return code, time.monotonic() - began
