"""Logins and tokens: the first administrator, names, roles, and that no secret is kept."""

import pytest

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog
from demarc.core.errors import Refused
from demarc.staff.actions import create_login, create_token, ensure_super_administrator, revoke_token
from demarc.staff.models import ApiToken, Login
from demarc.staff.queries import opens, token_named

NOW = clock.now()


def test_the_first_start_makes_one_super_administrator_and_the_second_none(db):
    username, password = ensure_super_administrator(by=SYSTEM, at=NOW)
    login = Login.objects.get(username=username)
    assert login.check_password(password)
    assert login.role.permissions == ["*"]
    assert ensure_super_administrator(by=SYSTEM, at=NOW) is None


def test_a_user_name_is_taken_whatever_its_capitals(db):
    create_login(username="Ana", password="correct horse battery", role="Manager", by=SYSTEM, at=NOW)
    with pytest.raises(Refused) as refusal:
        create_login(username="ana", password="correct horse battery", role="Manager", by=SYSTEM, at=NOW)
    assert refusal.value.field == "username"


def test_an_unknown_role_is_answered_with_those_that_there_are(db):
    with pytest.raises(Refused, match="Cashier") as refusal:
        create_token("script", "Boss", by=SYSTEM, at=NOW)
    assert refusal.value.field == "role"


def test_a_token_opens_until_it_is_revoked_and_its_text_is_nowhere(db):
    token, plaintext = create_token("script", "api full", by=SYSTEM, at=NOW)
    assert opens(token_named(plaintext), NOW)
    assert plaintext not in str(list(ApiToken.objects.values()))
    assert plaintext not in str(list(OperationLog.objects.values()))
    revoke_token(token.pk, by=SYSTEM, at=NOW)
    assert not opens(token_named(plaintext), NOW)
    with pytest.raises(Refused):
        revoke_token(token.pk, by=SYSTEM, at=NOW)
