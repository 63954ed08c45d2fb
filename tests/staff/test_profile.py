"""One's own profile: name, zone, language, address; and a forgotten password, which tells nobody who works here."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.staff.factors import turned_on
from tests.staff.world import PASSWORD, customer_login, logged_in, person

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog
from demarc.core.errors import Refused
from demarc.staff import actions
from demarc.staff.models import Login, ResetCode

NEW = "another horse battery"


@pytest.fixture
def ana(pages):
    made = person("Super administrator", "ana")
    Login.objects.filter(pk=made.pk).update(email="ana@example.com")
    return made


def code_for(login: Login, at=None) -> str:
    return actions.make_reset_code(login.pk, by=SYSTEM, at=at or clock.now())


def asked(named: str) -> tuple[int, str, int]:
    """What the page answers, where it leads, and how many letters wait."""
    answer = Client().post("/forgotten/", {"named": named})
    waiting = ProcrastinateJob.objects.filter(task_name="messages.write_to_staff").count()
    return answer.status_code, answer["Location"], waiting


def test_one_sets_ones_own_name_zone_and_language(ana):
    client = logged_in(ana)
    client.post("/me/", {"name": "Ana Öz", "zone": "America/Argentina/Ushuaia", "language": "es"})
    ana.refresh_from_db()
    assert (ana.name, ana.zone, ana.language) == ("Ana Öz", "America/Argentina/Ushuaia", "es")
    page = client.get("/me/").content.decode()
    assert '<option value="America/Argentina/Ushuaia" selected>' in page
    client.post("/me/", {"name": "Ana Öz", "zone": "", "language": "en"})
    assert Login.objects.get(pk=ana.pk).zone == ""


@pytest.mark.parametrize("given", [{"zone": "Mars/Base"}, {"language": "xx"}, {"name": "x" * 151}])
def test_what_is_no_zone_language_or_name_is_refused(ana, given):
    assert logged_in(ana).post("/me/", {"name": "Ana", "zone": "", "language": "en"} | given).status_code == 422
    assert Login.objects.get(pk=ana.pk).name == ""


def test_nobody_gives_himself_a_role_by_adding_fields_to_the_form(ana):
    clerk = person("Cashier", "clerk")
    more = {"role": ana.role_id, "email": "x@example.com", "kind": "customer", "username": "root", "is_active": ""}
    logged_in(clerk).post("/me/", {"name": "C", "zone": "", "language": "en", **more})
    clerk.refresh_from_db()
    assert (clerk.role.name, clerk.email, clerk.kind, clerk.username) == ("Cashier", "", "staff", "clerk")


@pytest.mark.parametrize(("weak", "why"), [("short", "at least 10"), ("1234567890", "that everybody uses")])
def test_a_weak_password_is_refused_with_the_reason(ana, weak, why):
    answer = logged_in(ana).post("/me/password/", {"old": PASSWORD, "new": weak})
    assert answer.status_code == 422
    assert why in answer.content.decode()


def test_a_password_of_64_characters_and_blanks_is_taken_as_it_is(ana):
    long = f" {'correct horse ' * 5} "
    assert logged_in(ana).post("/me/password/", {"old": PASSWORD, "new": long}).status_code == 302
    assert Login.objects.get(pk=ana.pk).check_password(long)


def test_a_forgotten_password_reads_the_same_for_those_who_work_here_and_others(ana):
    customer_login()
    leaver = person("Manager", "leaver")
    Login.objects.filter(pk=leaver.pk).update(email="leaver@example.com", is_active=False)
    same = (302, "/forgotten/code/")
    for named, letters in (
        ("nobody", 0),
        ("ana-portal", 0),
        ("leaver@example.com", 0),
        ("ana", 1),
        ("ANA@example.com", 2),
    ):
        assert asked(named) == (*same, letters), named


def test_nobody_s_mailbox_is_flooded(ana):
    assert [asked("ana")[2] for _ in range(5)] == [1, 2, 3, 3, 3]


def test_a_mailed_code_sets_the_password_once_and_ends_every_session(ana):
    there, code = logged_in(ana), code_for(ana)
    answer = Client().post("/forgotten/code/", {"code": code.upper().replace("-", " "), "new": NEW})
    assert answer["Location"] == "/login/"
    assert there.get("/me/").status_code == 302
    assert Client().post("/login/", {"login": "ana", "password": NEW})["Location"] == "/"
    again = Client().post("/forgotten/code/", {"code": code, "new": "a third horse battery"})
    assert "was used" in again.content.decode()


def test_a_code_dies_after_half_an_hour_and_when_a_newer_one_is_made(ana):
    old = code_for(ana)
    code = code_for(ana)
    with pytest.raises(Refused, match="wrong"):
        actions.reset_password(old, NEW, by=SYSTEM, at=clock.now())
    with time_machine.travel(clock.now() + timedelta(minutes=31)), pytest.raises(Refused, match="half an hour"):
        actions.reset_password(code, NEW, by=SYSTEM, at=clock.now())
    assert actions.reset_password(code, NEW, by=SYSTEM, at=clock.now()).pk == ana.pk


def test_a_weak_password_does_not_use_the_code_up(ana):
    code = code_for(ana)
    assert Client().post("/forgotten/code/", {"code": code, "new": "password123"}).status_code == 422
    assert Client().post("/forgotten/code/", {"code": code, "new": NEW}).status_code == 302


def test_a_code_for_somebody_who_left_meanwhile_opens_nothing(ana):
    code = code_for(ana)
    Login.objects.filter(pk=ana.pk).update(is_active=False)
    with pytest.raises(Refused):
        actions.reset_password(code, NEW, by=SYSTEM, at=clock.now())


def test_a_new_password_by_mail_does_not_step_over_the_second_factor(ana):
    turned_on(logged_in(ana), ana)
    Client().post("/forgotten/code/", {"code": code_for(ana), "new": NEW})
    answer = Client().post("/login/", {"login": "ana", "password": NEW})
    assert answer["Location"] == "/login/code/"


def test_codes_are_guessed_at_six_times_and_no_more(ana):
    for _ in range(6):
        assert Client().post("/forgotten/code/", {"code": "aaaa", "new": NEW}).status_code == 422
    answer = Client().post("/forgotten/code/", {"code": code_for(ana), "new": NEW})
    assert "Too many tries" in answer.content.decode()
    assert Login.objects.get(pk=ana.pk).check_password(PASSWORD)


def test_the_code_is_kept_nowhere(ana):
    code = code_for(ana)
    letters = code.replace("-", "")
    kept = str(list(ResetCode.objects.values())) + str(list(OperationLog.objects.values()))
    assert code not in kept
    assert letters not in kept
