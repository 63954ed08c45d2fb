"""News that travels against the arrows: `emit` inserts one job per reader, inside the fact's own transaction.

Knows no event and no reader; project.wiring names them. Readers are idempotent and re-read the state, so a job that
runs twice or late does no harm; therefore no queueing lock is ever used (a duplicate would abort the payment).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

IDS_MAX = 2000

_jobs = JobManager(DjangoConnector())
"""Not the app's own: in a worker that has connections of its own, outside the transaction of the fact."""

_readers: dict[str, tuple[str, ...]] = {}


def register(readers: Mapping[str, Sequence[str]]) -> None:
    """Take the table event name -> task names (project.wiring.READERS), once at start."""
    _readers.clear()
    _readers.update({event: tuple(tasks) for event, tasks in readers.items()})


def emit(event: str, *, queue: str = "now", **facts: Any) -> None:
    """Tell all readers of `event`; `facts` are small JSON values, ids above all. Runs in the caller's transaction.

    An event nobody is wired to, or a reader that is no task, is a bug: KeyError.
    """
    for task in _readers[event]:
        job = configure_task(name=app.tasks[task].name, job_manager=_jobs, queue=queue)
        with connection.wrap_database_errors:  # procrastinate's own errors are not what callers know
            try:
                job.defer(**facts)
            except ConnectorException as trouble:
                raise trouble.__cause__ or trouble from None


def emit_ids(event: str, name: str, ids: Sequence[int], *, queue: str = "now") -> None:
    """Tell all readers of `event` about many things: `name` is the fact that lists their ids, IDS_MAX in one job."""
    for start in range(0, len(ids), IDS_MAX):
        emit(event, queue=queue, **{name: list(ids[start : start + IDS_MAX])})
