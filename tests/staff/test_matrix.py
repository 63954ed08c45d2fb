"""Every entrance against every role and owner, as matrix.txt says; what is missing there fails.

The table was written by hand: neither the doors nor the roles of the code are asked what to expect.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver
from tests.cast import STAFF
from tests.project.api_scene import Program
from tests.staff.world import World, logged_in, person, staff_pages, world

from demarc.base import clock
from demarc.project.api import api
from demarc.staff import apidoor, doors
from demarc.staff.actions import create_token
from demarc.staff.actions.tokens import Limits
from demarc.staff.models import Role

pytestmark = pytest.mark.usefixtures("committed")

ROLES = {
    "S": "Super administrator",
    "A": "Administrator",
    "M": "Manager",
    "F": "Financial manager",
    "E": "Engineer",
    "T": "Technician",
    "N": "Customer creator",
    "C": "Cashier",
    "R": "Reseller",
    "P": "API full",
}
NOWHERE = 10**12
DONE = (200, 302, 422)
SHARED = {"role_id"}
"""What belongs to no provider: whoever may, sees it."""
WHOLE_HOUSE = {"own_pages", "own_page"}
"""Not for who works for some providers only, whatever his role."""
NOT_OF_HOUSES = {"cause", "preset", "place", "kind", "channel", "language", "nas_type", "day"}
"""Parts of addresses that name no row."""
ELSEWHERE = {"day_id", "transfer_id"}
"""Rows that this world has none of; tests/project/test_api_doors.py has."""


@dataclass(frozen=True)
class Table:
    """matrix.txt: the word that each page and operation asks for, and the roles' letters that hold each word."""

    pages: dict[str, str]
    operations: dict[str, str]
    holders: dict[str, str]


@dataclass(frozen=True)
class Operation:
    """A GET operation of the API."""

    id: str
    path: str
    names: frozenset[str]


