"""The second factor: set up with a real app's codes, asked at login, good once, and kept so that nobody can read it."""

import pytest
from django.db import connection
from django.test import Client
from tests.staff.factors import App, app_on, recovery_codes, turned_on
from tests.staff.world import PASSWORD, logged_in, person

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog
from demarc.base.vault import open_for_subject
from demarc.staff import actions
from demarc.staff.models import Role
from demarc.staff.permissions import ALL
from demarc.staff.queries import factors_of, has_second_factor

WRONG = "This code is wrong"


@pytest.fixture
def ana(pages):
    return person("Super administrator", "ana")


def password_given(username: str = "ana", **more: str) -> Client:
    """A browser in which the password was right, and no more."""
    client = Client()
    answer = client.post("/login/", {"login": username, "password": PASSWORD, **more})
    assert answer["Location"] == "/login/code/"
    return client


def everything_stored() -> str:
    """All rows of all tables, as a thief of the database would read them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        said = []
        for name in names:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{name}" t')
            said += [row for (row,) in cursor.fetchall()]
    return "\n".join(said)


def test_who_set_up_an_app_is_asked_for_its_code_and_lands_where_he_was_going(ana):
    app, _ = turned_on(logged_in(ana), ana)
    client = password_given(next="/me/sessions/")
    assert client.get("/me/").status_code == 302, "the password alone opens nothing"
    answer = client.post("/login/code/", {"code": app.shows()})
    assert answer["Location"] == "/me/sessions/"
    assert client.get("/me/").status_code == 200


def test_the_key_is_shown_until_it_is_confirmed_and_never_again(ana):
    client = logged_in(ana)
    app = app_on(client)
    wrong = client.post("/me/login/app/", {"code": "000000"})
    assert wrong.status_code == 422
    assert app_on(client).shows() == app.shows(), "a wrong first code must not change the key in the phone"
    shown = client.post("/me/login/app/", {"code": app.shows()})
    assert len(recovery_codes(shown)) == 10
    assert shown["Cache-Control"] == "no-store"
    assert client.get("/me/login/app/")["Location"] == "/me/login/"


def test_the_qr_code_is_drawn_in_the_page_and_says_what_the_key_says(ana):
    page = logged_in(ana).get("/me/login/app/").content.decode()
    assert '<svg class="qr"' in page
    assert "<img" not in page.split('class="how-to"')[1].split("</ol>")[0]
    assert " style=" not in page


def test_a_code_opens_once_even_for_somebody_who_looked_over_a_shoulder(ana):
    app, _ = turned_on(logged_in(ana), ana)
    code = app.shows()
    assert password_given().post("/login/code/", {"code": code}).status_code == 302
    again = password_given().post("/login/code/", {"code": code})
    assert again.status_code == 422
    assert WRONG in again.content.decode()


def test_the_code_that_set_it_up_does_not_open_the_door_as_well(ana):
    client = logged_in(ana)
    app = app_on(client)
    code = app.shows()
    client.post("/me/login/app/", {"code": code})
    assert password_given().post("/login/code/", {"code": code}).status_code == 422


def test_each_recovery_code_opens_once_whatever_its_capitals_and_dashes(ana):
    _, codes = turned_on(logged_in(ana), ana)
    typed = codes[3].upper().replace("-", " ")
    assert password_given().post("/login/code/", {"code": typed}).status_code == 302
    assert password_given().post("/login/code/", {"code": codes[3]}).status_code == 422
    assert password_given().post("/login/code/", {"code": codes[4]}).status_code == 302
    assert factors_of(ana.pk)["recovery_left"] == 8


def test_new_recovery_codes_void_the_old_ones(ana):
    client = logged_in(ana)
    _, old = turned_on(client, ana)
    fresh = recovery_codes(client.post("/me/login/recovery/"))
    assert len(fresh) == 10
    assert not set(fresh) & set(old)
    assert password_given().post("/login/code/", {"code": old[0]}).status_code == 422
    assert password_given().post("/login/code/", {"code": fresh[0]}).status_code == 302


def test_turned_off_it_is_not_asked_and_its_recovery_codes_are_gone(ana):
    client = logged_in(ana)
    turned_on(client, ana)
    assert client.post("/me/login/app/off/")["Location"] == "/me/login/"
    assert Client().post("/login/", {"login": "ana", "password": PASSWORD})["Location"] == "/"
    assert factors_of(ana.pk)["recovery_left"] == 0


def test_no_secret_of_it_lies_open_in_the_database_nor_in_the_log(ana):
    client = logged_in(ana)
    key = app_key(client)
    app = App(key)
    codes = recovery_codes(client.post("/me/login/app/", {"code": app.shows()}))
    stored = everything_stored()
    assert '"type":"totp"' in stored, "the row itself was looked at"
    for secret in (key, *codes, *(code.replace("-", "") for code in codes)):
        assert secret not in stored


def app_key(client: Client) -> str:
    """The key as the page shows it, without blanks."""
    page = client.get("/me/login/app/").content.decode()
    return page.split('title="Copy">')[1].split("<")[0].replace(" ", "")


def test_the_key_that_waits_in_the_session_is_sealed(ana):
    client = logged_in(ana)
    key = app_key(client)
    assert key not in str(dict(client.session.items()))
    assert "pending_totp" in dict(client.session.items())


def test_guesses_are_counted_and_the_page_says_how_long_to_wait(ana):
    app, _ = turned_on(logged_in(ana), ana)
    client = password_given()
    for _ in range(6):
        assert WRONG in client.post("/login/code/", {"code": "000000"}).content.decode()
    answer = client.post("/login/code/", {"code": app.shows()}).content.decode()
    assert "Too many tries. Try again in 15 minutes." in answer.replace("\xa0", " ")


def test_whose_role_must_have_one_sets_it_up_before_anything_else(ana):
    Role.objects.filter(name="Super administrator").update(second_factor=True)
    client = logged_in(ana)
    for url in ("/", "/customers/", "/me/", "/me/sessions/", "/signing-in/"):
        assert client.get(url)["Location"] == "/me/login/", url
    assert client.post("/me/", {"name": "x"})["Location"] == "/me/login/"
    assert "must have a second factor" in client.get("/me/login/").content.decode()
    turned_on(client, ana)
    assert client.get("/customers/").status_code == 200
    answer = client.post("/me/login/app/off/")
    assert answer.status_code == 422
    assert "this is your last one" in answer.content.decode()
    assert has_second_factor(ana.pk)


def test_an_administrator_takes_a_lost_phone_s_factor_away(ana):
    mara = person("Manager", "mara")
    her = logged_in(mara)
    turned_on(her, mara)
    logged_in(ana).post(f"/signing-in/{mara.pk}/", {"remove": "factors"})
    assert not has_second_factor(mara.pk)
    assert her.get("/me/").status_code == 302, "whoever has the phone is out, too"
    assert Client().post("/login/", {"login": "mara", "password": PASSWORD})["Location"] == "/"


def test_nobody_takes_a_factor_from_somebody_who_may_do_more(ana):
    Role.objects.create(name="Office", permissions=["staff.edit", "roles.edit", "customers.edit"])
    clerk = logged_in(person("Office", "clerk"))
    turned_on(logged_in(ana), ana)
    page = clerk.post(f"/signing-in/{ana.pk}/", {"remove": "factors"}, follow=True).content.decode()
    assert "may do more than you" in page
    assert has_second_factor(ana.pk)


def test_each_step_is_in_the_log_and_no_code_is(ana):
    client = logged_in(ana)
    app, codes = turned_on(client, ana)
    password_given().post("/login/code/", {"code": "123456"})
    used = app.shows()
    password_given().post("/login/code/", {"code": used})
    client.post("/me/login/recovery/")
    client.post("/me/login/app/off/")
    rows = OperationLog.objects.filter(subject_kind="login").exclude(verb="created").order_by("id")
    assert list(rows.values_list("verb", flat=True)) == [
        "second_factor_on",
        "check_code",
        "second_factor_shown",
        "logged_in",
        "new_device",
        "recovery_codes_made",
        "second_factor_off",
    ]
    said = "".join(str(open_for_subject("login", ana.pk, bytes(row.body))) for row in rows if row.body)
    assert '"factor": "app"' in said
    assert not any(secret in said for secret in (*codes, used, "123456"))


def test_a_role_s_demand_is_set_on_a_page(ana):
    client = logged_in(ana)
    wanted = Role.objects.get(name="Engineer")
    assert client.post("/signing-in/roles/", {"roles": [wanted.pk]})["Location"] == "/signing-in/"
    assert list(Role.objects.filter(second_factor=True)) == [wanted]
    assert "Must have a second factor: Engineer" in client.get("/signing-in/").content.decode()
    actions.require_second_factor([], held={ALL}, by=SYSTEM, at=clock.now())
    assert not Role.objects.filter(second_factor=True).exists()


def test_nobody_waives_or_demands_it_for_roles_above_his_own(pages):
    Role.objects.create(name="Personnel", permissions=["roles.edit", "staff.edit", "plans.see"])
    Role.objects.create(name="Below", permissions=["plans.see"])
    Role.objects.filter(name="Manager").update(second_factor=True)
    below, manager = (Role.objects.get(name=name).pk for name in ("Below", "Manager"))
    paul = logged_in(person("Personnel", "paul"))
    for wanted in ([], [manager, Role.objects.get(name="Engineer").pk]):
        answer = paul.post("/signing-in/roles/", {"roles": wanted})
        assert "may do more than you" in answer.content.decode()
        assert list(Role.objects.filter(second_factor=True).values_list("pk", flat=True)) == [manager]
    assert paul.post("/signing-in/roles/", {"roles": [manager, below]}).status_code == 302
    assert Role.objects.get(name="Below").second_factor
