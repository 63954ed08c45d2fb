"""Billing that is started by the job, the command and the API at the same moment: one set of charges and documents.

Real connections, and a real process for the command. All are held up at the accounts' locks until each has come there.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.project.api_scene import partner, program

from demarc.base import clock
from demarc.billing import check, jobs
from demarc.billing.actions import bill_item, set_auto_issue
from demarc.billing.models import DayDecision, Document, InvoiceRun, LedgerAccount, RecurringState, Transfer

pytestmark = pytest.mark.usefixtures("committed")

ACCOUNTS = 6
DAYS = 3
WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"


def crowd(of, billing_type):
    """Accounts of a provider that began three days ago."""
    begun = clock.now() - timedelta(days=DAYS)
    plan = cast.plan(of, f"Fibre {billing_type}", at=begun)
    accounts = []
    for number in range(ACCOUNTS):
        customer = cast.customer(of, f"Ana {number}", billing_type=billing_type, at=begun)
        account = cast.account_of(customer)
        cast.pay(account, 100_000, key=f"three-{account.pk}", at=begun)
        cast.activate(cast.service(customer, plan, at=begun), at=begun)
        accounts.append(account.pk)
    return accounts


@contextmanager
def held_up(accounts, *, until):
    """Nobody gets at these accounts until so many wait for them."""
    with transaction.atomic(), connection.cursor() as cursor:
        list(LedgerAccount.objects.select_for_update().filter(payer_id__in=accounts).order_by("payer_id"))
        yield
        for _ in range(600):
            cursor.execute(WAITING)
            if cursor.fetchone()[0] >= until:
                return
            time.sleep(0.1)
        pytest.fail("they never came to the accounts at the same time")


def on_its_own(work):
    try:
        return work()
    finally:
        connection.close()


@pytest.fixture
def command(cluster):
    """Begins `demarc bill` as a process."""

    def begin(*options):
        environ = os.environ | cluster.environment() | {"DEMARC_DATA": str(cluster.config.data)}
        line = [sys.executable, "-m", "demarc.project.cli", "bill", *options]
        return subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return begin


def work_of(name):
    """What a job of this name was queued with, and it is no more."""
    found = ProcrastinateJob.objects.filter(task_name=name, status="todo").latest("id")
    return found.args


def test_days_that_job_command_and_api_begin_at_once_are_charged_once(command):
    api, isp = program("Super administrator"), partner()
    accounts = crowd(isp, "prepaid")
    assert api.post("/billing-days", {"partner_id": isp.pk}) == {"until": str(clock.today(isp.zone))}
    asked = work_of("billing.open_days_of")
    with ThreadPoolExecutor(2) as pool:
        with held_up(accounts, until=3):
            bill = command()
            jobs_begun = (lambda: jobs.open_days(0), lambda: jobs.open_days_of(**asked))
            started = [pool.submit(on_its_own, work) for work in jobs_begun]
        for one in started:
            one.result()
        said, _ = bill.communicate(timeout=120)
    assert bill.returncode == 0, said
    assert DayDecision.objects.filter(account__in=accounts, decision="charged").count() == DAYS * ACCOUNTS
    charged = Transfer.objects.filter(account__in=accounts, kind="charge")
    assert charged.count() == len(set(charged.values_list("service_id", "day"))) == DAYS * ACCOUNTS
    newest = max(api.get("/billing-days")["items"], key=lambda found: found["day"])
    assert (newest["day"], newest["finished_at"] is None, newest["parked"]) == (str(clock.today(isp.zone)), False, 0)
    assert check.run() == []


@pytest.fixture
def due():
    """A provider whose accounts have something to be billed today, issued by itself, and how many documents there are
    already."""
    isp = partner()
    accounts = crowd(isp, "recurring")
    for account in accounts:
        bill_item(account_id=account, text="Visit", amount=900, by=cast.STAFF, at=clock.now())
    RecurringState.objects.filter(account__in=accounts).update(next_on=clock.today("UTC"))
    set_auto_issue(isp.pk, auto=True, by=cast.STAFF, at=clock.now())
    return isp, accounts, Document.objects.filter(account__in=accounts).count()


def everybody_has_one(accounts, before):
    fresh = Document.objects.filter(account__in=accounts, source="run")
    assert sorted(fresh.values_list("account_id", flat=True)) == accounts
    assert Document.objects.filter(account__in=accounts).count() == before + ACCOUNTS
    assert check.run() == []


def test_documents_that_job_command_and_api_begin_at_once_are_issued_once(command, due):
    api = program("Super administrator")
    isp, accounts, before = due

    def by_api():
        made = api.call("POST", "/runs", {"partner_id": isp.pk}, key="three")
        if made.status_code == 201:
            api.call("POST", f"/runs/{made.json()['id']}/confirm")

    with ThreadPoolExecutor(2) as pool:
        with held_up(accounts, until=3):
            bill = command("--documents")
            started = [pool.submit(on_its_own, work) for work in (by_api, lambda: jobs.issue_due(0))]
        for one in started:
            one.result()
    said, _ = bill.communicate(timeout=120)
    assert bill.returncode == 0, said
    for run in InvoiceRun.objects.filter(partner=isp, state="running"):  # confirmed after the command had looked
        jobs.work_run(run.pk)
    everybody_has_one(accounts, before)
    for late in InvoiceRun.objects.filter(partner=isp, state="preview"):  # what came second, confirmed after all
        assert api.post(f"/runs/{late.pk}/confirm")["state"] == "running"
        jobs.work_run(late.pk)
    everybody_has_one(accounts, before)


def test_a_run_that_three_work_at_is_posted_once(due):
    api = program("Super administrator")
    isp, accounts, before = due
    run = api.post("/runs", {"partner_id": isp.pk}, key="work")["id"]
    api.post(f"/runs/{run}/confirm")
    with ThreadPoolExecutor(3) as pool:
        with held_up(accounts, until=3):
            started = [pool.submit(on_its_own, lambda: jobs.work_run(run)) for _ in range(3)]
        for one in started:
            one.result()
    assert InvoiceRun.objects.get(pk=run).state == "done"
    everybody_has_one(accounts, before)
