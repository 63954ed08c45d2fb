"""The certificate that 802.1X devices are shown: the provider's own files, or one that is made here under a CA of ours.

Files, in the keys' directory: `eap-ca.crt` (what devices are to trust), `eap-ca.key`, `eap.crt` and `eap.key`. Made at
the first start, and the server's own again in time; whoever trusts the CA notices nothing.
"""

import fcntl
import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from demarc.radiusd.config import Config
from demarc.wire.radius.eap import Context, server_context

CA_FILE = "eap-ca.crt"
SERVER_NAME = "radius.demarc.internal"
"""What devices are told to expect; Android asks for it. The top-level name is kept for private use."""

CA_VALID = timedelta(days=20 * 365)
SERVER_VALID = timedelta(days=800)
"""Apple's devices take no server certificate of more than 825 days."""

RENEWED_BEFORE = timedelta(days=60)
EARLY = timedelta(days=30)
"""Devices' clocks may be behind."""

KEY_BITS = 2048
"""RSA, since every device that speaks 802.1X has it; old ones know no elliptic curves."""

LOOK_S = 60.0
log = logging.getLogger(__name__)


class Certificate:
    """The certificate as it is now: looked after once a minute, when there is somebody to be shown it. `trouble`: why
    that which is there cannot be used, "" when it can."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        self._keys = config.keys
        own = config.eap_certificate, config.eap_key
        self._own = all(own)
        self._chain = config.eap_certificate or config.keys / "eap.crt"
        self._key = config.eap_key or config.keys / "eap.key"
        self._clock = clock
        self._looked_at = float("-inf")
        self._read: tuple[int, int] | None = None
        self._context: Context | None = None
        self._half = any(own) and not self._own
        self.trouble = ""

    def context(self) -> Context | None:
        """For a new conversation; None: there is none that can be used, as the log says."""
        if monotonic() - self._looked_at >= LOOK_S:
            self._looked_at = monotonic()
            trouble = self._look()
            if trouble and trouble != self.trouble:
                log.error("the certificate for 802.1X cannot be used: %s", trouble)
            self.trouble = trouble
        return self._context

    def _look(self) -> str:
        """Read it if it is new; what is wrong, if anything is."""
        if self._half:
            return "DEMARC_EAP_CERTIFICATE and DEMARC_EAP_KEY go together"
        try:
            if not self._own:
                ensure(self._keys, self._clock())
            stamps = self._chain.stat().st_mtime_ns, self._key.stat().st_mtime_ns
            if stamps != self._read:
                self._context = server_context(self._chain.read_bytes(), self._key.read_bytes())
                self._read = stamps
            expired = x509.load_pem_x509_certificate(self._chain.read_bytes()).not_valid_after_utc <= self._clock()
        except (OSError, ValueError) as error:
            return str(error)
        return "it has expired" if expired else ""


def ensure(directory: Path, now: datetime) -> None:
    """Make the CA unless it is there, and the server's certificate unless it is there and good for a while. Raises
    OSError."""
    if _good(directory / "eap.crt", now) and (directory / "eap.key").exists():
        return
    with (directory / "eap.lock").open("w") as file:  # several processes may start at once
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (directory / CA_FILE).exists():
            key = rsa.generate_private_key(65537, KEY_BITS)
            _write(directory / "eap-ca.key", _pem(key), 0o600)
            _write(directory / CA_FILE, _authority(key, now).public_bytes(Encoding.PEM), 0o644)
        if not _good(directory / "eap.crt", now) or not (directory / "eap.key").exists():
            _make_server(directory, now)


def _good(path: Path, now: datetime) -> bool:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc > now + RENEWED_BEFORE
    except (FileNotFoundError, ValueError):
        return False


def _make_server(directory: Path, now: datetime) -> None:
    """With the CA's behind it: some devices show the CA's to a person before they trust it."""
    authority = x509.load_pem_x509_certificate((directory / CA_FILE).read_bytes())
    signer = load_pem_private_key((directory / "eap-ca.key").read_bytes(), None)
    if not isinstance(signer, rsa.RSAPrivateKey):
        raise ValueError("eap-ca.key is not the key that was made here")
    key = rsa.generate_private_key(65537, KEY_BITS)
    certificate = (
        _builder(SERVER_NAME, authority.subject, key.public_key(), (now, SERVER_VALID))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )
    _write(directory / "eap.key", _pem(key), 0o600)
    chain = certificate.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM)
    _write(directory / "eap.crt", chain, 0o644)


def _authority(key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Demarc 802.1X CA {now:%Y-%m-%d}")])
    return (
        _builder("", subject, key.public_key(), (now, CA_VALID))
        .subject_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    name: str, issuer: x509.Name, key: rsa.RSAPublicKey, valid: tuple[datetime, timedelta]
) -> x509.CertificateBuilder:
    """What both kinds share. `name` "": the subject is named by the caller; `valid`: from a moment, for how long."""
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0] - EARLY)
        .not_valid_after(valid[0] - EARLY + valid[1])
    )
    if not name:
        return builder
    return builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, octets: bytes, mode: int) -> None:
    """Whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
