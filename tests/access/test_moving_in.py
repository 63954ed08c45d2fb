"""Moving in from another RADIUS server: its settings, the passwords it teaches, and what its page tells."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from tests.access.scene import decided, login, scene, service
from tests.cast import AT, STAFF
from tests.staff.world import logged_in, person, world

from demarc.access import actions
from demarc.access.models import Decision, Feed, Learned, MovingIn, Subscriber
from demarc.base import clock
from demarc.base.models import OperationLog
from demarc.base.seal import Opener
from demarc.base.vault import keys_directory, seal_for_radius
from demarc.core.errors import Refused
from demarc.network import actions as network

pytestmark = pytest.mark.django_db

OLD = {"host": "192.0.2.9", "auth_port": 1812, "acct_port": 1813, "timeout_ms": 2000, "learn": True}


def opened(sealed: bytes, place: str) -> bytes:
    return Opener((keys_directory() / "radius.key").read_bytes()).open(sealed, place)


def save(on, mode="unknown", secret="old secret", **facts) -> MovingIn:
    return actions.save_moving_in(
        router_id=on.router.pk, mode=mode, secret=secret, by=STAFF, at=AT, **OLD | facts
    )  # fmt: skip


def test_the_old_servers_secret_is_sealed_kept_and_in_no_log():
    on = scene()
    moving = save(on)
    save(on, secret="", timeout_ms=500)
    kept = MovingIn.objects.get()
    assert opened(bytes(kept.secret), f"access_movingin.secret.{moving.pk}") == b"old secret"
    assert (kept.timeout_ms, kept.mode) == (500, "unknown")
    assert OperationLog.objects.filter(verb="moving_in_saved").count() == 2
    assert Feed.objects.filter(kind="nas", key=on.nas.pk).count() == 3


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"host": "radius.example.net"}, "host"),
        ({"host": ""}, "host"),
        ({"host": "127.0.1.1"}, "host"),
        ({"host": "0.0.0.0"}, "host"),
        ({"secret": ""}, "secret"),
        ({"mode": "shout"}, "mode"),
        ({"auth_port": 0}, "auth_port"),
        ({"acct_port": 70000}, "acct_port"),
        ({"timeout_ms": 100}, "timeout_ms"),
        ({"timeout_ms": 60000}, "timeout_ms"),
    ],
)
def test_nonsense_is_refused_at_its_field(facts, field):
    with pytest.raises(Refused) as refused:
        save(scene(), **facts)
    assert refused.value.field == field
    assert not MovingIn.objects.exists()


def test_to_listen_needs_no_server():
    assert save(scene(), mode="listen", secret="", host="").host is None


def test_a_router_that_is_no_client_is_refused():
    on = scene()
    south = network.create_router(partner_id=on.partner.pk, name="South", by=STAFF, at=AT)
    with pytest.raises(Refused):
        actions.save_moving_in(router_id=south.pk, mode="listen", secret="", by=STAFF, at=AT)


def test_the_database_refuses_what_the_action_would():
    save(scene())
    for change in ({"timeout_ms": 1}, {"auth_port": 0}, {"mode": "hm"}, {"host": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            MovingIn.objects.update(**change)


# --- learning ---


def to_learn(on, name="olga") -> Subscriber:
    options = {"to_be_learned": True, "by": STAFF, "at": AT}
    return actions.create_subscriber(service_id=service(on, name).pk, login=name, password="", **options)


def taught(on, of: Subscriber, password="omega") -> Learned:
    sealed = seal_for_radius(password, f"access_subscriber.secret.{of.pk}")
    return Learned.objects.create(subscriber=of, nas=on.nas, sealed=sealed)


def test_a_login_may_be_made_without_a_password_only_when_it_is_to_be_learned():
    on = scene()
    assert bytes(to_learn(on).secret) == b""
    with pytest.raises(Refused) as refused:
        actions.create_subscriber(service_id=service(on).pk, login="bob", password="", by=STAFF, at=AT)
    assert refused.value.field == "password"


def test_a_learned_password_becomes_the_logins_and_is_logged_without_its_words():
    on = scene()
    olga = to_learn(on)
    taught(on, olga)
    assert actions.take_learned_passwords(at=AT) == 1
    olga.refresh_from_db()
    assert opened(bytes(olga.secret), f"access_subscriber.secret.{olga.pk}") == b"omega"
    assert olga.learned_at is not None
    assert not Learned.objects.exists()
    row = OperationLog.objects.get(verb="password_learned")
    assert row.subject_id == olga.service.customer_id
    assert Feed.objects.filter(kind="subscriber", key=olga.pk).exists()


def test_one_who_has_a_password_keeps_it_whatever_was_learned():
    on = scene()
    ana = login(service(on))
    before = bytes(ana.secret)
    taught(on, ana, "something else")
    assert actions.take_learned_passwords(at=AT) == 0
    assert bytes(Subscriber.objects.get(pk=ana.pk).secret) == before
    assert not Learned.objects.exists()
    assert not OperationLog.objects.filter(verb="password_learned").exists()


# --- decisions kept for a week ---


def days() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'access_decision'::regclass AND c.relname <> 'access_decision_rest'"
        )
        return {name for (name,) in cursor.fetchall()}


def test_days_are_made_ahead_and_dropped_after_a_week_with_what_is_in_them():
    on, now = scene(), clock.now()
    old = decided(on.nas, "long ago", at=now - timedelta(days=9))
    fresh = decided(on.nas, "today", at=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_make_decision_day(%s)", [old.at.date()])
    actions.keep_decisions(at=now)
    expected = {(now + timedelta(days=ahead)).strftime("%Y%m%d") for ahead in range(3)}
    assert days() == expected
    assert list(Decision.objects.values_list("login", flat=True)) == [fresh.login]
    assert actions.keep_decisions(at=now) == 0
    assert OperationLog.objects.filter(verb="decision_days_kept").count() == 1


def test_a_clock_that_went_wrong_does_not_empty_the_table():
    on, now = scene(), clock.now()
    decided(on.nas, "today", at=now)
    actions.keep_decisions(at=now)
    actions.keep_decisions(at=now + timedelta(days=400))
    assert Decision.objects.filter(login="today").exists()


# --- pages ---


@pytest.fixture
def place(pages):
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator"))


def test_the_old_server_is_named_on_a_page_and_its_secret_not_shown_again(place, client):
    path = f"/routers/{place.scene.router.pk}/moving/"
    given = {"mode": "unknown", "host": " 192.0.2.9 ", "secret": "old secret", "learn": "on"}
    given |= {"auth_port": "1812", "acct_port": "1813", "timeout_ms": "2000"}
    assert client.post(path, given | {"secret": ""}).status_code == 422
    assert client.post(path, given).status_code == 302
    page = client.get(path).content.decode()
    assert "192.0.2.9" in page
    assert "old secret" not in page
    assert "192.0.2.9" in client.get(f"/routers/{place.scene.router.pk}/").content.decode()


def test_the_page_tells_who_is_answered_by_whom_and_whom_nobody_knows(place, client):
    nas = place.scene.nas
    save(place.scene)
    to_learn(place.scene)
    old = {"found": "none", "credentials": "unknown", "answered_by": "old", "why": "It answered"}
    decided(nas, "stran\u202eger", **old)
    decided(nas, "stran\u202eger", **old | {"outcome": "silent"})
    decided(nas, "ana0", subscriber_id=place.login.pk, answered_by="old", differs=["Speed: ours 5; theirs 6"])
    page = client.get("/radius/moving/").content.decode()
    for words in ("192.0.2.9", "stran⟨U+202E⟩ger", "Speed: ours 5; theirs 6", "Pass on those we do not know"):
        assert words in page
    assert "\u202e" not in page
    assert '<td class="num" data-label="No answer">1</td>' in page
    assert "Passwords to learn" in page


def test_another_partner_s_moving_in_is_not_seen(place):
    other = world("Other", number=1)
    save(other.scene, host="192.0.2.77")
    decided(other.scene.nas, "theirs", found="none", answered_by="old")
    viewer = person("Technician")
    viewer.partners.add(place.partner)
    page = logged_in(viewer).get("/radius/moving/").content.decode()
    assert "192.0.2.77" not in page
    assert "theirs" not in page


def test_a_login_is_made_on_a_page_without_its_password(place, client):
    given = {"login": "olga", "password": "", "simultaneous_limit": "1", "macs": "", "static_ipv4": ""}
    path = f"/services/{place.service.pk}/logins/new/"
    assert client.post(path, given).status_code == 422
    assert client.post(path, given | {"to_be_learned": "on"}).status_code == 302
    assert bytes(Subscriber.objects.get(login="olga").secret) == b""
