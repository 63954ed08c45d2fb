"""The web's first TLS certificate: self-signed, made once, for every address but loopback."""

import ipaddress
import socket
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from demarc.base import clock
from demarc.project.config import Config, write_private

VALID_DAYS = 3650


def certificate_paths(config: Config) -> tuple[Path, Path]:
    """Where certificate and key are."""
    return config.data / "tls" / "web.crt", config.data / "tls" / "web.key"


def ensure_certificate(config: Config) -> str:
    """Make certificate and key unless they are there; the SHA-256 fingerprint as browsers show it."""
    certificate_path, key_path = certificate_paths(config)
    if not (certificate_path.exists() and key_path.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
        write_private(certificate_path, _self_signed(config, key).public_bytes(Encoding.PEM).decode())
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _self_signed(config: Config, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    host = socket.gethostname()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    names: list[x509.GeneralName] = [x509.DNSName(host), x509.DNSName("localhost")]
    address = ipaddress.ip_address(config.web_bind)
    if not address.is_unspecified:
        names.append(x509.IPAddress(address))
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
