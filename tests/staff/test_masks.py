"""Sensitive values: whole for who may read them, their ending for others, and no way around by searching."""

import pytest
from tests.cast import STAFF
from tests.project.api_scene import program
from tests.staff.world import logged_in, person, words, world

from demarc.base import clock
from demarc.staff import masks
from demarc.staff.actions.tokens import Limits, create_token
from demarc.staff.models import Role
from demarc.staff.permissions import PERMISSIONS, spread

PHONE, MAIL = "+34 600 111 222", "ana@example.com"


@pytest.fixture
def place(pages):
    return world(only="rita")


@pytest.fixture
def blind():
    """The browser of somebody who sees customers and messages, not their contacts."""
    sights = ["customers.see", "messages.edit", "exports.see", "services.see"]
    Role.objects.create(name="Blind", permissions=sights)
    return logged_in(person("Blind", "bea"))


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("phone", PHONE, "••••22"),
        ("bank_account", "ES9121000418450200051332", "••••32"),
        ("passport", "X1234", "••••"),
        ("vat_id", "", ""),
        ("email", MAIL, "••••"),
    ],
)
def test_who_may_not_read_a_value_sees_its_ending_at_most(kind, value, told):
    assert masks.shown(value, kind, spread(["customers.see"])) == told
    assert masks.shown(value, kind, spread([masks.KINDS[kind]])) == value


def test_every_kind_asks_for_a_word_that_there_is():
    assert set(masks.KINDS.values()) <= PERMISSIONS.keys()
    with pytest.raises(KeyError):
        masks.shown("x", "shoe size", [])


def test_no_page_tells_contacts_to_who_may_not_read_them(place, blind):
    ana, message = place.customer.pk, place.message.pk
    seer = logged_in(person("Manager", "mara"))
    for path in (f"/customers/{ana}/", f"/customers/{ana}/write/", "/messages/", f"/messages/{message}/"):
        page = words(blind.get(path))
        assert "••••" in page, path
        assert MAIL not in page, path
        assert "600 111" not in page, path
        assert MAIL in words(seer.get(path)), path


def test_no_file_tells_them_either(place, blind):
    file = b"".join(blind.get("/messages/?format=csv").streaming_content).decode()
    assert "Ana of Demarc" in file
    assert MAIL not in file
    assert "••••" in file


def test_who_may_not_read_contacts_finds_nobody_by_them(place, blind):
    seer = logged_in(person("Manager", "mara"))
    for search in ("600 111", "ana@ex"):
        for path in ("/customers/", "/messages/"):
            assert "Ana of Demarc" not in words(blind.get(path, {"q": search})), (path, search)
        assert "Ana of Demarc" in words(seer.get("/customers/", {"q": search}))
    assert "Ana of Demarc" in words(blind.get("/customers/", {"q": "ana of"}))


def test_a_token_without_the_word_reads_masks(place):
    by = {"by": STAFF, "at": clock.now()}
    limits = Limits(scopes=frozenset({"customers.see", "messages.see"}))
    reader = program("API full", place.partner)
    row, reader.token = create_token("Reader", "API full", limits=limits, **by)
    row.partners.set([place.partner])
    shown = reader.get(f"/customers/{place.customer.pk}")
    assert (shown["phone"], shown["email"]) == ("••••22", "••••")
    assert reader.get(f"/messages/{place.message.pk}")["recipient"] == "••••"
    listed = [row["phone"] for row in reader.get("/customers")["items"]]
    assert "••••22" in listed
    assert PHONE not in listed
    assert reader.get("/customers?q=600 111")["items"] == []
    full = program("API full", place.partner)
    assert full.get(f"/customers/{place.customer.pk}")["phone"] == PHONE
    assert len(full.get("/customers?q=600 111")["items"]) == 1
