"""The demo ISP: the same people for the same seed, a life of thirty days, and books that balance."""

from collections import Counter

import pytest

from demarc.access.models import SessionLive, Subscriber, Usage
from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.billing import check
from demarc.billing.models import DayDecision, PrepaidState
from demarc.core.errors import Refused
from demarc.customers.models import Customer
from demarc.plans.models import Service
from demarc.project.demo import fill
from demarc.project.demo.people import people
from demarc.project.demo.provider import private_network


def test_the_same_seed_gives_the_same_people():
    assert list(people(300, 7)) == list(people(300, 7))
    assert list(people(300, 7)) != list(people(300, 8))


def test_three_of_ten_are_prepaid_and_some_of_them_are_guests():
    kinds = Counter((person.prepaid, person.vacation) for person in people(4000, 1))
    prepaid = kinds[True, False] + kinds[True, True]
    assert 0.27 < prepaid / 4000 < 0.33
    assert 0.03 < kinds[True, True] / 4000 < 0.07


def test_two_concentrators_hold_everybody_when_the_third_fails():
    for customers in (1000, 20_000, 100_000):
        networks = [private_network(number, customers) for number in range(3)]
        assert len(set(networks)) == 3
        size = 2 ** (32 - int(networks[0].partition("/")[2]))
        assert size * 2 >= customers


@pytest.fixture
def filled(transactional_db, cluster, monkeypatch):
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DEMARC_DATA", str(cluster.config.data))
    monkeypatch.setenv("DEMARC_DATABASE_RADIUS_URL", cluster.environment()["DEMARC_RADIUS_URL"])
    return list(fill(by=SYSTEM, at=clock.now(), customers=80))


def test_thirty_days_leave_people_online_blocked_and_running_out_and_clean_books(filled):
    assert any("Demo logins" in line for line in filled)
    assert Customer.objects.count() == 80
    ana, ben = (Subscriber.objects.get(login=login) for login in ("ana", "ben"))
    assert (ana.cause, ben.cause) == (None, 2)
    assert ben.owed > 0
    assert SessionLive.objects.count() > 30
    assert Usage.objects.filter(service=ana.service).count() >= 25
    assert DayDecision.objects.filter(account=ana.service.account, decision="charged").count() == 30
    assert set(Customer.objects.values_list("status", flat=True)) >= {"active", "blocked"}
    assert not PrepaidState.objects.filter(parked_at__isnull=False).exists()
    assert Service.objects.get(pk=ben.service_id).blocked_cause == 2
    assert check.run() == []
    with pytest.raises(Refused, match="demo"):
        list(fill(by=SYSTEM, at=clock.now()))
