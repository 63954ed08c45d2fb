"""What the pages of lists cost: no page reads or sorts a whole big table, and more rows are no more questions."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests import cast
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.ui.lists import ROWS

BIG = ("customers_customer", "billing_document", "billing_payment", "messages_message", "access_sessionlive")
PAGES = [
    "/customers/",
    "/customers/?sort=name",
    "/customers/?sort=-number",
    "/customers/?sort=status",
    "/documents/",
    "/documents/?sort=-issued_on",
    "/payments/",
    "/payments/?sort=received_on",
    "/sessions/",
    "/messages/",
]


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator", "ana"))


def plan_of(statement: str) -> str:
    """How PostgreSQL would go about it if it did what it can to sort nothing and to read no table from end to end."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_a_page_of_a_big_list_is_read_by_an_index_in_its_order(client):
    for page in PAGES:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page).status_code == 200
        shown = [one["sql"] for one in asked if f"LIMIT {ROWS + 1}" in one["sql"]]
        assert len(shown) == 1, page
        plan = plan_of(shown[0])
        assert not [table for table in BIG if f"Seq Scan on {table}" in plan], (page, plan)
        assert "Sort" not in plan, (page, plan)


def test_more_rows_are_no_more_questions(place, client):
    def questions() -> dict[str, int]:
        made = {}
        for page in ("/", "/customers/", "/customers/?q=twin", "/payments/", "/payments/?q=twin", "/sessions/"):
            with CaptureQueriesContext(connection) as asked:
                assert client.get(page).status_code == 200
            made[page] = len(asked)
        return made

    def two_more() -> None:
        for _ in range(2):
            cast.subscriber(place.partner, place.scene.plan, name="Twin", paid=500, at=clock.now())

    two_more()
    questions()
    before = questions()
    two_more()
    two_more()
    assert questions() == before
