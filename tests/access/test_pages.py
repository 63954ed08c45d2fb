"""The pages of sessions, logins and RADIUS clients."""

from datetime import timedelta

import pytest
from tests import cast
from tests.staff.world import World, logged_in, person, world

from demarc.access import actions as access
from demarc.access import orders
from demarc.access.models import CoaIntent, Nas, SessionLive, SessionLog, Subscriber
from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog
from demarc.network import actions as network
from demarc.network.models import NasAnswers

LOGIN = {"login": "ana-2", "password": "secret word", "simultaneous_limit": "1", "macs": "", "static_ipv4": ""}


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator"))


def test_who_is_online_is_seen_with_address_router_and_age(place, client):
    answer = client.get("/sessions/").content.decode()
    for words in ("ana0", place.customer.name, "172.16.0.10", "North", "data-age"):
        assert words in answer


def test_the_live_part_is_a_fragment_without_a_secret_of_the_page(place, client):
    answer = client.get("/sessions/", headers={"HX-Request": "true"}).content.decode()
    assert "ana0" in answer
    assert "<html" not in answer
    assert "csrf" not in answer.lower()


def test_looking_on_at_a_customer_s_live_part_is_one_row_an_hour(place, client):
    for _ in range(3):
        assert client.get(f"/customers/{place.customer.pk}/live/", headers={"HX-Request": "true"}).status_code == 200
    assert OperationLog.objects.filter(verb="viewed").count() == 1
    assert "ana0" in client.get(f"/customers/{place.customer.pk}/live/").content.decode()


def test_a_session_is_cut_by_asking_its_router(place, client):
    path = f"/sessions/{place.session.pk}/disconnect/"
    assert client.get(path).status_code == 200
    assert not CoaIntent.objects.exists()
    assert client.post(path)["Location"] == f"/customers/{place.customer.pk}/sessions/"
    assert CoaIntent.objects.get().kind == "disconnect"
    assert "disconnect: waiting to be sent" in client.get(f"/customers/{place.customer.pk}/sessions/").content.decode()


def test_a_router_that_takes_no_coa_is_not_asked(place, client):
    Nas.objects.update(coa_enabled=False)
    answer = client.post(f"/sessions/{place.session.pk}/disconnect/")
    assert answer.status_code == 422
    assert "takes no disconnect requests" in answer.content.decode()


def test_a_technician_disconnects_and_cannot_change_a_login(place):
    client = logged_in(person("Technician"))
    assert client.post(f"/sessions/{place.session.pk}/disconnect/").status_code == 302
    assert client.get(f"/services/{place.service.pk}/logins/new/").status_code == 403


def test_a_login_is_made_and_its_password_shown_nowhere(place, client):
    assert client.post(f"/services/{place.service.pk}/logins/new/", LOGIN).status_code == 302
    page = client.get(f"/services/{place.service.pk}/").content.decode()
    assert "ana-2" in page
    assert "secret word" not in page
    assert b"secret word" not in bytes(Subscriber.objects.get(login="ana-2").secret)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"login": "ana0"}, "login", "Show it"),
        ({"static_ipv4": "8.8.8.8"}, "static_ipv4", "8.8.8.8"),
        ({"macs": "not a mac"}, "macs", "is not a MAC address"),
        ({"bind_mac": "on"}, "macs", "Name the MAC"),
        ({"simultaneous_limit": "0"}, "simultaneous_limit", "1"),
        ({"password": ""}, "password", "This field is required"),
    ],
)
def test_a_login_that_cannot_be_is_refused_at_its_field(place, client, changes, field, words):
    answer = client.post(f"/services/{place.service.pk}/logins/new/", LOGIN | changes)
    assert answer.status_code == 422
    assert words in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]


def test_an_address_that_another_holds_names_and_links_the_holder(place, client):
    held = {"static_ipv4": "203.0.113.5", "macs": "00:1A:2B:3C:4D:5E"}
    assert client.post(f"/logins/{place.login.pk}/addresses/", held).status_code == 302
    answer = client.post(f"/services/{place.service.pk}/logins/new/", LOGIN | {"static_ipv4": "203.0.113.5"})
    assert answer.status_code == 422
    assert f'<a href="/services/{place.service.pk}/">Show it</a>' in answer.content.decode()


