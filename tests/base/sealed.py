"""A sealed log made of nothing but text: its exported lines, and the directory of its seals."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demarc.base.verify_log import NO_HEAD, head_of, read_entry, signed_words

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = SIGNER.public_key().public_bytes_raw()
AT = "2026-03-01T10:00:00.000000Z"
LATER = "2028-03-01T10:00:00.000000Z"


def line(position: int, key: int, **told: Any) -> bytes:
    """One exported entry."""
    body = hashlib.sha256(str(told.get("body", key)).encode()).hexdigest()
    subject = told.get("subject", ("customer", key % 7))
    public = [told.get("kind", "change"), AT, told.get("actor", "staff"), 1, 1, told.get("verb", "updated"), *subject]
    public += ["done", "", body]
    private = ["\\N", uuid.UUID(int=key), "Desk", "192.0.2.1"]
    return "\t".join(map(str, [position, key, "", *public, *private])).encode()


def lines(random: Random, count: int) -> list[bytes]:
    """Entries whose ids have gaps and are not always in order, as commits leave them."""
    keys = random.sample(range(1, 3 * count), count)
    keys.sort()
    for place in random.sample(range(count - 1), count // 10):
        keys[place], keys[place + 1] = keys[place + 1], keys[place]
    return [line(position, key) for position, key in enumerate(keys, 1)]


def seal(
    entries: Sequence[bytes], directory: Path, sizes: Sequence[int], *, late: int = 10**9, later: str = LATER
) -> list[dict[str, Any]]:
    """Write the seals of these lines, the sizes taken in turn: the seals as they are in the file. Those from the
    position `late` on were made `later`."""
    directory.mkdir(exist_ok=True)
    head, first, seals = NO_HEAD, 1, []
    while first <= len(entries):
        some = [read_entry(one) for one in entries[first - 1 : first - 1 + sizes[len(seals) % len(sizes)]]]
        ids, leaves = [one.id for one in some], b"".join(one.leaf for one in some)
        at = later if first >= late else AT
        head = head_of(head, len(seals) + 1, first, at, ids, leaves)
        signature = SIGNER.sign(signed_words(head)).hex()
        told = {"seal": len(seals) + 1, "first": first, "at": at, "ids": ids, "leaves": leaves.hex()}
        seals.append(told | {"head": head.hex(), "signature": signature})
        first += len(ids)
    write(seals, directory)
    return seals


def write(seals: Sequence[dict[str, Any]], directory: Path) -> None:
    (directory / "000000.jsonl").write_text("".join(json.dumps(one) + "\n" for one in seals))
