"""How another machine becomes a RADIUS node: the token that the first one prints, and what the new one keeps of it.

In the token are the node's name, the database login of radiusd and the key that opens subscribers' and routers'
secrets, sealed by a code that is printed beside it and goes another way. It opens for a day, and for one node.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from demarc.core.errors import Refused
from demarc.project.config import Config, write_private
from demarc.project.roles import connect

PREFIX = "demarc-join-1-"
ABOUT = b"demarc join 1"
VALID = timedelta(days=1)
CODE_BYTES, CODE_GROUP = 10, 4
SALT_BYTES, NONCE_BYTES = 16, 12
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 14, 8, 1

KNOWN = "select exists (select from access_bookmark where starts_with(node, %s))"


@dataclass(frozen=True, kw_only=True)
class Joining:
    """What a new node is told. `until`: from then on it is not believed."""

    node: str
    url: str
    key: bytes
    until: datetime


def make_token(told: Joining) -> tuple[str, str]:
    """The token, one line of text, and the code that opens it (16 letters and digits in groups)."""
    code = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    text = json.dumps(
        {"node": told.node, "url": told.url, "key": told.key.hex(), "until": told.until.isoformat()}
    ).encode()
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = AESGCM(_key(code, salt)).encrypt(nonce, text, ABOUT)
    token = PREFIX + base64.urlsafe_b64encode(salt + nonce + sealed).decode().rstrip("=")
    return token, "-".join(code[at : at + CODE_GROUP] for at in range(0, len(code), CODE_GROUP))


def read_token(token: str, code: str, at: datetime) -> Joining:
    """What it says. Refuses (code "node") one that is none, that the code does not open, or that is too old."""
    token, code = token.strip(), "".join(code.split()).replace("-", "").upper()
    try:
        raw = base64.b64decode(token.removeprefix(PREFIX) + "==", altchars=b"-_", validate=False)
        salt, nonce, sealed = raw[:SALT_BYTES], raw[SALT_BYTES:][:NONCE_BYTES], raw[SALT_BYTES + NONCE_BYTES :]
        told = json.loads(AESGCM(_key(code, salt)).decrypt(nonce, sealed, ABOUT))
    except (InvalidTag, ValueError) as error:
        raise Refused("The token and the code do not fit each other.", field="join", code="node") from error
    joining = Joining(
        node=told["node"],
        url=told["url"],
        key=bytes.fromhex(told["key"]),
        until=datetime.fromisoformat(told["until"]),
    )
    if at > joining.until:
        raise Refused("The token is too old; demarc invite makes another.", field="join", code="node")
    return joining


def join(config: Config, told: Joining) -> None:
    """Make this data directory the node's.

    Refuses (code "node") a directory that is in use and a node that has joined already, ("database") a database that
    does not answer or has no tables.
    """
    if (config.data / "secrets").exists():
        raise Refused(f"{config.data} is in use; give the node a directory of its own with --data.", code="node")
    with connect(told.url, "the token") as conn:
        try:
            row = conn.execute(KNOWN, (f"{told.node}/",)).fetchone()
        except psycopg.Error as error:
            message = f"The database of the token is no Demarc's: {error.diag.message_primary}."
            raise Refused(message, code="database") from error
    if row is None or row[0]:
        raise Refused(f"A node {told.node} has joined already; make a token with another name.", code="node")
    config.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = X25519PrivateKey.from_private_bytes(told.key).public_key().public_bytes_raw()
    (config.keys / "radius.pub").write_bytes(public)
    with os.fdopen(os.open(config.keys / "radius.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(told.key)
    write_private(config.data / "secrets" / "radius_url", told.url)
    write_private(config.data / "secrets" / "node", told.node)


def _key(code: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(code.replace("-", "").encode())
