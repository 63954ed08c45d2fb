"""Proof anew: asked before what matters when the last one is old; nothing that was sent is carried out behind it."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from tests.staff.factors import turned_on
from tests.staff.world import PASSWORD, logged_in, person, staff_pages

from demarc.base import clock
from demarc.base.models import OperationLog
from demarc.staff.doors import proven
from demarc.staff.models import Login

LATER = timedelta(minutes=16)
PROVEN_PAGES = {
    "log_keeping",
    "refund",
    "my_email",
    "totp",
    "totp_off",
    "recovery_codes",
    "passkey_add",
    "passkey_remove",
    "signing_in_roles",
    "new_person",
    "person_role",
    "person_rights",
    "switch_person",
    "new_role",
    "edit_role",
    "reset_role",
    "remove_role",
    "view_as",
    "new_token",
    "revoke_token",
}


@pytest.fixture
def ana(pages):
    return person("Super administrator", "ana")


@pytest.fixture
def late(ana):
    """Ana's browser, sixteen minutes after she logged in."""
    client = logged_in(ana)
    with time_machine.travel(clock.now() + LATER):
        yield client


def test_the_pages_that_ask_for_it_are_these():
    assert {one.name for one in staff_pages() if getattr(one.callback, "proven", False)} == PROVEN_PAGES


def test_who_has_just_logged_in_is_not_asked(ana):
    client = Client()
    client.post("/login/", {"login": "ana", "password": PASSWORD})
    assert client.get("/me/email/").status_code == 200


def test_after_a_quarter_of_an_hour_one_is_asked_and_then_is_where_one_was_going(late):
    asked = late.get("/me/login/passkeys/remove/?key=7")
    assert asked["Location"] == "/prove/?next=%2Fme%2Flogin%2Fpasskeys%2Fremove%2F%3Fkey%3D7"
    assert late.get(asked["Location"]).status_code == 200
    assert late.post(asked["Location"], {"password": PASSWORD})["Location"] == "/me/login/passkeys/remove/?key=7"
    assert late.get("/me/email/").status_code == 200


def test_what_was_posted_is_dropped_and_its_page_shown_again(late, ana):
    asked = late.post("/me/email/", {"email": "thief@example.com"}, headers={"Referer": "http://testserver/me/email/"})
    assert asked["Location"] == "/prove/?next=%2Fme%2Femail%2F"
    assert "Nothing was done yet" in late.get(asked["Location"]).content.decode()
    late.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert Login.objects.get(pk=ana.pk).email == ""
    late.post("/me/email/", {"email": "ana@example.com"})
    assert Login.objects.get(pk=ana.pk).email == "ana@example.com"


@pytest.mark.parametrize("referer", ["https://evil.example/x", "", "javascript:alert(1)"])
def test_nobody_is_sent_to_a_foreign_site_afterwards(late, referer):
    assert late.post("/me/email/", headers={"Referer": referer})["Location"] == "/prove/?next=%2F"
    answer = late.post("/prove/?next=//evil.example/", {"password": PASSWORD})
    assert answer["Location"] == "/"


def test_a_wrong_password_proves_nothing_and_is_counted(late):
    for _ in range(6):
        assert "not your password" in late.post("/prove/", {"password": "guess"}).content.decode()
    assert "Too many tries" in late.post("/prove/", {"password": PASSWORD}).content.decode()
    assert late.get("/me/email/").status_code == 302
    assert OperationLog.objects.filter(verb="code_throttled", result="refused").count() == 1


def test_a_code_of_the_app_proves_it_too(ana):
    client = logged_in(ana)
    app, _ = turned_on(client, ana)
    with time_machine.travel(clock.now() + LATER):
        assert client.get("/me/email/").status_code == 302
        assert client.post("/prove/?next=/me/email/", {"code": app.shows()})["Location"] == "/me/email/"
        assert client.get("/me/email/").status_code == 200


def test_an_administrator_s_buttons_ask_as_well(late, ana):
    mara = person("Manager", "mara")
    url = f"/signing-in/{mara.pk}/"
    asked = late.post(url, {"end": "all"}, headers={"Referer": f"http://testserver{url}"})
    assert asked["Location"].startswith("/prove/?next=%2Fsigning-in%2F")
    assert not OperationLog.objects.filter(verb="sessions_ended").exists()


def test_a_clock_set_back_proves_nothing(ana):
    client = logged_in(ana)
    with time_machine.travel(clock.now() - timedelta(hours=1)):
        assert client.get("/me/email/").status_code == 302


def test_a_proof_takes_a_session_of_a_new_name(late):
    before = late.session.session_key
    late.post("/prove/", {"password": PASSWORD})
    assert late.session.session_key != before


def test_a_fragment_of_a_page_leads_the_whole_page_there(ana):
    @proven
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret")

    request = RequestFactory().get("/some/secret/", headers={"HX-Request": "true"})
    request.session = {}
    answer = view(request)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/prove/?next=%2Fsome%2Fsecret%2F")


def test_a_list_is_taken_away_as_a_file_only_after_a_proof(late):
    assert late.get("/customers/?format=csv")["Location"].startswith("/prove/?next=%2Fcustomers%2F")
    assert late.get("/customers/").status_code == 200
