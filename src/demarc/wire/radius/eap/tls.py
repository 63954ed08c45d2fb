"""A server's end of TLS by memory, and the keys that both ends make of it. Knows no EAP.

OpenSSL by pyOpenSSL, since the standard library exports no keying material. TLS 1.2 only: with 1.3 the keys have other
labels (RFC 9427), which few devices have agreed on so far; a device that can do both comes with 1.2. No session is
resumed: each login is judged.
"""

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL

from ..errors import Malformed
from .steps import Why

PLAIN_MAX = 16_384
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:AESGCM:AES:!aNULL:!eNULL:!PSK:!SRP:!DSS"
"""Forward secret ones first; plain RSA with AES for old televisions and routers."""

_DISTRUST = ("unknown ca", "bad certificate", "certificate unknown", "certificate expired", "unsupported certificate")

Context = SSL.Context


class TlsTrouble(Exception):
    """The handshake failed. `why`, and what TLS says."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


def server_context(chain: bytes, key: bytes) -> Context:
    """What all conversations share. `chain`: the server's certificate and those above it, PEM; `key`: PEM, unencrypted.
    Raises ValueError when they are not that, or do not fit each other."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    try:
        context.set_cipher_list(CIPHERS)
        own, *above = load_pem_x509_certificates(chain)
        context.use_certificate(own)
        for certificate in above:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(load_pem_private_key(key, None))  # type: ignore[arg-type]
        context.check_privatekey()
    except (SSL.Error, TypeError) as error:
        raise ValueError(f"certificate and key cannot be used: {error}") from error
    return context


class Tls:
    """One device's end."""

    def __init__(self, context: Context) -> None:
        self._ssl = SSL.Connection(context, None)
        self._ssl.set_accept_state()

    def handshake(self, octets: bytes) -> bool:
        """Go on with these; whether it is done. Raises TlsTrouble: what is still to be said is in `out`."""
        try:
            self._ssl.bio_write(octets)
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise _trouble(error) from None
        return True

    def read(self, octets: bytes) -> bytes:
        """What was sealed in these records. Raises Malformed, also when the device closes."""
        plain = b""
        try:
            if octets:
                self._ssl.bio_write(octets)
            while len(plain) <= PLAIN_MAX:
                plain += self._ssl.recv(PLAIN_MAX)
        except SSL.WantReadError:
            return plain
        except SSL.Error as error:
            raise Malformed(f"TLS: {_words(error)}") from None
        raise Malformed("more than a password and a name")

    def seal(self, plain: bytes) -> bytes:
        """As records to send."""
        self._ssl.send(plain)
        return self.out()

    def out(self) -> bytes:
        """What is to be sent, b"" for nothing."""
        found = b""
        try:
            while True:
                found += self._ssl.bio_read(PLAIN_MAX)
        except SSL.WantReadError:
            return found

    def export(self, label: bytes, size: int) -> bytes:
        """Octets that both ends can make and nobody else (RFC 5705)."""
        return self._ssl.export_keying_material(label, size)


def _trouble(error: SSL.Error) -> TlsTrouble:
    words = _words(error)
    distrust = "alert" in words and any(said in words for said in _DISTRUST)
    return TlsTrouble(Why.UNTRUSTED if distrust else Why.TLS, words)


def _words(error: SSL.Error) -> str:
    told = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(str(entry[-1]) for entry in told) or type(error).__name__
