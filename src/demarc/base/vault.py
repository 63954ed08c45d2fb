"""Sealing inside Django: for radiusd (which alone opens it), for the worker that sends messages, and for the operation
log's subjects, and for what staff log in with.

The web and worker processes hold public keys only, but for the log's, which they must show, the staff's, which a login
asks for, and the messages', which only the sending job asks for.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from demarc.base.models import SubjectKey
from demarc.base.seal import Opener, Sealer

AUDIENCES = ("radius", "log", "messages", "staff")
SIGNER = "log-signer"

# By hand, for every row of the log asks: the ORM makes the same statement for four times the price.
SUBJECT_KEY = "SELECT wrapped FROM base_subjectkey WHERE subject_kind = %(kind)s AND subject_id = %(subject)s"
NEW_SUBJECT_KEY = """
INSERT INTO base_subjectkey (subject_kind, subject_id, wrapped) VALUES (%(kind)s, %(subject)s, %(wrapped)s)
ON CONFLICT DO NOTHING RETURNING wrapped
"""
# Another transaction may hold a first key that it has not committed: on a second connection it may be our own caller's.
PATIENCE = "SET LOCAL lock_timeout = '1s'"


def keys_directory() -> Path:
    """Where the key files are: outside the database."""
    return Path(settings.DEMARC_KEYS)


@cache
def _sealer(audience: str) -> Sealer:
    return Sealer((keys_directory() / f"{audience}.pub").read_bytes())


@cache
def _log_opener() -> Opener:
    return Opener((keys_directory() / "log.key").read_bytes())


@cache
def _log_signer() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes((keys_directory() / f"{SIGNER}.key").read_bytes())


@cache
def _messages_opener() -> Opener:
    return Opener((keys_directory() / "messages.key").read_bytes())


@cache
def _staff_opener() -> Opener:
    return Opener((keys_directory() / "staff.key").read_bytes())


def seal_for_radius(secret: str, place: str) -> bytes:
    """Seal a subscriber's or a NAS's secret; `place` is "table.column.id". Only radiusd can open it."""
    return _sealer("radius").seal(secret.encode(), place)


def seal_for_messages(secret: str, place: str) -> bytes:
    """Seal what a mail server or SMS gateway wants to see; `place` is "table.column.id"."""
    return _sealer("messages").seal(secret.encode(), place)


def open_for_messages(sealed: bytes, place: str) -> str:
    """The secret, for the worker that is about to send. Raises base.seal.Unsealable for another place."""
    return _messages_opener().open(sealed, place).decode()


def seal_for_staff(secret: str, place: str) -> bytes:
    """Seal what a member of staff proves himself with; `place` is "table.column.id"."""
    return _sealer("staff").seal(secret.encode(), place)


def open_for_staff(sealed: bytes, place: str) -> str:
    """The secret, to check what was typed against it. Raises base.seal.Unsealable for another place."""
    return _staff_opener().open(sealed, place).decode()


def sign_for_log(message: bytes) -> bytes:
    """An Ed25519 signature by the log's sealer, the worker that seals; nothing else asks for it."""
    return _log_signer().sign(message)


def log_signer_public() -> bytes:
    """What such a signature is verified with: 32 bytes."""
    return _log_signer().public_key().public_bytes_raw()


def seal_for_subject(kind: str, subject_id: int, body: bytes, *, using: str = DEFAULT_DB_ALIAS) -> bytes:
    """Seal a log body with the subject's own key, made at its first use: on the connection by which the row is saved,
    since a key that was rolled back opens nothing. OperationalError on another than the default one: somebody else is
    about to make that key."""
    nonce = os.urandom(12)
    cipher = AESGCM(_subject_key(kind, subject_id, using))
    return nonce + cipher.encrypt(nonce, body, _bound(kind, subject_id))


def open_for_subject(kind: str, subject_id: int, sealed: bytes) -> bytes | None:
    """The log body, or None when the subject's key was destroyed."""
    return open_for_subjects([(kind, subject_id, sealed)])[0]


def open_for_subjects(sealed: Iterable[tuple[str, int, bytes]]) -> list[bytes | None]:
    """The same for many bodies (kind, id, sealed), with one question to the database. A body that another key of the
    subject sealed is as gone as one without any."""
    wanted = list(sealed)
    subjects = {(kind, key) for kind, key, _ in wanted}
    kinds = {kind for kind, _ in subjects}
    rows = SubjectKey.objects.filter(subject_kind__in=kinds, subject_id__in={key for _, key in subjects})
    keys = {(row.subject_kind, row.subject_id): bytes(row.wrapped) for row in rows}
    ciphers = {
        subject: AESGCM(_log_opener().open(keys[subject], _place(*subject))) for subject in subjects & keys.keys()
    }
    return [_opened(ciphers.get((kind, key)), body, _bound(kind, key)) for kind, key, body in wanted]


def _opened(cipher: AESGCM | None, sealed: bytes, bound: bytes) -> bytes | None:
    if cipher is None:
        return None
    try:
        return cipher.decrypt(sealed[:12], sealed[12:], bound)
    except InvalidTag:
        return None


def _subject_key(kind: str, subject_id: int, using: str) -> bytes:
    subject, place = {"kind": kind, "subject": subject_id}, _place(kind, subject_id)
    found = _asked(using, SUBJECT_KEY, subject)
    if not found:
        fresh = _sealer("log").seal(AESGCM.generate_key(256), place)
        with _patience(using):
            found = _asked(using, NEW_SUBJECT_KEY, subject | {"wrapped": fresh})
    if not found:  # another one was quicker
        found = _asked(using, SUBJECT_KEY, subject)
    return _log_opener().open(bytes(found[0][0]), place)


def _asked(using: str, statement: str, values: dict[str, Any]) -> list[Any]:
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


@contextmanager
def _patience(using: str) -> Iterator[None]:
    if using == DEFAULT_DB_ALIAS:
        yield
        return
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute(PATIENCE)
        yield


def _bound(kind: str, subject_id: int) -> bytes:
    return f"{kind}.{subject_id}".encode()


def _place(kind: str, subject_id: int) -> str:
    return f"base_subjectkey.wrapped.{kind}.{subject_id}"
