"""A slice of bench/campaigns/kills.py: three rounds of kill -9 in the middle of work, as that campaign plays fifty."""

import pytest
from bench.campaigns.kills import campaign

pytestmark = pytest.mark.slow

SEED = 61
"""Draws each of those that Done-when 3 names: a worker, the database and radiusd, all at work."""


def test_what_was_acknowledged_survives_the_death_of_worker_database_and_radiusd():
    played = campaign(3, SEED, neighbours=300, logins=30, work_s=3.0)
    assert {one.victim for one in played} == {"now", "database", "radiusd"}
    assert all(one.struck and not one.findings for one in played)
