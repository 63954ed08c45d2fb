"""Every case in vectors/*.txt. To add one, write it there; vectors/README.md explains how."""

import pytest
from tests.wire.radius.reader import Case, Runner, cases


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_the_vector_holds(case: Case):
    assert case.steps, "a case without steps proves nothing"
    Runner().run(case)
