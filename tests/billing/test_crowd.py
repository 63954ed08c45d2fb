"""Much happens to few services on few days, and the books hold.

By hand: DEMARC_CROWD=n tells n stories instead, DEMARC_SEED says from which seed on, and -o log_cli=true what is found
meanwhile. A fault is told as the shortest story that shows it.
"""

import logging
import os

import pytest
from tests.billing.crowd import Story, shorter, story, tell

STORIES = int(os.environ.get("DEMARC_CROWD", "4"))
SEED = int(os.environ.get("DEMARC_SEED", "1"))
FAULTS_MAX = 5
"""After so many the rest of a long run says nothing new."""

JANUARY = {"billing_day": 1, "offset": 0}
MOTHER, SON = {"prepaid": False, "rich": True}, {"prepaid": True, "rich": True}
KEPT = {
    "paid by the day, then through another": [
        ("join", MOTHER), ("join", SON), ("days_pass", {"days": 9}), ("convert", {"pick": 1}),
        ("link", {"pick": 1, "other": 0}), ("days_pass", {"days": 2}),
        ("move", {"pick": 1, "plan": 1, "own": None}),
    ],
    "blocked, there and back within a day": [
        ("join", SON | {"rich": False}), ("days_pass", {"days": 1}), *[("convert", {"pick": 0})] * 3,
    ],
}  # fmt: skip
"""Stories that once ended badly."""

logger = logging.getLogger(__name__)


def in_words(number: int, told: Story, fault: object) -> str:
    deeds = "\n".join(f"    {name} {given}" for name, given in told.deeds)
    return f"seed {number}: {fault}\n    begin {told.begin}\n{deeds}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", KEPT)
def test_what_once_ended_badly_ends_well(name):
    assert tell(Story(JANUARY, KEPT[name])) is None


@pytest.mark.timeout(7200)
@pytest.mark.django_db(transaction=True)
def test_whatever_happens_within_few_days_each_day_is_paid_once_and_the_books_hold():
    faults = []
    for number in range(SEED, SEED + STORIES):
        told = story(number)
        fault = tell(told)
        if fault is not None:
            faults.append(in_words(number, *shorter(told, fault)))
            logger.warning(faults[-1])
        if number % 10 == 0:
            logger.warning("seed %s, %s faults", number, len(faults))
        if len(faults) == FAULTS_MAX:
            break
    assert faults == [], "\n".join(faults)
