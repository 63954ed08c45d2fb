"""wpa_supplicant's eapol_test against a real radiusd on a real database: 802.1X by every method that is spoken."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from tests.radiusd.process import Radiusd
from tests.radiusd.serving import eventually
from tests.radiusd.stage import SECRET
from tests.sim import supplicant
from tests.sim.supplicant import MD5, METHODS, PEAP, TTLS_CHAP, TTLS_MSCHAPV2, TTLS_PAP, Seen

from demarc.radiusd.eap_certificate import ensure

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not shutil.which("eapol_test"), reason="needs eapoltest"),
]
every_method = pytest.mark.parametrize("method", METHODS, ids="-".join)
KEY = "Value: 000001371"
"""Microsoft's attributes 16 and 17."""

tunnelled = pytest.mark.parametrize("method", [one for one in METHODS if one != MD5], ids="-".join)


@pytest.fixture
def device(server: Radiusd, tmp_path: Path) -> Callable[..., Seen]:
    def log_in(method: tuple[str, str], login: str = "alice", password: str = "alpha", **more) -> Seen:
        given = {"identity": login, "password": password, "ca_cert": Path(settings.DEMARC_KEYS) / "eap-ca.crt"}
        return supplicant.log_in(server.auth, SECRET, method, directory=tmp_path, **(given | more))

    return log_in


@every_method
def test_an_active_customer_gets_what_pap_would_give_him(device, method):
    seen = device(method)
    assert seen.succeeded
    assert "Value: 198.51.100.7" in seen.accept
    assert "Attribute 26 (Vendor-Specific)" in seen.accept  # his speed
    assert "'alice'" in seen.accept.partition("(User-Name)")[2].splitlines()[1]


@tunnelled
def test_both_ends_make_the_same_keys(device, method):
    seen = device(method)
    assert seen.keys_agree
    assert seen.accept.count(KEY) == 2


def test_md5_gives_no_keys(device):
    accept = device(MD5).accept
    assert accept
    assert KEY not in accept


@every_method
def test_a_wrong_password_is_rejected(device, method):
    seen = device(method, password="wrong")
    assert not seen.succeeded
    assert "EAP-Message" in seen.reject


@every_method
def test_a_name_that_is_nobodys_is_rejected(device, method):
    seen = device(method, "nobody")
    assert not seen.succeeded
    assert seen.reject


@every_method
def test_a_blocked_customer_is_let_in_on_the_list_for_a_while(device, method):
    seen = device(method, "dora", "delta")
    assert seen.succeeded
    assert b"Reject_2".hex() in seen.accept
    assert "(Session-Timeout) length=6\n      Value: 300" in seen.accept


@tunnelled
def test_the_wrong_device_gets_an_address_of_the_reject_pool(device, method):
    wrong = device(method, "mac", "mu", options=("-M", "02:00:00:00:00:02"))
    right = device(method, "mac", "mu", options=("-M", "02:00:00:00:00:01"))
    assert "Value: 10.250.253." in wrong.accept
    assert "Value: 172.16." in right.accept


@tunnelled
def test_the_inner_name_counts_and_is_told_to_the_router(device, method):
    seen = device(method, anonymous_identity="somebody")
    assert seen.succeeded
    assert seen.keys_agree
    assert "'alice'" in seen.accept.partition("(User-Name)")[2].splitlines()[1]


def test_an_outer_name_opens_nothing(device):
    """alice's name outside, bob's inside: he is bob, and needs bob's password."""
    assert not device(TTLS_PAP, "bob", "alpha", anonymous_identity="alice").succeeded
    assert "'bob'" in device(PEAP, "bob", "beta", anonymous_identity="alice").accept


@pytest.mark.parametrize("mtu", [100, 300, 1500])
@pytest.mark.parametrize("method", [PEAP, TTLS_MSCHAPV2], ids="-".join)
def test_packets_are_never_larger_than_the_router_says(device, method, mtu):
    seen = device(method, options=("-N", f"12:d:{mtu}"))
    assert seen.succeeded
    assert seen.keys_agree
    sizes = [sum(int(line.split("length=")[1]) - 2 for line in reply.splitlines() if "79 (EAP-Message)" in line)
             for reply in seen.replies]  # fmt: skip
    assert mtu // 2 < max(sizes) <= min(mtu, 1020)
    assert len(sizes) > (25 if mtu == 100 else 6)


@pytest.mark.parametrize("method", [PEAP, TTLS_CHAP], ids="-".join)
def test_a_device_that_sends_small_pieces_itself(device, method):
    seen = device(method, fragment_size=60)
    assert seen.succeeded
    assert seen.keys_agree


def test_he_who_logs_in_again_is_judged_again(device):
    """No session is resumed: three logins, each with its own keys."""
    seen = device(PEAP, options=("-r", "2"))
    assert "MPPE keys OK: 3  mismatch: 0" in seen.text


def test_a_device_that_trusts_another_ca_is_named_in_the_decisions(device, server, tmp_path):
    other = tmp_path / "other.pem"
    make_authority(other)
    seen = device(PEAP, ca_cert=other, anonymous_identity="distrustful")
    assert not seen.succeeded
    assert "does not trust the RADIUS server's certificate. (EAP peap: " in why_of("distrustful")


def test_a_device_that_wants_another_method_is_named_too(device):
    assert not device(("FAST", "MSCHAPV2"), phase1="fast_provisioning=1", identity="fastidious").succeeded
    assert "wants none of PEAP" in why_of("fastidious")


def test_what_was_inside_is_told_with_the_decision(device):
    assert device(TTLS_PAP, "bob", "beta", anonymous_identity="quite-another").succeeded
    assert why_of("bob", "quite-another") == "The customer is active. (EAP ttls-pap, outer name quite-another)"


def test_a_router_with_another_secret_hears_nothing(server, tmp_path):
    seen = supplicant.log_in(
        server.auth, "something-else", MD5, directory=tmp_path, timeout_s=2, identity="alice", password="alpha"
    )
    assert not seen.succeeded
    assert not seen.replies


def test_the_status_tells_how_many_came_how(device, server):
    device(PEAP)
    told = server.until(lambda status: status["eap"].get("peap-mschapv2", 0) > 0)
    assert told["eap"]["challenges"] > told["eap"]["begun"] > 0
    assert told["eap_trouble"] == ""
    assert told["dropped"].get("bug", 0) == 0


def test_the_private_keys_are_readable_by_nobody_else(server):
    for name in ("eap.key", "eap-ca.key"):
        assert os.stat(Path(settings.DEMARC_KEYS) / name).st_mode & 0o777 == 0o600


def make_authority(path: Path) -> None:
    """A CA that has nothing to do with ours."""
    ensure(path.parent, datetime.now(UTC))
    (path.parent / "eap-ca.crt").rename(path)


def why_of(login: str, part: str = "", within_s: float = 5) -> str:
    """Why the latest decision about a login was made so, once it is written."""

    def found() -> str:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT why FROM access_decision WHERE login = %s AND method = 'eap' AND strpos(why, %s) > 0"
                " ORDER BY at DESC LIMIT 1",
                [login, part],
            )
            row = cursor.fetchone()
        return row[0] if row else ""

    assert eventually(lambda: bool(found()), within_s)
    return found()
