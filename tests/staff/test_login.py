"""Logging in: who may, what a failure tells, how often one may try, and what is written down."""

from datetime import timedelta

import pytest
from django.test import Client
from tests.staff.world import PASSWORD, customer_login, person

from demarc.base import clock
from demarc.base.models import OperationLog, ThrottleWindow
from demarc.base.throttle import Limit, give_back, spend

MISMATCH = "User name and password do not match."


def try_login(client: Client, username: str, password: str = PASSWORD, address: str = "192.0.2.7"):
    return client.post("/login/", {"login": username, "password": password}, REMOTE_ADDR=address)


def log_rows() -> list[tuple[str, str, str]]:
    rows = OperationLog.objects.filter(verb__startswith="log").order_by("id")
    return list(rows.values_list("verb", "actor_label", "result"))


@pytest.fixture
def ana(pages):
    return person("Super administrator", "ana")


def test_staff_log_in_and_out_and_both_are_written_down(ana):
    client = Client()
    assert try_login(client, "ana")["Location"] == "/"
    assert client.get("/").status_code == 200
    client.post("/logout/")
    assert client.get("/").status_code == 302
    assert log_rows() == [("logged_in", "ana", "done"), ("logged_out", "ana", "done")]


def test_after_logging_in_one_is_where_one_wanted_to_be(ana):
    client = Client()
    wanted = client.get("/customers/?status=blocked")["Location"]
    answer = client.post(wanted, {"login": "ana", "password": PASSWORD, "next": "/customers/?status=blocked"})
    assert answer["Location"] == "/customers/?status=blocked"


def test_nobody_is_sent_to_a_foreign_site(ana):
    answer = Client().post(
        "/login/?next=https://evil.example/", {"login": "ana", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/"


def test_a_wrong_password_an_unknown_name_a_customer_and_a_leaver_read_the_same(ana):
    customer_login("ana-portal")
    leaver = person("Manager", "leaver")
    leaver.is_active = False
    leaver.save()
    tries = [("ana", "wrong password"), ("nobody", PASSWORD), ("ana-portal", PASSWORD), ("leaver", PASSWORD)]
    for username, password in tries:
        client = Client()
        answer = try_login(client, username, password)
        assert answer.status_code == 422
        assert MISMATCH in answer.content.decode()
        assert "sessionid" not in client.cookies
        assert client.get("/").status_code == 302
    assert [(verb, label) for verb, label, _ in log_rows()] == [
        ("login_failed", "ana"),
        ("login_failed", "unknown user name"),
        ("login_failed", "ana-portal"),
        ("login_failed", "leaver"),
    ]


def test_a_name_typed_wrongly_is_not_written_down_for_it_may_be_a_password(ana):
    try_login(Client(), "correct horse battery staple")
    assert "correct horse" not in str(list(OperationLog.objects.values()))


def test_the_seventh_try_from_one_place_is_refused_even_with_the_right_password(ana):
    for _ in range(6):
        assert try_login(Client(), "ana", "guess").status_code == 422
    answer = try_login(Client(), "ana")
    assert answer.status_code == 422
    assert "Too many tries" in answer.content.decode()
    assert log_rows()[-1] == ("login_throttled", "ana", "refused")


def test_who_is_locked_out_at_one_place_gets_in_from_another(ana):
    for _ in range(7):
        try_login(Client(), "ana", "guess")
    assert try_login(Client(), "ana", address="198.51.100.9").status_code == 302


def test_good_tries_do_not_count(ana):
    for _ in range(10):
        assert try_login(Client(), "ana").status_code == 302
    assert set(ThrottleWindow.objects.values_list("hits", flat=True)) == {0}


def test_a_window_opens_again_after_its_time(pages):
    now = clock.now()
    limit = Limit("tries", hits=2, window_s=60)
    assert [spend(limit, now) for _ in range(3)] == [True, True, False]
    give_back(limit)
    give_back(limit)
    assert spend(limit, now + timedelta(seconds=30))
    assert not spend(limit, now + timedelta(seconds=30))
    assert spend(limit, now + timedelta(seconds=61))


def test_one_changes_ones_own_password_and_stays_logged_in(ana):
    client = Client()
    try_login(client, "ana")
    weak = client.post("/me/password/", {"old": PASSWORD, "new": "short"})
    assert weak.status_code == 422
    assert "at least 10 characters" in weak.content.decode()
    wrong = client.post("/me/password/", {"old": "not it", "new": "another horse battery"})
    assert "not your present password" in wrong.content.decode()
    assert client.post("/me/password/", {"old": PASSWORD, "new": "another horse battery"}).status_code == 302
    assert client.get("/me/").status_code == 200
    assert try_login(Client(), "ana").status_code == 422
    assert try_login(Client(), "ana", "another horse battery").status_code == 302
