"""Sensitive values: whole for who may read them, their ending for others, and no way around by searching."""

import json

import pytest
from tests.cast import STAFF
from tests.project.api_scene import Program, program
from tests.staff.world import logged_in, person, words, world

from demarc.base import clock, log
from demarc.base.models import OperationLog
from demarc.customers import actions as customers
from demarc.staff import masks
from demarc.staff.actions.tokens import Limits, create_token
from demarc.staff.log_told import told
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


@pytest.fixture
def watcher():
    """The words of somebody who reads the operation log, not contacts."""
    Role.objects.create(name="Watcher", permissions=["log.see", "customers.see", "exports.see"])
    return logged_in(person("Watcher", "wanda"))


def test_the_operation_log_tells_no_contacts_either(place, watcher):
    changed = {"phone": "+34 699 888 777", "email": "ana@changed.example", "city": "Lloret"}
    customers.update_customer(place.customer.pk, by=STAFF, at=clock.now(), **changed)
    entry = OperationLog.objects.latest("id").pk
    chief = logged_in(person("Administrator", "chief"))
    limits = Limits(scopes=frozenset({"log.see"}))
    _, narrow = create_token("Watch", "Administrator", by=STAFF, at=clock.now(), limits=limits)
    _, wide = create_token("Wide", "Administrator", by=STAFF, at=clock.now())

    def said(client, token):
        asked = {"q": f"customer {place.customer.pk}", "verb": "updated"}
        yield words(client.get(f"/logs/operations/{entry}/"))
        yield words(client.get("/logs/operations/", asked))
        yield b"".join(client.get("/logs/operations/", {**asked, "format": "csv"}).streaming_content).decode()
        yield json.dumps(Program(token).get("/operations?verb=updated"))

    for masked, whole in zip(said(watcher, narrow), said(chief, wide), strict=True):
        for old, new in ((PHONE, "699 888"), (MAIL, "ana@changed")):
            assert old in whole
            assert old not in masked
            assert new not in masked
    assert "Lloret" in words(watcher.get(f"/logs/operations/{entry}/"))


def test_what_others_looked_for_is_not_told_in_the_log_to_who_may_not_read_contacts(place, watcher):
    chief = logged_in(person("Administrator", "chief"))
    for path in ("/search/", "/customers/", "/messages/"):
        assert chief.get(path, {"q": "600 111"}).status_code == 200, path
    entries = list(OperationLog.objects.filter(verb__in=("searched", "listed")).order_by("id"))
    assert len(entries) == 3
    for entry in entries:
        assert "600 111" in words(chief.get(f"/logs/operations/{entry.pk}/"))
        page = words(watcher.get(f"/logs/operations/{entry.pk}/"))
        assert "••••" in page
        assert "600 111" not in page


def test_values_are_masked_however_deep_they_lie(db):
    by = {"by": STAFF, "at": clock.now()}
    deep = {
        "rows": [{"phone": [None, PHONE], "contact": {"email": MAIL}}],
        "bank_account": {"old": "ES9121000418450200"},
    }
    log.record("updated", subject=("customer", 7), **deep, **by)
    log.record("updated", subject=("partner", 7), email=MAIL, **by)
    customer, partner = OperationLog.objects.order_by("id")
    assert told([customer], ["log.see"])[customer.pk] == {
        "rows": [{"phone": [None, "••••22"], "contact": {"email": "••••"}}],
        "bank_account": {"old": "••••00"},
    }
    assert told([partner], ["log.see"])[partner.pk] == {"email": MAIL}
