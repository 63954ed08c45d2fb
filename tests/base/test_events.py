"""News and fact commit or vanish together, in every process."""

import pytest
from django.db import InternalError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.testing import InMemoryConnector

from demarc.base.events import emit, emit_ids
from demarc.project.wiring import READERS

pytestmark = pytest.mark.django_db


def jobs():
    return ProcrastinateJob.objects.order_by("id").values_list("task_name", "queue_name", "args")


def test_news_vanish_with_the_fact():
    with transaction.atomic():
        emit("ServiceChanged", services=[1])
        transaction.set_rollback(True)
    assert not jobs()


def test_in_a_worker_too_news_are_part_of_the_transaction():
    """A job seen before the fact it tells of is committed would find nothing to do, and the news would be lost."""
    with app.replace_connector(InMemoryConnector()):  # as a worker does
        emit("ServiceChanged", services=[1])
    assert list(jobs()) == [("access.sync_services", "now", {"services": [1]})]


def test_many_ids_go_out_in_jobs_of_two_thousand():
    emit_ids("ServiceChanged", "services", range(4001), queue="run")
    assert [(queue, len(args["services"])) for _, queue, args in jobs()] == [("run", 2000), ("run", 2000), ("run", 1)]


def test_every_reader_that_is_wired_is_a_task():
    assert {task for readers in READERS.values() for task in readers} <= app.tasks.keys()


def test_trouble_with_the_database_has_the_name_that_callers_know():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    with pytest.raises(InternalError), transaction.atomic():
        emit("ServiceChanged", services=[1])
