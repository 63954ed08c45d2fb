"""Which unsigned logins are answered (CVE-2024-3596)."""

import pytest

from demarc.wire import radius
from demarc.wire.radius import Requirement, keys

SECRET = radius.Secret(b"xyzzy5461")
PROXIED = radius.tlv(keys.PROXY_STATE, b"\x01")
EAP = radius.tlv(keys.EAP_MESSAGE, b"\x02\x01\x00\x05\x01")


def login(attributes: bytes = b"", *, signed: bool) -> radius.Packet:
    return radius.decode(radius.encode_request(keys.ACCESS_REQUEST, 7, bytes(16), attributes, SECRET, signed=signed))


@pytest.mark.parametrize("requirement", Requirement)
def test_a_signed_login_is_always_admitted(requirement):
    assert radius.admits(requirement, login(PROXIED, signed=True))


@pytest.mark.parametrize(("word", "admitted"), [("yes", False), ("no", True), ("auto", True)])
def test_an_unsigned_login_is_admitted_from_who_need_not_sign(word, admitted):
    assert radius.admits(Requirement(word), login(signed=False)) is admitted


@pytest.mark.parametrize("requirement", Requirement)
def test_an_unsigned_login_with_proxy_state_is_never_admitted(requirement):
    assert not radius.admits(requirement, login(PROXIED, signed=False))


@pytest.mark.parametrize("requirement", Requirement)
def test_accounting_need_not_be_signed(requirement):
    start = radius.decode(radius.accounting_request(7, PROXIED, SECRET))
    assert radius.admits(requirement, start)
    assert radius.learned(requirement, start) is requirement


def test_the_first_login_decides_for_auto():
    assert radius.learned(Requirement.AUTO, login(signed=True)) is Requirement.YES
    assert radius.learned(Requirement.AUTO, login(signed=False)) is Requirement.NO


def test_eap_decides_nothing_because_it_must_be_signed_anyway():
    assert radius.learned(Requirement.AUTO, login(EAP, signed=True)) is Requirement.AUTO


@pytest.mark.parametrize("requirement", [Requirement.YES, Requirement.NO])
def test_what_staff_decided_is_not_learned_away(requirement):
    for signed in (True, False):
        assert radius.learned(requirement, login(signed=signed)) is requirement
