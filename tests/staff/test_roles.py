"""Roles and rights of one's own: nobody gives what he has not, and the change holds at the next click."""

from importlib import import_module

import pytest
from django.db import connection
from tests import cast
from tests.project.api_scene import Program
from tests.staff.world import PASSWORD, logged_in, person, words

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog, Partner
from demarc.core.errors import Refused
from demarc.staff.actions import add_person, create_token, set_role, switch
from demarc.staff.actions.logins import Place
from demarc.staff.actions.tokens import Limits
from demarc.staff.models import ApiToken, Login, Role
from demarc.staff.permissions import ALL, spread
from demarc.staff.queries import works_for

BY = {"by": SYSTEM, "at": cast.AT}
pytestmark = pytest.mark.usefixtures("pages")


@pytest.fixture
def sara():
    """A super administrator's browser."""
    return logged_in(person("Super administrator", "sara"))


@pytest.fixture
def paul():
    """Somebody who looks after people, and does little else."""
    Role.objects.create(name="Personnel", permissions=["staff.edit", "roles.edit", "tokens.edit", "plans.see"])
    return logged_in(person("Personnel", "paul"))


def role(name):
    return Role.objects.get(name=name)


def told(answer):
    """A page as people read it, quotes and all."""
    return words(answer).replace("&#x27;", "'").replace("&quot;", '"')


def test_a_role_is_copied_and_changed_by_its_boxes(sara):
    answer = sara.post("/roles/new/", {"name": "Front desk", "like": role("Manager").pk})
    made = role("Front desk")
    assert answer["Location"] == f"/roles/{made.pk}/edit/"
    assert spread(made.permissions) == spread(role("Manager").permissions)
    page = sara.get(f"/roles/{made.pk}/edit/").content.decode()
    assert 'value="payments.edit" checked' in page
    assert 'value="settings.edit">' in page
    sara.post(f"/roles/{made.pk}/edit/", {"name": "Front desk", "words": ["customers.edit", "cashdesk.edit"]})
    made.refresh_from_db()
    assert made.permissions == ["cashdesk.edit", "customers.edit"]
    fred = logged_in(person("Front desk", "fred"))
    assert fred.get("/customers/").status_code == 200
    assert fred.get("/payments/").status_code == 403


def test_a_shipped_role_goes_back_to_what_it_shipped_with(sara):
    cashier = role("Cashier")
    sara.post(f"/roles/{cashier.pk}/edit/", {"name": "Cashier", "words": ["payments.edit", "accounts.see"]})
    assert "Changed" in told(sara.get("/roles/"))
    sara.post(f"/roles/{cashier.pk}/reset/")
    assert role("Cashier").permissions == ["cashdesk.edit"]
    assert "removed" in told(sara.post(f"/roles/{cashier.pk}/remove/"))
    assert role("Cashier")


def test_a_role_that_somebody_holds_is_not_removed(sara):
    made = Role.objects.create(name="Spare", permissions=["plans.see"])
    holder = person("Spare", "hugo")
    assert "holds this role" in told(sara.post(f"/roles/{made.pk}/remove/"))
    holder.role = role("Cashier")
    holder.save()
    sara.post(f"/roles/{made.pk}/remove/")
    assert not Role.objects.filter(name="Spare").exists()


def test_nobody_gives_a_role_more_than_he_may_do(paul):
    spare = Role.objects.create(name="Spare", permissions=["plans.see"])
    answer = paul.post(f"/roles/{spare.pk}/edit/", {"name": "Spare", "words": ["plans.see", "runs.edit"]})
    assert "may not do yourself" in told(answer)
    assert role("Spare").permissions == ["plans.see"]
    answer = paul.post(f"/roles/{role('Manager').pk}/edit/", {"name": "Manager", "words": ["plans.see"]})
    assert "may not do yourself" in told(answer)
    assert len(role("Manager").permissions) > 1


def test_nobody_makes_himself_more_than_he_is(paul):
    me = Login.objects.get(username="paul")
    answer = paul.post(f"/signing-in/{me.pk}/rights/", {"words": ["staff.edit", "payments.edit"]})
    assert "may not do yourself" in told(answer)
    answer = paul.post(f"/signing-in/{me.pk}/role/", {"role": role("Super administrator").pk})
    assert answer.status_code == 422
    me.refresh_from_db()
    assert (me.granted, me.role.name) == ([], "Personnel")


def test_who_may_do_more_is_out_of_reach(paul, sara):
    boss = Login.objects.get(username="sara")
    for page, data in (("role", {"role": role("Personnel").pk}), ("rights", {"words": []}), ("switch", {})):
        assert "more than you" in told(paul.post(f"/signing-in/{boss.pk}/{page}/", data)) or page != "switch"
    boss.refresh_from_db()
    assert (boss.role.name, boss.is_active, boss.withdrawn) == ("Super administrator", True, [])


