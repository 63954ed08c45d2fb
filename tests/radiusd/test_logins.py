"""Logins are kept packed and opened when they are asked for: nothing is lost on the way."""

from typing import Any

import pytest

from demarc.core.access import Cause
from demarc.radiusd import logins
from demarc.radiusd.logins import Logins

ANA = {
    "id": 1, "partner_id": 7, "service_id": 101, "realm": "", "login": "ana", "secret": "abcd",
    "macs": ["02:00:00:00:00:01"], "limit": 1, "pool_id": None, "timeout": 60, "active": True, "cause": 2,
    "static": "192.0.2.7", "routes": ["198.51.100.0/24"], "down": 10_000, "up": 2_000, "rate": "2M/10M", "owed": 1234,
    "currency": "EUR", "prefix": "2001:db8:7::/64", "delegated": "2001:db8:700::/56", "ipv6": "2001:db8:7::1",
    "learns": 2, "relearns": False, "port": "ether1", "used_up": True,
}  # fmt: skip


def row(**facts: Any) -> list[Any]:
    return list((ANA | facts).values())


@pytest.fixture
def kept():
    return Logins(set())


@pytest.fixture
def two_open(monkeypatch):
    """Of all logins only two are open at a time."""
    monkeypatch.setattr(logins, "OPEN_MAX", 2)


def test_a_login_comes_out_as_it_was_put_in(kept):
    kept.put(row())
    ana = kept[1]
    rule = ana.rule
    assert (ana.id, ana.partner_id, ana.service_id, ana.name, ana.sealed) == (1, 7, 101, b"ana", b"\xab\xcd")
    assert (ana.rate_limit, ana.owed, ana.owed_currency) == ("2M/10M", 1234, "EUR")
    assert (rule.blocked, rule.used_up, rule.macs, rule.port) == (Cause.NO_MONEY, True, {"02:00:00:00:00:01"}, "ether1")
    assert (str(rule.static_ipv4), rule.routes, rule.session_timeout_s) == ("192.0.2.7", ("198.51.100.0/24",), 60)
    assert list(map(str, (rule.ipv6.prefix, rule.ipv6.delegated, rule.ipv6.address))) == [
        "2001:db8:7::/64", "2001:db8:700::/56", "2001:db8:7::1"
    ]  # fmt: skip
    assert kept.of_partner(7).get(b"ana") is ana


def test_one_who_was_closed_for_others_opens_again_the_same(kept, two_open):
    for number, name in enumerate(("ana", "bob", "eva"), 1):
        kept.put(row(id=number, login=name))
    names = kept.of_partner(7)
    first = names[b"ana"]
    assert names[b"ana"] is first
    assert [names[name].id for name in (b"bob", b"eva")] == [2, 3]
    again = names[b"ana"]
    assert again is not first
    assert (again.rule, again.name) == (first.rule, first.name)


def test_a_device_that_was_learned_is_known_after_he_was_closed(kept, two_open):
    kept.put(row())
    kept.learn(kept[1], "02:00:00:00:00:02")
    for number in (2, 3):
        kept.put(row(id=number, login=f"other{number}"))
        assert kept[number]
    assert kept[1].rule.macs == {"02:00:00:00:00:01", "02:00:00:00:00:02"}


def test_a_name_that_changes_hands_is_its_new_holders(kept):
    kept.put(row(login="gone"))
    kept.put(row(id=2, login="heir"))
    names = kept.of_partner(7)
    kept.put(row(id=2, login="gone"))
    kept.drop(1)
    assert b"heir" not in names
    assert names[b"gone"].id == 2
    kept.put(row(id=2, login="gone", partner_id=8))
    assert b"gone" not in names
    assert kept.of_partner(8)[b"gone"].id == 2


def test_a_login_that_makes_no_sense_is_nobodys_and_named(kept):
    with pytest.raises(ValueError, match="cause 77"):
        kept.put(row(cause=77))
    assert 1 not in kept
    kept.put(row(static="nonsense"))
    assert kept.get(1) is None
    with pytest.raises(KeyError):
        kept[1]
    assert kept._unreadable == {"subscriber 1"}
    assert kept.get(99) is None


def test_only_those_that_were_found_are_kept(kept):
    for number in (1, 2, 3):
        kept.put(row(id=number, login=f"user{number}"))
    kept.keep_only({2, 9})
    assert (len(kept), 2 in kept, kept.of_partner(7).get(b"user1")) == (1, True, None)


def test_a_password_is_not_shown_with_its_login(kept):
    kept.put(row())
    kept[1].password = b"very secret"
    assert "secret" not in repr(kept[1])
