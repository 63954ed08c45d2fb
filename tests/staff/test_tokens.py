"""API tokens on their pages: narrowed, shown once, and never more than who makes them."""

import re

import pytest
from tests.project.api_scene import Program
from tests.staff.world import logged_in, person, words

from demarc.base import clock
from demarc.base.models import OperationLog, Partner
from demarc.base.vault import open_for_subject
from demarc.staff.models import ApiToken, Role

pytestmark = pytest.mark.usefixtures("pages")

TEXT = re.compile(r"demarc_[\w-]{43}")


@pytest.fixture
def sara():
    return logged_in(person("Super administrator", "sara"))


def role_id(name):
    return Role.objects.get(name=name).pk


def test_a_token_is_made_with_its_limits_and_its_text_is_shown_once(sara):
    partner = Partner.objects.create(name="Sold on", zone="UTC", currency="EUR")
    given = {
        "name": "Shop",
        "role": role_id("API full"),
        "partners": [partner.pk],
        "networks": "127.0.0.1\n192.0.2.9/24",
        "expires_on": "2199-12-31",
        "narrowed": "on",
        "words": ["plans.see", "payments.edit"],
    }
    answer = sara.post("/tokens/new/", given)
    (text,) = set(TEXT.findall(answer.content.decode()))
    assert answer["Cache-Control"] == "no-store"
    row = ApiToken.objects.get(name="Shop")
    assert (row.scopes, row.networks) == (["payments.edit", "plans.see"], ["127.0.0.1/32", "192.0.2.0/24"])
    assert (list(row.partners.all()), row.expires_at.isoformat()) == ([partner], "2200-01-01T00:00:00+00:00")
    program = Program(text)
    assert program.call("GET", "/plans").status_code == 200
    refused = program.call("GET", "/customers")
    assert (refused.status_code, "scopes do not name customers.see" in refused.content.decode()) == (403, True)
    listed = words(sara.get("/tokens/"))
    assert "2 of its rights" in listed
    assert text not in listed
    logged = OperationLog.objects.get(subject_kind="token", verb="created")
    said = open_for_subject("token", row.pk, bytes(logged.body)).decode()
    assert "192.0.2.0/24" in said
    assert text not in said


def test_a_revoked_token_opens_nothing(sara):
    answer = sara.post("/tokens/new/", {"name": "Shop", "role": role_id("API full")})
    (text,) = set(TEXT.findall(answer.content.decode()))
    program, row = Program(text), ApiToken.objects.get(name="Shop")
    assert program.call("GET", "/plans").status_code == 200
    assert sara.get(f"/tokens/{row.pk}/revoke/").status_code == 200
    assert program.call("GET", "/plans").status_code == 200
    sara.post(f"/tokens/{row.pk}/revoke/")
    assert program.call("GET", "/plans").status_code == 401


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"networks": "the office"}, "no address and no network"),
        ({"narrowed": "on", "words": []}, "at least one right"),
        ({"narrowed": "on", "words": ["plans.paint"]}, "none that there is"),
        ({"narrowed": "on", "words": ["plans.see", "staff.edit"]}, "does not hold “Add and change staff”"),
        ({"expires_on": "2020-01-01"}, "a day to come"),
        ({"role": "Reseller"}, "choose them"),
    ],
)
def test_a_limit_that_is_none_is_refused(sara, changed, why):
    given = {"name": "Shop", "role": "API full", **changed}
    answer = sara.post("/tokens/new/", {**given, "role": role_id(given["role"])})
    assert answer.status_code == 422
    assert why in words(answer)
    assert not ApiToken.objects.exists()


def test_nobody_gives_a_token_more_than_he_may_do_nor_revokes_one_that_may_more(sara):
    Role.objects.create(name="Keys", permissions=["tokens.edit", "plans.see"])
    kim = logged_in(person("Keys", "kim"))
    given = {"name": "Shop", "role": role_id("API full")}
    assert "may not do yourself" in words(kim.post("/tokens/new/", given))
    kim.post("/tokens/new/", {**given, "narrowed": "on", "words": ["plans.see"]})
    assert ApiToken.objects.get().scopes == ["plans.see"]
    sara.post("/tokens/new/", {**given, "name": "Mightier"})
    mightier = ApiToken.objects.get(name="Mightier")
    assert "may do more than you" in words(kim.post(f"/tokens/{mightier.pk}/revoke/"))
    mightier.refresh_from_db()
    assert mightier.revoked_at is None


def test_who_works_for_some_providers_sees_and_makes_tokens_of_theirs_only(sara):
    ours, theirs = (Partner.objects.create(name=name, zone="UTC", currency="EUR") for name in ("Ours", "Theirs"))
    boss = person("Super administrator", "boss")
    boss.partners.set([ours])
    browser = logged_in(boss)
    for name, partners in (("House", []), ("Both", [ours.pk, theirs.pk]), ("Mine", [ours.pk])):
        sara.post("/tokens/new/", {"name": name, "role": role_id("API full"), "partners": partners})
    page = words(browser.get("/tokens/"))
    assert [name in page for name in ("House", "Both", "Mine")] == [False, False, True]
    house = ApiToken.objects.get(name="House")
    assert browser.post(f"/tokens/{house.pk}/revoke/").status_code == 404
    given = {"name": "New", "role": role_id("API full")}
    assert "choose among them" in words(browser.post("/tokens/new/", given))
    assert browser.post("/tokens/new/", {**given, "partners": [theirs.pk]}).status_code == 422
    assert not ApiToken.objects.filter(name="New", created_at__lte=clock.now()).exists()
