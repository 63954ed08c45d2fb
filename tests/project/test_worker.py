"""Which failed jobs the workers try again."""

import pytest
from django.db import InterfaceError, OperationalError
from procrastinate.jobs import Job

from demarc.core.errors import Refused, Unreachable
from demarc.project.commands.worker import LONGEST_WAIT_S, RetryTrouble


def decision(error, attempts=0):
    job = Job(
        id=1, queue="now", lock=None, queueing_lock=None, task_name="t", attempts=attempts, status="doing", priority=0
    )
    return RetryTrouble().get_retry_decision(exception=error, job=job)


@pytest.mark.parametrize("error", [Unreachable("router"), OperationalError("gone"), InterfaceError("closed")])
def test_trouble_outside_is_tried_again(error):
    assert decision(error) is not None


@pytest.mark.parametrize("error", [ValueError("bug"), Refused("no"), ZeroDivisionError()])
def test_a_bug_stays_failed_where_it_is_seen(error):
    assert decision(error) is None


def test_each_attempt_waits_longer_up_to_five_minutes():
    waits = [
        (decision(Unreachable("router"), attempts).retry_at - decision(Unreachable("router")).retry_at).total_seconds()
        for attempts in (0, 1, 4, 20)
    ]
    assert [round(wait) for wait in waits] == [0, 1, 15, LONGEST_WAIT_S - 1]
