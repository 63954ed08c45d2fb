"""A slice of bench/campaigns/failpoints.py: fifty deaths at named places, two workers at once."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def test_fifty_deaths_lose_and_double_nothing():
    command = [sys.executable, "-m", "bench.campaigns.failpoints", "--kills", "50", "--seed", "7"]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "nothing lost or doubled" in played.stdout
