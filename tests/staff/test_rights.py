"""Words of rights: what each lets do, what the coarse ones of before became, and what ships."""

from importlib import import_module

import pytest

from demarc.staff.models import Role
from demarc.staff.permissions import ALL, PARTS, PERMISSIONS, covers, grants, overridden, reason, spread
from demarc.staff.shipped import SHIPPED

BEFORE = import_module("demarc.staff.migrations.0002_roles").ROLES
FINER = import_module("demarc.staff.migrations.0005_rights").FINER


def test_to_edit_is_to_see_and_nothing_more():
    assert grants(["accounts.edit"], "accounts.see")
    assert not grants(["accounts.see"], "accounts.edit")
    assert not grants(["accounts.edit"], "customers.see")
    assert grants([ALL], "settings.edit")


def test_what_has_no_sight_of_its_own_grants_none():
    assert spread(["blocks.edit"]) == {"blocks.edit"}
    assert spread(["payments.edit"]) == {"payments.edit", "payments.see", "cashdesk.edit"}


def test_covering_is_by_what_one_may_do_not_by_how_it_is_written():
    assert covers(["payments.edit", "plans.see"], ["cashdesk.edit", "payments.see"])
    assert not covers(["payments.see"], ["cashdesk.edit"])
    assert not covers(sorted(PERMISSIONS), [ALL])
    assert covers([ALL], [ALL])


def test_what_is_withdrawn_takes_along_what_would_bring_it_back():
    held = overridden(["customers.edit", "plans.see"], ["runs.see"], ["contacts.see"])
    assert held == {"customers.see", "plans.see", "runs.see"}
    assert overridden(["plans.edit"], [], ["plans.edit"]) == {"plans.see"}
    assert overridden(["plans.edit"], [], ["plans.see"]) == set()
    assert ALL in overridden([ALL], [], ["plans.see"])


def test_a_right_is_explained_by_the_word_that_brings_it():
    assert reason(["payments.edit", "plans.see"], "cashdesk.edit") == "payments.edit"
    assert reason(["payments.edit", "payments.see"], "payments.see") == "payments.see"
    assert reason(["plans.see"], "payments.see") == ""
    assert reason([ALL], "log.see") == ALL


def test_every_part_has_a_word_and_no_word_is_longer_than_its_column():
    assert all(part.words for part in PARTS)
    assert max(len(word) for word in PERMISSIONS) <= 40


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_nobody_lost_a_right_when_words_became_finer(name, db):
    before = {new for word in BEFORE[name] for new in FINER.get(word, [word])}
    if name != "Cashier":
        assert covers(SHIPPED[name].words, before)


def test_the_database_holds_just_what_ships(db):
    rows = {role.name: (spread(role.permissions), role.bound, role.shipped) for role in Role.objects.all()}
    assert rows == {name: (spread(one.words), one.bound, name) for name, one in SHIPPED.items()}


def test_shipped_roles_hold_only_known_words():
    for name, one in SHIPPED.items():
        assert set(one.words) <= {*PERMISSIONS, ALL}, name