def test_a_person_has_rights_besides_and_without_his_role(sara):
    tina = person("Technician", "tina")
    browser = logged_in(tina)
    page = sara.get(f"/signing-in/{tina.pk}/rights/").content.decode()
    assert 'value="sessions.edit" checked' in page
    kept = sorted(spread(role("Technician").permissions) - {"sessions.edit", "trace.see"})
    sara.post(f"/signing-in/{tina.pk}/rights/", {"words": [*kept, "payments.see"]})
    tina.refresh_from_db()
    assert (tina.granted, tina.withdrawn) == (["payments.see"], ["sessions.edit", "trace.see"])
    assert browser.get("/payments/").status_code == 200
    assert browser.get("/sessions/").status_code == 200
    assert browser.get("/sessions/trace/").status_code == 403
    menu = told(browser.get("/"))
    assert "Payments" in menu
    assert "Runs" not in menu


def test_a_reseller_without_a_provider_may_do_nothing(sara):
    partner = Partner.objects.create(name="Sold on", zone="UTC", currency="EUR")
    given = {"username": "rosa", "password": PASSWORD, "role": role("Reseller").pk}
    assert "named providers" in told(sara.post("/signing-in/new/", given))
    assert not Login.objects.filter(username="rosa").exists()
    sara.post("/signing-in/new/", {**given, "partners": [partner.pk]})
    rosa = Login.objects.get(username="rosa")
    browser = logged_in(rosa)
    assert browser.get("/customers/").status_code == 200
    rosa.partners.clear()
    assert browser.get("/customers/").status_code == 403


def test_a_role_is_not_bound_to_providers_while_somebody_works_for_all(sara):
    person("Technician", "tina")
    technician = role("Technician")
    answer = sara.post(
        f"/roles/{technician.pk}/edit/", {"name": "Technician", "bound": "on", "words": technician.permissions}
    )
    assert "give him providers first" in told(answer)
    assert not role("Technician").bound


def test_the_last_who_may_do_everything_stays_so(sara):
    me = Login.objects.get(username="sara")
    answer = sara.post(f"/signing-in/{me.pk}/role/", {"role": role("Manager").pk})
    assert "Nobody else may do everything" in told(answer)
    assert "switch yourself off" in told(sara.post(f"/signing-in/{me.pk}/switch/"))
    everything = role("Super administrator")
    sara.post(f"/roles/{everything.pk}/edit/", {"name": "Nobody", "words": []})
    assert role("Super administrator").permissions == ["*"]


def test_who_left_is_logged_out_at_once_and_let_in_no_more(sara):
    tina = person("Technician", "tina")
    browser = logged_in(tina)
    sara.post(f"/signing-in/{tina.pk}/switch/")
    assert browser.get("/customers/").status_code == 302
    sara.post(f"/signing-in/{tina.pk}/switch/")
    tina.refresh_from_db()
    assert tina.is_active


def test_somebody_of_one_provider_changes_no_role_and_makes_nobody_for_all():
    partner = Partner.objects.create(name="Sold on", zone="UTC", currency="EUR")
    boss = person("Super administrator", "boss")
    boss.partners.set([partner])
    browser = logged_in(boss)
    manager = role("Manager")
    browser.post(f"/roles/{manager.pk}/edit/", {"name": "Manager", "words": []})
    assert role("Manager").permissions
    given = {"username": "nina", "password": PASSWORD, "role": manager.pk}
    assert "choose among them" in told(browser.post("/signing-in/new/", given))
    browser.post("/signing-in/new/", {**given, "partners": [partner.pk]})
    assert list(Login.objects.get(username="nina").partners.all()) == [partner]


def test_whoever_may_do_everything_views_as_a_role_and_changes_nothing(sara):
    cashier = role("Cashier")
    sara.post(f"/roles/{cashier.pk}/view-as/")
    assert sara.get("/customers/").status_code == 403
    page = told(sara.get("/me/"))
    assert "You view as Cashier" in page
    assert "Customers" not in page
    for path in ("/me/", "/me/email/", "/roles/new/", f"/roles/{cashier.pk}/edit/"):
        assert sara.post(path, {"name": "Somebody else"}).status_code == 403, path
    assert sara.post("/roles/as-myself/")["Location"] == f"/roles/{cashier.pk}/"
    assert sara.get("/customers/").status_code == 200
    rows = OperationLog.objects.filter(subject_kind="role", subject_id=cashier.pk, verb__startswith="view_as")
    assert list(rows.order_by("id").values_list("verb", flat=True)) == ["view_as_began", "view_as_ended"]


def test_nobody_else_views_as_a_role(paul):
    paul.post(f"/roles/{role('Manager').pk}/view-as/")
    assert paul.get("/payments/").status_code == 403
    assert paul.get("/roles/").status_code == 200
    session = paul.session
    session["viewed_as"] = role("Manager").pk
    session.save()
    assert paul.get("/payments/").status_code == 403
    assert "You view as" not in told(paul.get("/roles/"))


