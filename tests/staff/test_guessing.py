"""Guessing: stopped where it is done, and never a way to shut the owner of a login out."""

import pytest
from django.test import Client
from tests.staff.world import PASSWORD, person

from demarc.base.models import OperationLog

TOO_MANY = "Too many tries. Try again in 15 minutes."


@pytest.fixture
def ana(pages):
    return person("Super administrator", "ana")


def tried(client: Client, address: str, password: str = "guess"):
    return client.post("/login/", {"login": "ana", "password": password}, REMOTE_ADDR=address)


def words(answer) -> str:
    return answer.content.decode().replace("\xa0", " ")


def test_the_seventh_guess_is_told_how_long_to_wait(ana):
    for _ in range(6):
        tried(Client(), "192.0.2.7")
    assert TOO_MANY in words(tried(Client(), "192.0.2.7", PASSWORD))


def test_a_thousand_guesses_from_one_network_leave_every_other_one_open(ana):
    """Guesses that are turned away used to count against the name everywhere."""
    for _ in range(100):
        tried(Client(), "192.0.2.7")
    assert tried(Client(), "198.51.100.9", PASSWORD).status_code == 302


def guessed_from_everywhere() -> None:
    """Somebody with many networks uses up what the name may be tried from strange ones."""
    for network in range(11):
        for _ in range(6):
            tried(Client(), f"203.0.113.{network}")
    assert "Too many tries" in words(tried(Client(), "203.0.113.99", PASSWORD))


def test_a_browser_that_is_known_gets_in_from_anywhere_whoever_guesses(ana):
    laptop = Client()
    assert tried(laptop, "192.0.2.7", PASSWORD).status_code == 302
    laptop.post("/logout/")
    guessed_from_everywhere()
    assert tried(laptop, "203.0.113.98", PASSWORD).status_code == 302


def test_a_new_browser_gets_in_from_a_network_where_its_owner_was_before(ana):
    assert tried(Client(), "192.0.2.7", PASSWORD).status_code == 302
    guessed_from_everywhere()
    assert tried(Client(), "192.0.2.7", PASSWORD).status_code == 302


def test_guesses_beside_it_do_not_stop_a_known_browser_of_the_same_network(ana):
    laptop = Client()
    tried(laptop, "192.0.2.7", PASSWORD)
    laptop.post("/logout/")
    for _ in range(10):
        tried(Client(), "192.0.2.7")
    assert tried(laptop, "192.0.2.7", PASSWORD).status_code == 302


def test_a_known_browser_may_not_guess_for_ever_either(ana):
    laptop = Client()
    tried(laptop, "192.0.2.7", PASSWORD)
    laptop.post("/logout/")
    for _ in range(10):
        tried(laptop, "192.0.2.7")
    assert "Too many tries" in words(tried(laptop, "192.0.2.7", PASSWORD))


def test_the_cookie_of_one_person_s_browser_is_worth_nothing_for_another_s_login(ana):
    person("Manager", "mara")
    laptop = Client()
    laptop.post("/login/", {"login": "mara", "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    laptop.post("/logout/")
    for _ in range(6):
        tried(laptop, "192.0.2.7")
    assert TOO_MANY in words(tried(laptop, "192.0.2.7", PASSWORD))
    assert OperationLog.objects.filter(verb="login_throttled").exists()