def test_a_password_is_changed(place, client):
    before = bytes(Subscriber.objects.get(pk=place.login.pk).secret)
    assert client.post(f"/logins/{place.login.pk}/password/", {"password": "another"}).status_code == 302
    assert bytes(Subscriber.objects.get(pk=place.login.pk).secret) != before


def test_a_router_becomes_a_radius_client_and_its_secret_is_not_shown_again(place, client):
    router = network.create_router(partner_id=place.partner.pk, name="New", by=SYSTEM, at=clock.now())
    given = {"address": "192.0.2.1", "secret": "testing456", "block_by": "coa", "coa_port": "3799"}
    given |= {"require_authenticator": "auto", "interim_s": "300", "framed_pool": ""}
    path = f"/routers/{router.pk}/radius/"
    assert client.post(path, given | {"secret": ""}).status_code == 422
    assert client.post(path, given).status_code == 302
    assert "testing456" not in client.get(path).content.decode()
    assert client.post(path, given | {"address": "127.0.1.1"}).status_code == 422
    assert client.post(path, given | {"coa_port": "99999"}).status_code == 422


def test_the_script_names_our_address_and_every_list(place, client):
    answer = client.get(f"/routers/{place.scene.router.pk}/script/?server=10.0.1.158&page_server=10.0.1.158")
    text = answer.content.decode()
    assert "address=10.0.1.158 src-address=127.0.1.1" in text
    assert all(f"src-address-list=Reject_{cause}" in text for cause in range(5))
    assert client.get(f"/routers/{place.scene.router.pk}/script/?server=nonsense").status_code == 422


def test_the_dashboard_names_a_router_that_fell_silent_and_one_that_refused(place, client):
    Nas.objects.update(last_seen_at=clock.now() - timedelta(hours=2))
    client.post(f"/sessions/{place.session.pk}/disconnect/")
    CoaIntent.objects.update(state="nak", error_cause=503)
    answer = client.get("/").content.decode()
    assert "Router North is silent" in answer
    assert "disconnect: refused: 503 no such session" in answer


def test_a_session_of_nobody_we_know_is_shown_and_breaks_nothing(place, client):
    SessionLive.objects.update(subscriber=None, service=None)
    assert "Not known" in client.get("/sessions/").content.decode()
    assert client.get(f"/sessions/{place.session.pk}/disconnect/").status_code == 200


def test_a_new_installation_is_told_the_first_steps(pages):
    cast.partner("New")
    answer = logged_in(person("Super administrator")).get("/").content.decode()
    for words in ("There is no plan yet", "There is no router yet", "There is no customer yet"):
        assert words in answer


def test_what_a_router_refused_is_shown_with_its_reason_and_told_once_more(place, client):
    intent = place.refused
    path = f"/sessions/orders/{intent.pk}/retry/"
    page = client.get("/sessions/orders/").content.decode()
    assert "Disconnect: refused: 501 administratively prohibited" in page
    assert path in page
    assert path in client.get(f"/customers/{place.customer.pk}/sessions/").content.decode()
    assert client.get(path).status_code == 200
    assert CoaIntent.objects.count() == 1
    assert client.post(path)["Location"] == f"/customers/{place.customer.pk}/sessions/"
    again = CoaIntent.objects.latest("id")
    assert (again.kind, again.state, again.tries) == ("disconnect", "queued", 0)
    assert client.post(path).status_code == 422  # it was told something newer since
    assert OperationLog.objects.filter(verb="order_retried").count() == 1


def test_a_technician_may_tell_once_more_and_an_accountant_may_not(place):
    path = f"/sessions/orders/{place.refused.pk}/retry/"
    assert logged_in(person("Financial manager")).post(path).status_code == 403
    assert logged_in(person("Technician")).post(path).status_code == 302


