"""Malformed RADIUS datagrams without end, the same ones for the same seed, derived from corpus/datagrams.txt.

`malformed(count, seed)` yields them; send them at a running server with its own secret, and every third gets a valid
authenticator and signature, so that it comes through the first door and is wrong only further in.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import md5
from hmac import digest
from pathlib import Path
from random import Random

CORPUS = Path(__file__).parent / "corpus" / "datagrams.txt"
SECRET = b"xyzzy5461"
MAX_DATAGRAM = 5000
SIGNED_KINDS = (1, 4, 12, 40, 43)


@cache
def corpus() -> tuple[bytes, ...]:
    lines = CORPUS.read_text().splitlines()
    return tuple(bytes.fromhex(line) for line in lines if line and not line.startswith("#"))


def malformed(count: int, seed: int, secret: bytes = SECRET, more: Sequence[bytes] = ()) -> Iterator[bytes]:
    """`count` datagrams of 0 to 5,000 octets, from the corpus and from `more`, half of each. A few are well-formed
    after all."""
    random = Random(seed)
    seeds = corpus()
    if more:
        seeds = (*seeds, *(more[number % len(more)] for number in range(len(seeds))))
    for number in range(count):
        data = random.choice(seeds)
        for _ in range(random.choice((1, 1, 2, 3, 6))):
            data = random.choice(MUTATIONS)(random, data)[:MAX_DATAGRAM]
        if random.randrange(2):
            data = _with_true_length(data)
        yield _signed(data, secret) if number % 3 == 0 else data


def _flip_bits(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randrange(1, 9)):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _overwrite(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    octets = random.choice((b"\x00", b"\xff", b"\x02", b"\x1a", b"\x50", random.randbytes(4), bytes(16)))
    return data[:at] + octets + data[at + len(octets) :]


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _remove(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randrange(1, 40) :]


def _insert(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.randrange(1, 40)) + data[at:]


def _lie_about_the_length(random: Random, data: bytes) -> bytes:
    length = random.choice((0, 1, 19, 20, 21, len(data) - 1, len(data) + 1, 4096, 4097, 65535))
    return data[:2] + max(length, 0).to_bytes(2, "big") + data[4:]


def _lie_about_an_attribute(random: Random, data: bytes) -> bytes:
    starts = _attribute_starts(data)
    if not starts:
        return data
    at = random.choice(starts)
    return data[: at + 1] + bytes((random.choice((0, 1, 2, 3, 254, 255)),)) + data[at + 2 :]


def _repeat_an_attribute(random: Random, data: bytes) -> bytes:
    starts = _attribute_starts(data)
    if not starts:
        return data
    at = random.choice(starts)
    whole = data[at : at + max(data[at + 1], 2)]
    return data[:at] + whole * random.choice((2, 3, 50, 250)) + data[at:]


def _retype_an_attribute(random: Random, data: bytes) -> bytes:
    starts = _attribute_starts(data)
    if not starts:
        return data
    at = random.choice(starts)
    return data[:at] + bytes((random.randrange(256),)) + data[at + 1 :]


def _add_an_attribute(random: Random, data: bytes) -> bytes:
    kind = random.choice((1, 2, 3, 4, 8, 25, 26, 33, 40, 44, 55, 60, 79, 80, 97, 123, random.randrange(256)))
    value = random.randbytes(random.choice((0, 1, 3, 4, 8, 16, 17, 50, 253)))
    return data + bytes((kind, len(value) + 2)) + value


def _wrap_in_vendor_specific(random: Random, data: bytes) -> bytes:
    vendor = random.choice((311, 14988, 14122, 3561, 2352, 9, 0, 0xFFFFFFFF)).to_bytes(4, "big")
    inside = data[20 : 20 + random.randrange(248)]
    return data[:20] + bytes((26, len(inside) + 6)) + vendor + inside + data[20:]


def _splice(random: Random, data: bytes) -> bytes:
    other = random.choice(corpus())
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _recode(random: Random, data: bytes) -> bytes:
    return bytes((random.choice((0, 1, 2, 3, 4, 5, 11, 12, 13, 40, 43, 255)),)) + data[1:]


def _pad(random: Random, data: bytes) -> bytes:
    return data + bytes(random.randrange(1, 200))


MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _flip_bits,
    _overwrite,
    _cut,
    _remove,
    _insert,
    _lie_about_the_length,
    _lie_about_an_attribute,
    _repeat_an_attribute,
    _retype_an_attribute,
    _add_an_attribute,
    _wrap_in_vendor_specific,
    _splice,
    _recode,
    _pad,
)


def _attribute_starts(data: bytes) -> list[int]:
    starts, at = [], 20
    while at + 2 <= len(data):
        starts.append(at)
        at += max(data[at + 1], 2)
    return starts


def _with_true_length(data: bytes) -> bytes:
    return data[:2] + min(len(data), 65535).to_bytes(2, "big") + data[4:]


def _signed(data: bytes, secret: bytes) -> bytes:
    """With the authenticator and signature that such a request would have; written anew, not with the codec."""
    if len(data) < 20 or data[0] not in SIGNED_KINDS:
        return data
    length = int.from_bytes(data[2:4], "big")
    if not 20 <= length <= len(data):
        return data
    packet, padding = data[:length], data[length:]
    hashed = data[0] in (4, 40, 43)
    if hashed:
        packet = packet[:4] + bytes(16) + packet[20:]
    for at in _attribute_starts(packet):
        if packet[at : at + 2] == b"\x50\x12" and at + 18 <= length:
            blank = packet[: at + 2] + bytes(16) + packet[at + 18 :]
            packet = packet[: at + 2] + digest(secret, blank, "md5") + packet[at + 18 :]
            break
    if hashed:
        packet = packet[:4] + md5(packet + secret, usedforsecurity=False).digest() + packet[20:]
    return packet + padding
