"""A model-based test: whatever people do, in whatever order, each balance is what a small dictionary says.

DEMARC_MODEL_STEPS: how many steps in all, DEMARC_SEED: which stories. What fails names its seed. The campaign of a
million steps is bench/campaigns/books.py.
"""

import os

import pytest
from tests.billing.provider import play

STEPS = int(os.environ.get("DEMARC_MODEL_STEPS", "20000"))
SEED = int(os.environ.get("DEMARC_SEED", "7"))
PARTS = 4
"""As many tests, so that several processes share the work."""


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_the_books_are_those_of_a_small_dictionary(part):
    played = play(STEPS // PARTS, SEED + part * 1_000_000)
    assert played["documents"] > played["steps"] / 50, f"hardly anything happens: {played}"
