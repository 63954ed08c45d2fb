"""The background doors: every event has its reader, and a job does what its action does."""

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from tests.access.scene import login, online, scene, service, set_state, told
from tests.cast import STAFF

from demarc.access import jobs
from demarc.access.actions import create_subscriber
from demarc.access.models import Learned, Policy, Subscriber
from demarc.base import clock
from demarc.base.vault import seal_for_radius
from demarc.network import actions as network
from demarc.project.wiring import READERS

pytestmark = pytest.mark.django_db


def test_every_reader_of_an_event_in_this_room_is_a_task():
    wanted = {task for tasks in READERS.values() for task in tasks if task.startswith("access.")}
    assert wanted <= set(app.tasks)
    assert all(app.tasks[name].queue == "now" for name in wanted), "a payment is online in two seconds"


def test_a_paid_service_is_open_after_its_job():
    on = scene()
    ana = login(service(on))
    online(ana, on.nas)
    set_state(ana.service, 2)
    jobs.sync_services([ana.service_id])
    set_state(ana.service, None)
    jobs.sync_services([ana.service_id])
    assert [list_name for _, list_name, *_ in told(ana)] == ["Reject_2", "Demarc_active"]


def test_a_changed_cause_table_is_published_by_its_job():
    on = scene()
    jobs.publish_policy([on.partner.pk])
    network.set_cause_rule(on.partner.pk, 2, page_port=8080, by=STAFF, at=clock.now())
    jobs.publish_policy([on.partner.pk])
    assert Policy.objects.get(partner=on.partner).body["causes"]["2"]["page_port"] == 8080


def test_what_is_periodic_can_run_at_any_time():
    on = scene()
    ana = login(service(on))
    set_state(ana.service, 2)
    jobs.sync_owed(0)
    assert Subscriber.objects.get(pk=ana.pk).cause == 2
    jobs.repair_sessions(0)
    jobs.keep_house(0)


def test_a_learned_password_is_taken_by_its_job_and_room_is_made_for_decisions():
    on = scene()
    options = {"to_be_learned": True, "by": STAFF, "at": clock.now()}
    olga = create_subscriber(service_id=service(on).pk, login="olga", password="", **options)
    sealed = seal_for_radius("omega", f"access_subscriber.secret.{olga.pk}")
    Learned.objects.create(subscriber=olga, nas=on.nas, sealed=sealed)
    jobs.take_learned_passwords(0)
    assert bytes(Subscriber.objects.get(pk=olga.pk).secret) == sealed
    jobs.keep_house(0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"access_decision_{clock.now():%Y%m%d}"])
        assert cursor.fetchone() == (True,)
