"""What a campaign says: printed as it goes, kept as a file, and the commit it was said of."""

import os
import subprocess
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Failed(AssertionError):
    """Something was found; the data stay."""


class Report:
    """Prints, and keeps what it printed."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """A line more."""
        print(line, flush=True)
        self._lines.append(line)

    def keep(self, name: str) -> None:
        """Say how long it took on what machine, and write everything to bench/results/NAME-DATE.txt."""
        minutes, load = (time.monotonic() - self._began) / 60, os.getloadavg()[0]
        self.say(f"{minutes:.1f} minutes, load {load:.1f} on {os.cpu_count()} cores")
        path = ROOT / "bench" / "results" / f"{name}-{date.today().isoformat()}.txt"
        path.write_text("\n".join(self._lines) + "\n")


def keep_line(name: str, line: str) -> None:
    """Add one line to bench/results/NAME-DATE.txt at once, so that nothing of a long campaign waits for its end."""
    path = ROOT / "bench" / "results" / f"{name}-{date.today().isoformat()}.txt"
    with path.open("a") as file:
        file.write(f"{line}\n")


def commit() -> str:
    """The commit that is tried, with a + when the sources have more than that."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "src")
    except FileNotFoundError:  # a bare machine has no git
        return "unknown"
    return f"{head or 'unknown'}{'+' if changed else ''}"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()
