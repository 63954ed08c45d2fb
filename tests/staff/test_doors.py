"""Nobody passes a door that is not for him: checked for every URL there is, so also for those made tomorrow."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.html import escape
from tests.staff.world import World, address, customer_login, logged_in, person, staff_pages, world

from demarc.base.models import OperationLog
from demarc.billing.models import Transfer
from demarc.plans.models import Service
from demarc.staff.doors import PUBLIC, page
from demarc.staff.models import Role
from demarc.staff.permissions import PERMISSIONS, spread

SIGNED_IN = "signed_in"
PAGES = [pattern for pattern in staff_pages() if getattr(pattern.callback, "permission", "") != PUBLIC]


def name_of(pattern: URLPattern) -> str:
    return str(pattern.name)


def wrong(client: Client, place: World, expected: Callable[[URLPattern, HttpResponse], bool]) -> list[str]:
    """The pages that answer a GET or a POST otherwise than expected."""
    found = []
    for pattern in PAGES:
        url = address(pattern, place)
        for verb, answer in (("GET", client.get(url)), ("POST", client.post(url))):
            if not expected(pattern, answer):
                found.append(f"{verb} {url}: {answer.status_code}")
        if pattern.name == "view_as":
            client.post(reverse("end_view_as"))
    return found


def state_of_things() -> tuple[int, int, str]:
    """What would change if an intruder got through."""
    return OperationLog.objects.count(), Transfer.objects.count(), Service.objects.order_by("id")[0].state


@pytest.fixture
def place(pages: None) -> World:
    return world()


def test_every_url_names_a_permission_or_is_listed_public():
    for pattern in staff_pages():
        permission = getattr(pattern.callback, "permission", None)
        assert permission in {*PERMISSIONS, PUBLIC, SIGNED_IN}, f"{pattern} stands behind no door"
        if permission == PUBLIC:
            assert pattern.name in {"account_login", "account_logout", "mfa_authenticate", "want_reset", "reset"}


def test_a_stranger_is_asked_to_log_in_everywhere(place):
    before = state_of_things()
    assert wrong(Client(), place, lambda _, answer: answer.get("Location", "").startswith("/login/?next=/")) == []
    assert state_of_things() == before


def test_a_stranger_s_fragment_asks_for_the_whole_page(place):
    answer = Client().get(f"/customers/{place.customer.pk}/live/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (401, "true")


def test_a_customer_is_refused_at_the_staff_door_everywhere(place):
    client = logged_in(customer_login())
    before = state_of_things()
    assert wrong(client, place, lambda _, answer: answer.status_code == 403 and b"for staff" in answer.content) == []
    assert state_of_things() == before


def test_somebody_without_a_permission_is_told_what_he_lacks_and_does_nothing(place):
    role = Role.objects.create(name="Nearly all")
    client = logged_in(person("Nearly all"))
    before = state_of_things()
    for pattern in (one for one in PAGES if one.callback.permission != SIGNED_IN):
        permission = pattern.callback.permission
        role.permissions = sorted(word for word in PERMISSIONS if permission not in spread([word]))
        role.save()
        for answer in (client.get(address(pattern, place)), client.post(address(pattern, place))):
            assert answer.status_code == 403, pattern
            assert escape(PERMISSIONS[permission]) in answer.content.decode()
    assert state_of_things() == before


def test_staff_of_another_provider_see_nothing_of_this_one(place):
    other = world("Other", number=1)
    visitor = person("Super administrator")
    visitor.partners.set([other.partner])

    def hidden(pattern: URLPattern, answer: HttpResponse) -> bool:
        if "role_id" in pattern.pattern.converters:
            return answer.status_code in (200, 302, 422)  # roles are everybody's
        if pattern.pattern.converters or pattern.name == "own_pages":
            return answer.status_code == 404
        return answer.status_code in (200, 302, 422) and place.customer.name not in answer.content.decode()

    assert wrong(logged_in(visitor), place, hidden) == []


def test_a_super_administrator_sees_every_page(place):
    client = logged_in(person("Super administrator"))
    led_on = {
        "settings",
        "passkey_remove",
        "save_view",
        "end_view_as",
        "block_customers",
        "unblock_customers",
        "write_customers",
    }
    for pattern in (one for one in PAGES if one.name != "remove_view"):  # a view is its keeper's alone
        answer = client.get(address(pattern, place), follow=pattern.name in led_on)
        assert answer.status_code == 200, pattern
        assert answer["Content-Security-Policy"].startswith("default-src 'self'")
        if answer["Content-Type"].startswith("text/html"):
            assert " style=" not in answer.content.decode(), pattern


def test_a_cashier_takes_payments_and_sees_nothing_else(place):
    client = logged_in(person("Cashier"))
    seen = {name_of(one) for one in PAGES if client.get(address(one, place)).status_code == 200}
    own = {name_of(one) for one in PAGES if one.callback.permission == SIGNED_IN}
    own -= {"passkey_remove", "end_view_as", "save_view", "remove_view"}
    assert seen == {"cashdesk", "pay", "pay_preview"} | own


def test_a_door_for_an_unknown_permission_cannot_be_built():
    with pytest.raises(KeyError):
        page("customers.sea")
