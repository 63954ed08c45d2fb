"""Why somebody was answered so, on pages; and the past under other rules."""

from datetime import timedelta

import pytest
from tests.access.scene import decided
from tests.staff.world import World, logged_in, person, world

from demarc.access.models import Decision
from demarc.base import clock
from demarc.base.models import OperationLog

RUN = {"hours": "24", "requests": "100", "preset": "", "session_limit": ""}


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator"))


def listed(client, **picked) -> str:
    return client.get("/radius/decisions/", picked).content.decode()


def test_a_decision_is_listed_and_its_steps_are_told(place, client):
    assert "ana0" in listed(client)
    page = client.get(f"/radius/decisions/{place.decision.pk}/").content.decode()
    for words in ("North, known by its address", "PAP: the password is right", "Not blocked", "a pool of ours: 172.16",
                  "Framed-IP-Address = 172.16.0.10", place.customer.name):  # fmt: skip
        assert words in page
    assert OperationLog.objects.filter(verb="viewed", subject_id=place.customer.pk).count() == 1


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"found": "none", "credentials": "unknown", "cause": 0, "outcome": "reject"}, "Nobody&#x27;s here"),
        ({"found": "domain"}, "Found without the domain in front"),
        ({"credentials": "fail", "cause": 4, "outcome": "reject"}, "PAP: the password is wrong"),
        ({"method": "mschap2", "needs_proof": True}, "MS-CHAPv2: the password is right. An Accept must prove"),
        ({"mac_rule": "other", "cause": 3, "outcome": "limited"}, "Not one of the login&#x27;s"),
        ({"cause": 2, "outcome": "limited"}, "Blocked: no money"),
        ({"others": 2, "outcome": "reject"}, "2 others are on; 1 at once is the limit"),
        ({"answered_by": "nobody"}, "None was sent, we only listen"),
        ({"answered_by": "old", "why": "It answered", "old": ["Reply-Message = Hi"]}, "Reply-Message = Hi"),
        ({"credentials": "noise", "outcome": "silent"}, "as when the secrets differ"),
        ({"differs": ["Speed: ours 1; theirs 2"]}, "Speed: ours 1; theirs 2"),
    ],
)
def test_each_step_says_what_was_found(place, client, facts, words):
    one = decided(place.scene.nas, "who", **facts)
    assert words in client.get(f"/radius/decisions/{one.pk}/").content.decode()


def test_what_came_from_outside_is_escaped_and_made_visible(place, client):
    evil = "<script>\u202eevil\x07"
    one = decided(place.scene.nas, evil, port="\u200bport", sent=["Reply-Message = <b>\u2066"], why="\u202ewhy")
    for page in (listed(client), client.get(f"/radius/decisions/{one.pk}/").content.decode()):
        assert "&lt;script&gt;⟨U+202E⟩evil⟨U+0007⟩" in page
        assert not {"\u202e", "\x07", "\u200b", "\u2066"} & set(page)
        assert "<script>⟨" not in page


def test_they_are_found_by_login_router_answer_by_whom_and_time(place, client):
    nas = place.scene.nas
    decided(nas, "rejected-one", outcome="reject")
    decided(nas, "old-one", answered_by="old", differs=["Speed"])
    decided(nas, "two-days-ago", at=clock.now() - timedelta(days=2))
    everybody = ("ana0", "rejected-one", "old-one", "two-days-ago")
    for picked, found in (
        ({}, set(everybody)),
        ({"q": "rejected"}, {"rejected-one"}),
        ({"q": "172.16.0.10", "outcome": "reject"}, {"rejected-one"}),
        ({"q": "02:00:00:00:00:01", "by": "old"}, {"old-one"}),
        ({"outcome": "reject"}, {"rejected-one"}),
        ({"by": "old"}, {"old-one"}),
        ({"differs": "yes"}, {"old-one"}),
        ({"time": "day"}, {"ana0", "rejected-one", "old-one"}),
        ({"time": "hour"}, {"ana0", "rejected-one", "old-one"}),
        ({"router": str(place.scene.router.pk)}, set(everybody)),
    ):
        page = listed(client, **picked)
        assert {name for name in everybody if f">{name}<" in page} == found, picked


def test_the_file_of_them_holds_no_control_character(place, client):
    decided(place.scene.nas, "=cmd()\u202e")
    text = b"".join(client.get("/radius/decisions/?format=csv").streaming_content).decode()
    assert "'=cmd()⟨U+202E⟩" in text


def test_those_of_another_partner_are_not_there(place):
    other = world("Other", number=1)
    viewer = person("Technician")
    viewer.partners.add(place.partner)
    client = logged_in(viewer)
    assert "ana1" not in listed(client)
    assert client.get(f"/radius/decisions/{other.decision.pk}/").status_code == 404
    assert client.post("/radius/shadow/", RUN | {"nas_id": other.scene.nas.pk}).status_code == 422


# --- the past under other rules ---


def test_the_same_rules_change_nothing_and_nothing_is_changed_by_looking(place, client):
    before = list(Decision.objects.values())
    page = client.post("/radius/shadow/", RUN | {"nas_id": place.scene.nas.pk}).content.decode()
    assert "0 answers of 1 through North would change" in page
    assert list(Decision.objects.values()) == before
    assert OperationLog.objects.filter(verb="shadow_run").count() == 1


def test_a_wrong_password_let_into_the_reject_pool_is_listed(place, client):
    facts = {"credentials": "fail", "cause": 4, "outcome": "reject", "subscriber_id": place.login.pk}
    decided(place.scene.nas, "ana0", **facts)
    page = client.post("/radius/shadow/", RUN | {"nas_id": place.scene.nas.pk, "cause_4": "pool"}).content.decode()
    assert "1 answer of 2 through North would change" in page
    assert "Rejected. The password is wrong." in page
    assert "Accepted in Reject_4, address from the reject pool of the cause, page 8104." in page


def test_another_table_moves_only_the_page_and_that_is_listed_too(place, client):
    facts = {"credentials": "fail", "cause": 4, "outcome": "reject", "subscriber_id": place.login.pk}
    decided(place.scene.nas, "ana0", **facts)
    both = {"nas_id": place.scene.nas.pk, "cause_4": "pool", "preset": "splynx"}
    assert "page 8103." in client.post("/radius/shadow/", RUN | both).content.decode()


def test_a_lower_number_of_sessions_turns_away_the_second(place, client):
    type(place.login).objects.update(simultaneous_limit=3)
    decided(place.scene.nas, "ana0", others=1, subscriber_id=place.login.pk)
    page = client.post("/radius/shadow/", RUN | {"nas_id": place.scene.nas.pk, "session_limit": "1"}).content.decode()
    assert "1 answer of 2 through North would change" in page
    assert "Already online: 1 of 1 sessions." in page


def test_nonsense_is_refused_and_a_look_runs_nothing(place, client):
    run = RUN | {"nas_id": place.scene.nas.pk}
    for change in ({"hours": "1000"}, {"requests": "0"}, {"session_limit": "0"}, {"preset": "x"}, {"cause_1": "x"}):
        assert client.post("/radius/shadow/", run | change).status_code == 422
    assert "through North" not in client.get("/radius/shadow/", run).content.decode()