@pytest.mark.parametrize(
    ("who", "what", "answer", "why"),
    [
        ("Cashier", "cashdesk.edit", "Yes", "(cashdesk.edit)"),
        ("Reseller", "cashdesk.edit", "Yes", "(payments.edit), which includes it"),
        ("Reseller", "payments.see /payments/", "Yes", "(payments.edit), which includes it"),
        ("Cashier", "customers.see /customers/", "No", "does not hold"),
        ("Super administrator", "log.see", "Yes", "may do everything"),
        ("Technician", "payments.edit POST /api/v1/payments", "No", "does not hold"),
    ],
)
def test_a_page_says_whether_a_role_can_ever_see_that_and_why(sara, who, what, answer, why):
    page = told(sara.get("/roles/can/", {"who": f"role:{role(who).pk}", "what": what}))
    head = page[page.index('id="answer"') :]
    assert answer in head[:400]
    assert why in head


def test_the_same_page_knows_a_person_s_own_rights(sara):
    tina = person("Technician", "tina")
    tina.granted, tina.withdrawn = ["payments.see"], ["trace.see"]
    tina.save()
    asked = {"who": f"person:{tina.pk}"}
    assert "given to this person" in told(sara.get("/roles/can/", {**asked, "what": "payments.see"}))
    assert "taken from this person" in told(sara.get("/roles/can/", {**asked, "what": "trace.see"}))
    rosa = person("Reseller", "rosa")
    asked = {"who": f"person:{rosa.pk}", "what": "customers.see"}
    assert "works for none" in told(sara.get("/roles/can/", asked))


def test_files_of_lists_are_a_right_of_their_own(sara):
    Role.objects.create(name="Looks", permissions=["customers.see"])
    browser = logged_in(person("Looks", "lena"))
    assert "Save as CSV" not in told(browser.get("/customers/"))
    assert browser.get("/customers/?format=csv").status_code == 403
    assert sara.get("/customers/?format=csv").status_code == 200


def test_the_last_who_may_do_everything_stays_so_for_all_providers(sara):
    partner = Partner.objects.create(name="Sold on", zone="UTC", currency="EUR")
    boss, me = person("Super administrator", "boss"), Login.objects.get(username="sara")
    everything = role("Super administrator").pk
    sara.post(f"/signing-in/{boss.pk}/role/", {"role": everything, "partners": [partner.pk]})
    assert works_for(Login.objects.get(pk=boss.pk)) == [partner.pk]
    for given in ({"role": everything, "partners": [partner.pk]}, {"role": role("Manager").pk}):
        answer = sara.post(f"/signing-in/{me.pk}/role/", given)
        assert "Nobody else may do everything for all providers" in told(answer), given
    with pytest.raises(Refused, match="for all providers"):
        switch(me.pk, on=False, held={ALL}, by=SYSTEM, at=clock.now())
    me = Login.objects.get(username="sara")
    assert (works_for(me), me.role_id, me.is_active) == (None, everything, True)
    sara.post(f"/signing-in/{boss.pk}/role/", {"role": everything})
    switch(me.pk, on=False, held={ALL}, by=SYSTEM, at=clock.now())


def test_who_loses_his_providers_sees_nothing_instead_of_all(sara):
    ours, theirs = (Partner.objects.create(name=name, zone="UTC", currency="EUR") for name in ("Ours", "Theirs"))
    cast.customer(theirs, "Tina Theirs")
    nina = add_person("nina", PASSWORD, place=Place(role("Manager").pk, (ours.pk,)), held={ALL}, **BY)
    token, text = create_token("Shop", "API full", limits=Limits(partners=(ours.pk,)), **BY)
    nina.partners.clear()
    token.partners.clear()
    assert (works_for(nina), works_for(token)) == ([], [])
    page = logged_in(nina).get("/customers/")
    assert page.status_code == 200
    assert "Tina" not in told(page)
    assert Program(text).get("/customers")["items"] == []
    assert "works for no provider" in told(
        sara.get("/roles/can/", {"who": f"person:{nina.pk}", "what": "customers.see"})
    )


def test_a_provider_who_is_not_there_is_not_taken_for_all_of_them():
    held = {"held": {ALL}, **BY}
    tina = person("Technician", "tina")
    with pytest.raises(Refused, match="not there"):
        set_role(tina.pk, role=role("Technician").pk, partners=(10**9,), **held)
    with pytest.raises(Refused, match="not there"):
        add_person("nina", PASSWORD, place=Place(role("Manager").pk, (10**9,)), **held)
    with pytest.raises(Refused, match="not there"):
        create_token("Shop", "API full", limits=Limits(partners=(10**9,)), **BY)


def test_who_named_no_provider_before_it_was_said_works_for_all_still():
    partner = Partner.objects.create(name="Sold on", zone="UTC", currency="EUR")
    everybody, seller = person("Manager", "mara"), person("Reseller", "rosa")
    seller.partners.set([partner])
    token, _ = create_token("Shop", "API full", **BY)
    Login.objects.update(everywhere=False)
    ApiToken.objects.update(everywhere=False)
    with connection.cursor() as cursor:
        cursor.execute(import_module("demarc.staff.migrations.0007_everywhere").SAID)
    for one, ids in ((everybody, None), (seller, [partner.pk]), (token, None)):
        one.refresh_from_db()
        assert works_for(one) == ids
    assert not seller.everywhere
