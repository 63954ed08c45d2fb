"""The workers: run jobs of the named queues, retry what trouble outside broke, take up what a dead worker left."""

import asyncio
import signal
from argparse import Namespace
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from demarc.base import clock, sealing
from demarc.base.sealing import Forked
from demarc.core.errors import Unreachable
from demarc.project.cycles import look_seldom

log = structlog.get_logger()
SEALING_QUEUE = "run"
"""The worker that has this queue seals the operation log."""
SEAL_S = 5.0

TROUBLE = (Unreachable, OperationalError, InterfaceError)
LONGEST_WAIT_S = 300
CONCURRENCY = 2
GRACEFUL_S = 4.0
HEARTBEAT_S = 2.0
STALLED_S = 15.0
SWEEP_S = 5.0
RECONNECT_S = 0.5


class RetryTrouble(BaseRetryStrategy):
    """Trouble outside is tried again, later each time and without end; anything else is a bug and stays failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """None for a bug."""
        if not isinstance(exception, TROUBLE):
            return None
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, LONGEST_WAIT_S)})


def run(args: Namespace) -> int:
    """Work until told to stop; a database that goes away and comes back is no reason to end."""
    for task in app.tasks.values():
        task.retry_strategy = task.retry_strategy or RetryTrouble()
    look_seldom()
    asyncio.run(_work(args.queues))
    return 0


async def _work(queues: list[str]) -> None:
    loop = asyncio.get_running_loop()
    # One thread per running job, no more: each keeps a database connection.
    loop.set_default_executor(ThreadPoolExecutor(CONCURRENCY))
    stopping = asyncio.Event()
    sealer = asyncio.create_task(_seal()) if SEALING_QUEUE in queues else None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    while not stopping.is_set():
        serving = asyncio.create_task(_serve(queues))
        await asyncio.wait([serving, stopped := asyncio.create_task(stopping.wait())], return_when=FIRST_COMPLETED)
        stopped.cancel()
        serving.cancel()
        # Without a database a farewell to it would take half a minute.
        await asyncio.wait([serving], timeout=GRACEFUL_S + 1)
        if serving.done() and not serving.cancelled() and (error := serving.exception()):
            if not isinstance(error, ConnectorException):
                raise error
            log.warning("no database", error=str(error.__cause__ or error))
        if not stopping.is_set():
            await asyncio.sleep(RECONNECT_S)
    if sealer:
        sealer.cancel()


async def _serve(queues: list[str]) -> None:
    """Run jobs until cancelled (those at work are finished first) or until the database is lost."""
    with app.replace_connector(DjangoConnector().get_worker_connector()) as working:
        async with working.open_async():
            sweeper = asyncio.create_task(_sweep(working, queues))
            try:
                await working.run_worker_async(
                    queues=queues,
                    name="-".join(queues),
                    concurrency=CONCURRENCY,
                    shutdown_graceful_timeout=GRACEFUL_S,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    update_heartbeat_interval=HEARTBEAT_S,
                    stalled_worker_timeout=STALLED_S,
                    task_middleware=[_with_live_connection],
                )
            finally:
                sweeper.cancel()


async def _sweep(working: App, queues: list[str]) -> None:
    """Put the jobs of workers that died back into their queue; every job bears to be run twice."""
    while True:
        try:
            for queue in queues:
                for job in await working.job_manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=STALLED_S):
                    log.warning("a dead worker's job is taken up again", job=job.id, task=job.task_name)
                    await working.job_manager.retry_job(job)
        except ConnectorException as error:
            log.warning("no database for the sweep", error=str(error))
        await asyncio.sleep(SWEEP_S)


async def _seal() -> None:
    """Seal the operation log every SEAL_S, in a thread of its own, so that no long job makes it wait."""
    with ThreadPoolExecutor(1) as thread:
        while True:
            await asyncio.sleep(SEAL_S)
            await asyncio.get_running_loop().run_in_executor(thread, seal_once)


def seal_once() -> None:
    """Seal what is new; whatever goes wrong is told in the log, and tried again the next time."""
    close_old_connections()
    try:
        sealing.seal(at=clock.now())
    except (Forked, OSError, *TROUBLE) as error:  # next time; `demarc status` tells when it lasts
        log.warning("the operation log was not sealed", error=str(error))
    except Exception:
        log.exception("the operation log was not sealed")  # a bug, and no reason to end: what is new may be sealed
    finally:
        close_old_connections()


def _with_live_connection(call_next: Callable[[], Any], context: Any, worker: Any) -> Any:
    """Drop this thread's connection when it is stale, before and after, as Django does around a request."""
    close_old_connections()
    try:
        return call_next()
    finally:
        close_old_connections()