def test_the_customer_s_page_says_how_soon_the_router_confirmed(place, client):
    intent = place.refused
    for state, seen, words in (
        ("ack", None, "disconnect: router confirmed 1.2 s after"),
        ("confirmed", 3, "router confirmed 1.2 s after, seen in accounting 3.0 s after"),
        ("ignored", None, "accounting shows that it did not do it"),
    ):
        CoaIntent.objects.update(
            state=state, answered_at=intent.created_at + timedelta(seconds=1.2),
            confirmed_at=seen and intent.created_at + timedelta(seconds=seen),
        )  # fmt: skip
        assert words in client.get(f"/customers/{place.customer.pk}/live/").content.decode()


def test_sessions_that_we_ended_are_told_from_those_we_did_not(place, client):
    now = clock.now()
    for number, ending in enumerate(("stop", "stop", "stale")):
        SessionLog.objects.create(
            id=number + 1, nas_id=place.scene.nas.pk, boot_epoch=1, session_id=f"e{number}", user_name="ana0",
            partner_id=place.partner.pk, started_at=now - timedelta(hours=1), ended_at=now, calling_station="",
            called_station="", nas_port_id="", vrf=0, session_time_s=1, input_octets=0, output_octets=0,
            terminate_cause=6, ending=ending,
        )  # fmt: skip
    CoaIntent.objects.create(
        nas=place.scene.nas, node="main", kind="disconnect", session_id="e0", user_name="ana0", state="confirmed",
        sent_at=now,
    )  # fmt: skip
    (hour,) = orders.ended_sessions(None)
    assert (hour.router, hour.by_us, hour.by_others, hour.silent) == ("North", 1, 1, 1)
    assert orders.ended_sessions([place.partner.pk + 1]) == []
    assert "Who ended sessions" in client.get("/sessions/orders/").content.decode()


def answers_of(place, make: str) -> str:
    return f"/settings/{place.partner.pk}/answers/{make}/"


TEMPLATES = {"block": "list", "second": "replace", "online": "Cisco-AVPair = up={up_bps}", "blocked": "",
             "coa_block": "", "coa_restore": ""}  # fmt: skip


def test_a_provider_writes_what_a_make_is_told_and_radiusd_hears_of_it(place, client):
    path = answers_of(place, "cisco")
    assert client.post(path, TEMPLATES)["Location"] == path
    made = NasAnswers.objects.get()
    assert (made.nas_type, made.online, made.second) == ("cisco", "Cisco-AVPair = up={up_bps}", "replace")
    assert access.publish_policy(place.partner.pk, at=clock.now()).body["answers"]["cisco"]["second"] == "replace"
    assert client.post(f"{path}reset/")["Location"] == path
    assert not NasAnswers.objects.exists()


def test_a_template_that_no_router_could_be_told_is_refused_at_its_field(place, client):
    answer = client.post(answers_of(place, "cisco"), TEMPLATES | {"blocked": "Filter-Id = {nothing}"})
    assert answer.status_code == 422
    assert "Line 1: there is no variable {nothing}." in answer.content.decode()
    assert not NasAnswers.objects.exists()


def test_the_preview_fills_in_a_real_customer_and_saves_nothing(place, client):
    path = answers_of(place, "mikrotik")
    page = client.get(path).content.decode()
    assert f"Mikrotik-Rate-Limit = {place.login.rate_limit}" in page
    assert "Mikrotik-Address-List = Reject_2" in page
    typed = {"online": "Filter-Id = {login}-{down_kbps}", "blocked": "Filter-Id = {oops}", "customer_login": "ana"}
    shown = client.post(f"{path}preview/", typed).content.decode()
    assert f"Filter-Id = ana0-{place.login.down_kbps}" in shown
    assert "there is no variable {oops}" in shown
    assert "Disconnect-Request: the session is cut" in shown
    assert not NasAnswers.objects.exists()


def test_the_preview_shows_no_customer_of_another_provider(place, client):
    other = world("Other", number=1)
    path = answers_of(place, "mikrotik")
    shown = client.post(f"{path}preview/", {"online": "Filter-Id = {login}", "customer_login": other.login.login})
    assert other.login.login + "<" not in shown.content.decode()
    assert "made-up" in shown.content.decode()


def test_a_make_that_there_is_not_has_no_page(place, client):
    assert client.get(answers_of(place, "toaster")).status_code == 404
