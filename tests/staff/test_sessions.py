"""Sessions: seen by their owner, ended by him or an administrator at once, and by a new password; new devices told."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.staff.world import PASSWORD, logged_in, person

from demarc.base import clock
from demarc.staff.devices import device_words
from demarc.staff.models import Device, Session

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1"
HANDLE = re.compile(r'name="end" value="([0-9a-f]{32})" aria-label="End the session of ([^"]+)"')


@pytest.fixture
def ana(pages):
    return person("Super administrator", "ana")


def browser(username: str, agent: str = FIREFOX, address: str = "192.0.2.7", client: Client | None = None) -> Client:
    """A browser in which somebody has logged in."""
    client = client or Client()
    given = {"login": username, "password": PASSWORD}
    answer = client.post("/login/", given, REMOTE_ADDR=address, headers={"User-Agent": agent})
    assert answer["Location"] == "/"
    return client


def listed(client: Client, url: str = "/me/sessions/") -> dict[str, str]:
    """The sessions that the page can end: device to handle."""
    return {device: handle for handle, device in HANDLE.findall(client.get(url).content.decode())}


def letters() -> list[dict]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name="messages.write_to_staff").order_by("id")]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (PHONE, "Safari on an iPhone"),
        ("<script>alert(1)</script>", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_device_is_told_in_our_own_words(agent, words):
    assert device_words(agent) == words


def test_one_sees_where_one_is_logged_in_and_which_is_this_one(ana):
    here = browser("ana")
    browser("ana", CHROME, "198.51.100.4")
    page = here.get("/me/sessions/").content.decode()
    assert list(listed(here)) == ["Chrome on Windows"]
    assert "This one" in page
    assert "198.51.100.4" in page
    assert here.session.session_key not in page, "the page must not hold what opens the session"


def test_a_session_is_ended_at_its_next_click(ana):
    here, there = browser("ana"), browser("ana", CHROME)
    here.post("/me/sessions/", {"end": listed(here)["Chrome on Windows"]})
    assert there.get("/me/").status_code == 302
    assert here.get("/me/").status_code == 200


def test_all_others_are_ended_with_one_button(ana):
    here, others = browser("ana"), [browser("ana", CHROME), browser("ana", PHONE)]
    assert "2 sessions are ended." in here.post("/me/sessions/", {"end": "others"}, follow=True).content.decode()
    assert [one.get("/me/").status_code for one in others] == [302, 302]
    assert here.get("/me/").status_code == 200


def test_nobody_ends_the_session_of_somebody_else_from_his_own_page(ana):
    person("Manager", "mara")
    hers, mine = browser("mara", CHROME), browser("ana")
    foreign = listed(logged_in(ana), f"/signing-in/{Session.objects.get(device='Chrome on Windows').login_id}/")
    mine.post("/me/sessions/", {"end": foreign["Chrome on Windows"]})
    assert hers.get("/me/").status_code == 200


def test_an_administrator_ends_another_s_sessions(ana):
    mara = person("Manager", "mara")
    hers = browser("mara", CHROME)
    boss = logged_in(ana)
    assert "Chrome on Windows" in listed(boss, f"/signing-in/{mara.pk}/")
    boss.post(f"/signing-in/{mara.pk}/", {"end": "all"})
    assert hers.get("/me/").status_code == 302
    assert boss.get("/me/").status_code == 200


def test_somebody_of_another_provider_is_not_even_seen(ana):
    mara = person("Manager", "mara")
    mara.partners.set([cast.partner("One")])
    ana.partners.set([cast.partner("Two")])
    boss = logged_in(ana)
    assert boss.post(f"/signing-in/{mara.pk}/", {"end": "all"}).status_code == 404
    assert "mara" not in boss.get("/signing-in/").content.decode()


def test_a_new_password_ends_all_sessions_but_the_one_it_was_set_in(ana):
    here, there = browser("ana"), browser("ana", CHROME)
    answer = here.post("/me/password/", {"old": PASSWORD, "new": "another horse battery"})
    assert answer["Location"] == "/me/login/"
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302
    assert Session.objects.filter(login=ana).count() == 1


def test_a_session_says_when_it_was_seen_last_and_writes_that_once_a_minute(ana):
    here, began = browser("ana"), clock.now()
    for minutes, expected in ((0.5, 0), (2, 2), (2.5, 2), (4, 4)):
        with time_machine.travel(began + timedelta(minutes=minutes), tick=False):
            here.get("/me/sessions/")
        seen = Session.objects.get(login=ana).seen_at
        assert round((seen - began).total_seconds() / 60) == expected


def test_the_first_device_is_no_news_the_second_is_and_then_it_is_known(ana):
    browser("ana")
    assert letters() == []
    other = browser("ana", CHROME, "198.51.100.4")
    new = Device.objects.get(words="Chrome on Windows")
    assert letters() == [{"kind": "new_device", "login_id": ana.pk, "device_id": new.pk}]
    other.post("/logout/")
    browser("ana", CHROME, "203.0.113.5", client=other)
    assert len(letters()) == 1
    new.refresh_from_db()
    assert new.address == "203.0.113.5"


def test_who_was_away_is_told_of_a_new_device_at_his_next_login(ana):
    here = browser("ana")
    here.post("/logout/")
    browser("ana", CHROME, "198.51.100.4")
    browser("ana", client=here)
    page = here.get("/").content.decode()
    assert "A new device logged in as you since you were here: Chrome on Windows from 198.51.100.4" in page
    here.post("/logout/")
    browser("ana", client=here)
    assert "A new device" not in here.get("/").content.decode()


def test_logging_in_takes_a_session_of_a_new_name(ana):
    client = Client()
    client.get("/login/")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    before = session.session_key
    browser("ana", client=client)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
