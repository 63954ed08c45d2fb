"""The one reader of the clock, and the data directories in which it may be moved."""

from datetime import UTC, datetime, timedelta

import pytest

from demarc.base import clock
from demarc.base.clock import Clock, move_to, read_offset

THEN = datetime(2031, 3, 1, tzinfo=UTC)
NEAR = timedelta(seconds=5)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(clock, "REREAD_S", 0)


def test_without_a_data_directory_it_shows_the_machines_time():
    assert abs(Clock(None).now() - datetime.now(UTC)) < NEAR
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("marker", ["DEMO", "TEST"])
def test_a_demo_or_test_clock_can_be_moved_and_runs_on(tmp_path, marker):
    (tmp_path / marker).touch()
    here = Clock(tmp_path)
    move_to(tmp_path, THEN)
    first = here.now()
    assert THEN <= first < THEN + NEAR
    assert here.now() > first
    move_to(tmp_path, THEN + timedelta(days=1))
    assert here.now() >= THEN + timedelta(days=1)
    (tmp_path / "clock_offset").unlink()
    assert abs(here.now() - datetime.now(UTC)) < NEAR


def test_the_clock_of_real_work_cannot_be_moved(tmp_path):
    with pytest.raises(PermissionError, match="made for real work"):
        move_to(tmp_path, THEN)
    assert not (tmp_path / "clock_offset").exists()


def test_an_offset_file_in_a_directory_of_real_work_is_ignored(tmp_path):
    (tmp_path / "clock_offset").write_text('{"offset_s": 86400}')
    assert abs(Clock(tmp_path).now() - datetime.now(UTC)) < NEAR
    assert read_offset(tmp_path) == timedelta(0)
