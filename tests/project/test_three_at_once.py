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


def test_days_that_job_and_command_begin_at_once_are_charged_once(cluster):
    isp = partner()
    accounts = crowd(isp, "prepaid")
    environ = os.environ | cluster.environment() | {"DEMARC_DATA": str(cluster.config.data)}
    command = [sys.executable, "-m", "demarc.project.cli", "bill"]
    with ThreadPoolExecutor(2) as pool:
        with held_up(accounts, until=3):
            bill = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            started = [pool.submit(on_its_own, lambda: jobs.open_days(0)) for _ in range(2)]
        for one in started:
            one.result()
        said, _ = bill.communicate(timeout=120)
    assert bill.returncode == 0, said
    assert DayDecision.objects.filter(account__in=accounts, decision="charged").count() == DAYS * ACCOUNTS
    charged = Transfer.objects.filter(account__in=accounts, kind="charge")
    assert charged.count() == len(set(charged.values_list("service_id", "day"))) == DAYS * ACCOUNTS
    assert check.run() == []


def test_documents_that_job_and_api_begin_at_once_are_issued_once():
    api, isp = program("Super administrator"), partner()
    accounts = crowd(isp, "recurring")
    for account in accounts:
        bill_item(account_id=account, text="Visit", amount=900, by=cast.STAFF, at=clock.now())
    RecurringState.objects.filter(account__in=accounts).update(next_on=clock.today("UTC"))
    before = Document.objects.filter(account__in=accounts).count()
    set_auto_issue(isp.pk, auto=True, by=cast.STAFF, at=clock.now())

    def by_api():
        made = api.call("POST", "/runs", {"partner_id": isp.pk}, key="three")
        if made.status_code == 201:
            api.call("POST", f"/runs/{made.json()['id']}/confirm")

    with ThreadPoolExecutor(3) as pool:
        with held_up(accounts, until=2):
            started = [pool.submit(on_its_own, work) for work in (by_api, lambda: jobs.issue_due(0))]
        for one in started:
            one.result()
        runs = list(InvoiceRun.objects.filter(partner=isp, state="running").values_list("id", flat=True))
        assert runs
        with held_up(accounts, until=3):
            started = [pool.submit(on_its_own, lambda run=run: jobs.work_run(run)) for run in (runs * 3)[:3]]
        for one in started:
            one.result()
    fresh = Document.objects.filter(account__in=accounts, source="run")
    assert sorted(fresh.values_list("account_id", flat=True)) == accounts
    states = list(InvoiceRun.objects.filter(partner=isp).values_list("state", flat=True))
    assert states.count("done") == 1
    for late in InvoiceRun.objects.filter(partner=isp, state="preview"):  # what came second, confirmed after all
        assert api.post(f"/runs/{late.pk}/confirm")["state"] == "running"
        jobs.work_run(late.pk)
    assert fresh.count() == ACCOUNTS
    assert Document.objects.filter(account__in=accounts).count() == before + ACCOUNTS
    assert check.run() == []