def read_table() -> Table:
    table, word, kind = Table({}, {}, {}), "", ""
    for line in (Path(__file__).parent / "matrix.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            word, held = line.split()
            table.holders[word] = held
            continue
        mark, colon, names = line.strip().partition(": ")
        kind, names = (mark, names) if colon else (kind, mark)
        (table.pages if kind == "pages" else table.operations).update(dict.fromkeys(names.split(), word))
    return table


TABLE = read_table()
PAGES = [one for one in staff_pages() if TABLE.pages.get(str(one.name), "public") not in ("public", "signed_in")]


def operations() -> Iterator[Operation]:
    for path, methods in api.document["paths"].items():
        if "get" in methods:
            yield Operation(methods["get"]["operationId"], path, frozenset(re.findall(r"{(\w+)}", path)))


LOOKERS = {"R"}
"""Whose own pages are made in full; for the others it is enough that the door lets them in, and
tests/staff/test_doors.py looks at all pages as who may do everything."""
READING = [one for one in operations() if not one.names & ELSEWHERE]


@pytest.fixture(scope="module")
def places(committed):
    """Two providers with one of everything each, and nothing limits how often one asks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apidoor, "REQUESTS", 10**6)
        yield world("Ours"), world("Theirs", number=1)


@pytest.fixture(scope="module")
def ids(places):
    """The arguments of URLs: ours, theirs, and of what there is not."""
    ours, theirs = (place.ids for place in places)
    nowhere = {name: value if name in NOT_OF_HOUSES | SHARED else NOWHERE for name, value in ours.items()}
    return {"own": ours, "other": theirs, "none": nowhere}


def may(letter, word):
    return letter in TABLE.holders[word]


def at(pattern, values):
    """The address of a page about these things."""
    path = "/" + WHERE[str(pattern.name)]
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), path)


def all_paths(found, prefix=""):
    for one in found:
        path = prefix + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from all_paths(one.url_patterns, path)
        else:
            yield str(one.name), path


WHERE = dict(all_paths(one for one in get_resolver().url_patterns if "api" not in str(one.pattern)))


def test_every_page_and_every_operation_stands_in_the_table_and_nothing_else_does():
    assert {str(one.name) for one in staff_pages()} == set(TABLE.pages)
    told = {details["operationId"] for methods in api.document["paths"].values() for details in methods.values()}
    assert told == set(TABLE.operations)


def test_every_role_that_ships_stands_in_the_table(db):
    assert set(Role.objects.values_list("name", flat=True)) == set(ROLES.values())


def misses(client, pattern, ids, *, full):
    """Where somebody who may enter gets something else than: his own done, what is next door or nowhere not found."""
    name, wrong = str(pattern.name), []
    if set(pattern.pattern.converters) - NOT_OF_HOUSES - SHARED:
        tried = [client.get(at(pattern, ids["other"]))]
        tried += [client.post(at(pattern, ids["none"]))] if full else []
        wrong += [f"{name}: {answer.status_code}, not 404" for answer in tried if answer.status_code != 404]
    with pytest.MonkeyPatch.context() as patch:
        if not full:
            patch.setattr(doors, "_let_in", lambda *view, **given: HttpResponse("in"))
        answer = client.get(at(pattern, ids["own"])).status_code
    expected = (404,) if full and name in WHOLE_HOUSE else DONE
    return wrong if answer in expected else [*wrong, f"own {name}: {answer}"]


@pytest.mark.parametrize("letter", ROLES)
def test_a_role_gets_at_each_page_what_the_table_says_of_each_owner(letter, places, ids):
    ours = places[0]
    login = person(ROLES[letter], f"of-{letter}")
    login.partners.set([ours.partner])
    client = logged_in(login)
    wrong = []
    for pattern in PAGES:
        name = str(pattern.name)
        if may(letter, TABLE.pages[name]):
            wrong += misses(client, pattern, ids, full=letter in LOOKERS)
            continue
        tried = client.get(at(pattern, ids["own"])), client.post(at(pattern, ids["other"]))
        wrong += [f"{name}: {answer.status_code}, not 403" for answer in tried if answer.status_code != 403]
    assert wrong == []


def token(role, place, scopes=None):
    """A program of this role and provider, narrowed to these words if any are named."""
    limits = Limits(scopes=scopes, partners=(place.partner.pk,))
    row, text = create_token("Matrix", role, by=STAFF, at=clock.now(), limits=limits)
    return Program(text, row)


def cells(operation: Operation) -> tuple[str, ...]:
    return ("own", "other", "none") if operation.names - NOT_OF_HOUSES else ("own",)


def asked(operation: Operation, values: dict) -> str:
    """The path below the API's root, with the filters that it must have."""
    details = api.document["paths"][operation.path]["get"]
    needed = [one["name"] for one in details["parameters"] if one["in"] == "query" and one["required"]]
    path = operation.path.removeprefix("/api/v1").format_map(values)
    return path + ("?" + "&".join(f"{name}={values[name]}" for name in needed) if needed else "")


@pytest.mark.parametrize("letter", ROLES)
def test_a_token_of_a_role_gets_at_each_operation_what_the_table_says_of_each_owner(letter, places, ids):
    program, wrong = token(ROLES[letter], places[0]), []
    for operation in READING:
        allowed = may(letter, TABLE.operations[operation.id])
        for owner in cells(operation):
            if allowed and owner == "own" and letter not in LOOKERS:
                continue
            answer = program.call("GET", asked(operation, ids[owner])).status_code
            expected = 403 if not allowed else 200 if owner == "own" else 404
            if answer != expected:
                wrong.append(f"{owner} {operation.id}: {answer}, not {expected}")
    assert wrong == []


def test_a_token_s_scopes_let_in_where_they_say_and_nowhere_else(places, ids):
    everything, wrong = set(TABLE.holders) - {"public", "signed_in"}, []
    for word in sorted({TABLE.operations[one.id] for one in READING}):
        part = word.partition(".")[0]
        with_it = token("Super administrator", places[0], frozenset({word}))
        bringing = {word, f"{part}.edit", *({"customers.edit"} if word == "contacts.see" else ())}
        without = token("Super administrator", places[0], frozenset(everything - bringing))
        for operation in READING:
            path = asked(operation, ids["own"])
            fits = TABLE.operations[operation.id] == word
            if fits and with_it.call("GET", path).status_code != 200:
                wrong.append(f"with {word}: {operation.id}")
            if fits and without.call("GET", path).status_code != 403:
                wrong.append(f"without {word}: {operation.id}")
        strange = next(one for one in READING if TABLE.operations[one.id] != word)
        if with_it.call("GET", asked(strange, ids["own"])).status_code != 403:
            wrong.append(f"only {word}: {strange.id}")
    assert wrong == []


def test_no_operation_answers_without_a_token(ids):
    for operation in READING:
        assert Program().call("GET", asked(operation, ids["own"])).status_code == 401, operation.id


def test_a_token_is_refused_elsewhere_than_in_its_networks(places: tuple[World, World]):
    limits = Limits(networks=("192.0.2.0/24", "2001:db8::1"), partners=(places[0].partner.pk,))
    _, text = create_token("At home", "API full", by=STAFF, at=clock.now(), limits=limits)
    for address, expected in (
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("2001:db8::1", 200),
        ("198.51.100.7", 403),
        ("2001:db8::2", 403),
    ):
        client = Client(REMOTE_ADDR=address)
        answer = client.get("/api/v1/plans", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == expected, address
