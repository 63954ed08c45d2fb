"""Secrets at rest: who may seal, who may open. Plain Python over `cryptography`, no database, no framework.

An envelope is AES-256-GCM: format byte, wrapped data key, nonce, ciphertext and tag; its AAD is the place
("table.column.id"), so that a ciphertext moved to another row does not open. Whoever seals makes a short-lived data
key, wraps it (X25519, HKDF-SHA256) to the one who may open, and forgets it; the opener unwraps each data key once.
The wrapped key travels in the envelope, so that no row can be lost between a key and what it sealed. Private keys are
files of mode 0600 outside the database and its backup.
"""

import os
from collections import OrderedDict
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMAT = b"\x01"
HEADER = slice(1, 81)
NONCE = slice(81, 93)
BODY = 93
SEALS_PER_KEY = 10_000
KEYS_REMEMBERED = 4096


class Unsealable(Exception):
    """The envelope was not sealed for this opener and this place, or it was changed."""


def make_keys(directory: Path, name: str) -> None:
    """Make the pair `name`.key (0600) and `name`.pub in `directory`, unless it is there."""
    _keep_pair(directory, name, X25519PrivateKey)


def make_signing_keys(directory: Path, name: str) -> None:
    """The same for a pair that signs (Ed25519)."""
    _keep_pair(directory, name, Ed25519PrivateKey)


def _keep_pair(directory: Path, name: str, kind: type[X25519PrivateKey] | type[Ed25519PrivateKey]) -> None:
    if (directory / f"{name}.key").exists():
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = kind.generate()
    (directory / f"{name}.pub").write_bytes(private.public_key().public_bytes_raw())
    with os.fdopen(os.open(directory / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private.private_bytes_raw())


class Sealer:
    """Seals for one recipient; cannot open what it sealed once its data key is replaced."""

    def __init__(self, public_key: bytes) -> None:
        self._recipient = X25519PublicKey.from_public_bytes(public_key)
        self._public = public_key
        self._left = 0
        self._header = b""
        self._cipher: AESGCM | None = None

    def seal(self, plaintext: bytes, place: str) -> bytes:
        """The envelope of `plaintext`, bound to `place` ("table.column.id")."""
        if self._left == 0 or self._cipher is None:
            self._cipher = self._fresh()
            self._left = SEALS_PER_KEY
        self._left -= 1
        nonce = os.urandom(12)
        return FORMAT + self._header + nonce + self._cipher.encrypt(nonce, plaintext, place.encode())

    def _fresh(self) -> AESGCM:
        ephemeral = X25519PrivateKey.generate()
        public = ephemeral.public_key().public_bytes_raw()
        key = AESGCM.generate_key(256)
        wrapping = AESGCM(_wrapping_key(ephemeral.exchange(self._recipient), public, self._public))
        self._header = public + wrapping.encrypt(bytes(12), key, None)
        return AESGCM(key)


class Opener:
    """Opens what was sealed for its private key; remembers unwrapped data keys, so that opening costs a microsecond."""

    def __init__(self, private_key: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(private_key)
        self._public = self._private.public_key().public_bytes_raw()
        self._known: OrderedDict[bytes, AESGCM] = OrderedDict()

    @property
    def public_key(self) -> bytes:
        """What others, or it for its own later self, seal with."""
        return self._public

    def open(self, envelope: bytes, place: str) -> bytes:
        """The plaintext. Raises Unsealable for a wrong key, place, format or a changed byte."""
        if len(envelope) < BODY + 16 or envelope[:1] != FORMAT:
            raise Unsealable(f"{place}: not an envelope")
        header = envelope[HEADER]
        cipher = self._known.get(header)
        try:
            if cipher is None:
                cipher = self._unwrap(header)
            return cipher.decrypt(envelope[NONCE], envelope[BODY:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise Unsealable(f"{place}: sealed for somebody else, or changed") from error

    def _unwrap(self, header: bytes) -> AESGCM:
        ephemeral = header[:32]
        shared = self._private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        wrapping = AESGCM(_wrapping_key(shared, ephemeral, self._public))
        cipher = AESGCM(wrapping.decrypt(bytes(12), header[32:], None))
        self._known[header] = cipher
        if len(self._known) > KEYS_REMEMBERED:
            self._known.popitem(last=False)
        return cipher


def _wrapping_key(shared: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"demarc seal 1" + ephemeral + recipient).derive(shared)
