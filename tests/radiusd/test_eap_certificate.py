"""The certificate that 802.1X devices are shown: made once, renewed under the same CA, or the provider's own."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from demarc.radiusd import eap_certificate
from demarc.radiusd.config import Config, from_environment
from demarc.radiusd.eap_certificate import SERVER_NAME, SERVER_VALID, Certificate, ensure

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch):
    monkeypatch.setattr(eap_certificate, "LOOK_S", 0.0)


def read(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


def certificate(keys: Path, now: datetime = NOW, **own: Path) -> Certificate:
    return Certificate(Config(url="", data=keys, keys=keys, **own), lambda: now)


def test_the_first_start_makes_a_ca_and_a_certificate_that_it_signed(tmp_path):
    assert certificate(tmp_path).context() is not None
    server, shown_ca = read(tmp_path / "eap.crt")
    (authority,) = read(tmp_path / "eap-ca.crt")
    assert shown_ca == authority
    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [SERVER_NAME]
    assert server.not_valid_after_utc - server.not_valid_before_utc <= timedelta(days=825)
    assert {os.stat(tmp_path / name).st_mode & 0o777 for name in ("eap.key", "eap-ca.key")} == {0o600}


def test_the_next_start_changes_nothing(tmp_path):
    ensure(tmp_path, NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ensure(tmp_path, NOW + timedelta(days=300))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_in_time_the_servers_is_renewed_and_who_trusts_the_ca_notices_nothing(tmp_path):
    ensure(tmp_path, NOW)
    (authority,), (old, _) = read(tmp_path / "eap-ca.crt"), read(tmp_path / "eap.crt")
    later = NOW + SERVER_VALID - timedelta(days=31)
    ensure(tmp_path, later)
    (same,), (new, _) = read(tmp_path / "eap-ca.crt"), read(tmp_path / "eap.crt")
    assert same == authority
    assert new != old
    assert new.not_valid_after_utc > later + timedelta(days=700)
    new.verify_directly_issued_by(authority)


def test_processes_that_start_together_make_one(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: ensure(tmp_path, NOW), range(3)))
    assert certificate(tmp_path).context() is not None
    (server, _), (authority,) = read(tmp_path / "eap.crt"), read(tmp_path / "eap-ca.crt")
    server.verify_directly_issued_by(authority)


def test_the_providers_own_is_taken_and_nothing_is_made(tmp_path):
    theirs, keys = tmp_path / "theirs", tmp_path / "keys"
    theirs.mkdir(), keys.mkdir()
    ensure(theirs, NOW)
    environ = {
        "DEMARC_DATA": str(tmp_path), "DEMARC_KEYS": str(keys), "DEMARC_RADIUS_URL": "postgresql://x",
        "DEMARC_EAP_CERTIFICATE": str(theirs / "eap.crt"), "DEMARC_EAP_KEY": str(theirs / "eap.key"),
    }  # fmt: skip
    own = Certificate(from_environment(environ), lambda: NOW)
    assert own.context() is not None
    assert list(keys.iterdir()) == []


def test_a_renewed_file_of_the_provider_is_read_again_and_a_broken_one_is_not(tmp_path, caplog):
    ensure(tmp_path, NOW)
    own = certificate(tmp_path, eap_certificate=tmp_path / "eap.crt", eap_key=tmp_path / "eap.key")
    first = own.context()
    assert own.context() is first
    ensure(tmp_path, NOW + SERVER_VALID)
    second = own.context()
    assert second is not first
    (tmp_path / "eap.crt").write_text("nonsense")
    assert own.context() is second
    assert "cannot be used" in caplog.text


@pytest.mark.parametrize("missing", ["eap_key", "eap_certificate"])
def test_one_file_without_the_other_is_said(tmp_path, caplog, missing):
    ensure(tmp_path, NOW)
    files = {"eap_certificate": tmp_path / "eap.crt", "eap_key": tmp_path / "eap.key"}
    half = certificate(tmp_path, **{name: path for name, path in files.items() if name != missing})
    assert half.context() is None
    assert "go together" in half.trouble
    assert "go together" in caplog.text


def test_one_that_has_expired_is_said_once_and_shown_all_the_same(tmp_path, caplog):
    ensure(tmp_path, NOW)
    files = {"eap_certificate": tmp_path / "eap.crt", "eap_key": tmp_path / "eap.key"}
    late = certificate(tmp_path, NOW + timedelta(days=1000), **files)
    assert late.context() is not None
    assert late.context() is not None
    assert late.trouble == "it has expired"
    assert caplog.text.count("it has expired") == 1


def test_a_key_of_another_certificate_is_refused(tmp_path, caplog):
    one, other = tmp_path / "one", tmp_path / "other"
    for directory in (one, other):
        directory.mkdir()
        ensure(directory, NOW)
    mixed = certificate(tmp_path, eap_certificate=one / "eap.crt", eap_key=other / "eap.key")
    assert mixed.context() is None
    assert "cannot be used" in caplog.text


def test_where_nothing_can_be_written_there_is_no_certificate_and_no_crash(tmp_path, caplog):
    assert certificate(tmp_path / "not-there").context() is None
    assert "cannot be used" in caplog.text
