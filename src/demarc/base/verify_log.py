"""Proves that an exported operation log is what was sealed, or names each place where it is not.

One file, standard library only, of use without Demarc: `python3 verify_log.py --seals DIR --key KEY EXPORT`. It reads
the export (`demarc log export`: PostgreSQL's COPY text, a line an entry) as a stream, and the seals that Demarc keeps
outside its database.

An entry's leaf is SHA-256(0x00, its public columns, the digest of its sealed body, the digest of its private columns);
these digests stay when what they cover is removed. A seal binds the next entries in their order:
head = SHA-256(0x01, previous head, number, first position, time, ids, leaves), signed with Ed25519 (RFC 8032). Each
head contains the one before, so that the last signature vouches for all.
"""

import argparse
import gc
import json
import re
import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, NamedTuple

NO_HEAD = bytes(32)
NOTHING = b"\\N"
GONE = (b"\\N", b"", b"\\N")
"""What removed private columns look like: salt, label, address."""
NEVER = b"not said to be gone"
"""Stands for a digest that no leaf has."""
KEPT_LEAST = {"view": 30, "sign_in": 365, "change": 365, "work": 30}
"""Days that an entry of a kind keeps its contents at least, whatever the log says; demarc_log_expire has them, too."""
LEAF = 32
RULE = re.compile(rb"\t(?:purged|expired)\t").search
SHOWN = 50
DIFFERS = 1


class Unreadable(Exception):
    """A file is not what it should be; says which and why."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed. `kind` is changed, deleted, inserted, moved, truncated, removed, seal or
    forked; `position` the place in the log, counted from 1 (0: none), `last` the end of a run of places."""

    kind: str
    position: int
    last: int
    text: str


@dataclass
class Sealed:
    """What the seals say: the ids and leaves of all entries in their order; of each seal its first position, its time
    and the head after it."""

    ids: "array[int]" = field(default_factory=lambda: array("q"))
    leaves: bytearray = field(default_factory=bytearray)
    firsts: "array[int]" = field(default_factory=lambda: array("q"))
    times: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    until: str = ""
    findings: list[Finding] = field(default_factory=list)

    def leaf(self, place: int) -> bytes:
        """The leaf of the entry at this place, counted from 0."""
        return bytes(self.leaves[place * LEAF : place * LEAF + LEAF])

    def sealed_at(self, position: int) -> datetime:
        """When the entry at this position, counted from 1, was sealed."""
        return _moment(self.times[bisect_right(self.firsts, position) - 1])


@dataclass
class Verdict:
    """What was found, and how much was looked at."""

    findings: list[Finding]
    entries: int
    seals: int
    until: str
    removed: int


class Entry(NamedTuple):  # one a line: a dataclass takes three times as long to make
    """A line of the export: its leaf and what a verdict needs to say about it."""

    id: int
    leaf: bytes
    removed: bytes
    public: bytes


@dataclass(frozen=True)
class Stray:
    """An entry that came out of turn: after which position, on which line of the export (from 0)."""

    id: int
    after: int
    line: int
    leaf: bytes


# --- leaves, heads, signatures ------------------------------------------------------------------------------------


def read_entry(line: bytes) -> Entry:
    """An exported line without its end. ValueError: it is none.

    A digest of the private columns counts only where the line says that they were removed and shows them empty: what
    it shows besides is always hashed.
    """
    front, private, salt, label, address = line.rsplit(b"\t", 4)
    _, key, removed, public = front.split(b"\t", 3)
    if b"p" in removed:
        private = private if (salt, label, address) == GONE else b"not gone"
    elif private == NOTHING:
        private = sha256(b"\2%b\t%b\t%b" % (salt, label, address)).hexdigest().encode()
    else:
        private = NEVER
    return Entry(int(key), sha256(b"\0%b\t%b" % (public, private)).digest(), removed, public)


def head_of(previous: bytes, number: int, first: int, at: str, ids: Iterable[int], leaves: bytes) -> bytes:
    """The head after a seal: 32 bytes."""
    packed = array("q", ids)
    if sys.byteorder == "little":
        packed.byteswap()
    start = struct.pack(">QQB", number, first, len(at)) + at.encode()
    return sha256(b"\1" + previous + start + packed.tobytes() + leaves).digest()


def signed_words(head: bytes) -> bytes:
    """What is signed for a head."""
    return b"demarc operation log 1\n" + head


P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    """RFC 8032, 5.1.4."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _point(packed: bytes) -> Point | None:
    """RFC 8032, 5.1.3; None: no point of the curve."""
    y = int.from_bytes(packed, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = _point(bytes.fromhex("58" + "66" * 31))


def signature_holds(key: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519, RFC 8032, 5.1.7. In public data only, so that it need not take constant time."""
    if len(key) != 32 or len(signature) != 64 or BASE is None:
        return False
    signer, commitment = _point(key), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if signer is None or commitment is None or scalar >= ORDER:
        return False
    digest = sha512(signature[:32] + key + message).digest()
    left = _times(scalar, BASE)
    right = _add(commitment, _times(int.from_bytes(digest, "little") % ORDER, signer))
    same_x = (left[0] * right[2] - right[0] * left[2]) % P == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- the seals ----------------------------------------------------------------------------------------------------


def read_seals(directory: Path, key: bytes) -> Sealed:
    """All seals of a directory. What does not follow from the one before, or is not signed, is a finding; what comes
    after it is not believed. Unreadable: there are none."""
    sealed = Sealed()
    signature = b""
    for place, line in _lines_of(directory):
        try:
            seal = json.loads(line)
            leaves, signed = bytes.fromhex(seal["leaves"]), bytes.fromhex(seal["signature"])
            _moment(seal["at"])
            number, first, head = len(sealed.heads) + 1, len(sealed.ids) + 1, bytes.fromhex(seal["head"])
            previous = sealed.heads[-1] if sealed.heads else NO_HEAD
            follows = head == head_of(previous, number, first, seal["at"], seal["ids"], leaves)
        except (ValueError, KeyError, TypeError, OverflowError, struct.error):
            follows = False
        if not follows or len(leaves) != LEAF * len(seal["ids"]):
            text = f"{place}: seal {len(sealed.heads) + 1} does not follow from the one before: changed, or one is gone"
            sealed.findings.append(Finding("seal", len(sealed.ids) + 1, 0, text))
            break
        sealed.ids.extend(seal["ids"])
        sealed.leaves += leaves
        sealed.firsts.append(first)
        sealed.times.append(seal["at"])
        sealed.heads.append(head)
        sealed.until = seal["at"]
        signature = signed
    if not sealed.heads and not sealed.findings:
        raise Unreadable(f"{directory}: there are no seals")
    if sealed.heads and not signature_holds(key, signed_words(sealed.heads[-1]), signature):
        sealed.findings.append(Finding("seal", 0, 0, f"seal {len(sealed.heads)}: not signed with this key"))
    return sealed


def check_checkpoint(sealed: Sealed, told: dict[str, Any], key: bytes) -> Finding | None:
    """Whether the seals still hold what was handed elsewhere: a seal's number, entries and head, with its signature."""
    number, entries, head = int(told["seal"]), int(told["entries"]), bytes.fromhex(told["head"])
    if not signature_holds(key, signed_words(head), bytes.fromhex(told["signature"])):
        return Finding("forked", 0, 0, f"the checkpoint of seal {number} is not signed with this key")
    if number > len(sealed.heads):
        begin = len(sealed.ids) + 1
        text = f"the seals end with {len(sealed.heads)}, but seal {number} was handed out: the log is cut off"
        return Finding("truncated", begin, entries, text)
    if sealed.heads[number - 1] != head:
        return Finding("forked", 0, 0, f"seal {number} is not the one that was handed out: the log was written anew")
    return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _lines_of(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.glob("*.jsonl")):
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield f"{path.name}:{number}", line


# --- the entries --------------------------------------------------------------------------------------------------


class Comparison:
    """The export beside the seals, entry by entry; it remembers only what differs."""

    def __init__(self, sealed: Sealed) -> None:
        self._sealed = sealed
        self._at = 0
        self._places: dict[int, int] = {}
        self._changed: dict[int, bytes] = {}
        self._missing: set[int] = set()
        self._stray: list[Stray] = []
        self._removed: dict[tuple[bytes, bytes, bytes], list[int]] = {}
        self._purged: dict[tuple[bytes, bytes], int] = {}
        self._expired: dict[bytes, int] = {}
        self._unread: list[Finding] = []
        self.entries = 0
        self.removed = 0

    def run(self, lines: Iterable[bytes]) -> list[Finding]:
        """Take all entries: what differs, in the order of the log."""
        ids, leaves = self._sealed.ids, bytes(self._sealed.leaves)
        broken, end = bool(self._sealed.findings), len(ids)
        entries = self._read(lines)
        entry = next(entries, None)
        while entry is not None and not (broken and self._at >= end):
            following = next(entries, None)
            at = self._at
            if at < end and ids[at] == entry.id:
                self._at = at + 1
                if entry.leaf != leaves[at * LEAF : at * LEAF + LEAF] or entry.removed or RULE(entry.public):
                    self._take(at, entry, self._sealed.leaf(at))
            else:
                self._out_of_turn(entry, following)
            entry = following
        self._missing.update(range(self._at, len(ids)))
        return sorted([*self._unread, *self._differences(), *self._unruled()], key=lambda one: one.position)

    def _read(self, lines: Iterable[bytes]) -> Iterator[Entry]:
        for number, line in enumerate(lines, 1):
            self.entries += 1
            try:
                entry = read_entry(line.rstrip(b"\n"))
            except ValueError:
                self._unread.append(Finding("changed", 0, 0, f"line {number} of the export is no entry"))
            else:
                yield entry

    def _take(self, at: int, entry: Entry, leaf: bytes) -> None:
        """The entry that stands where it should: is it itself, and does it tell of a removal or lack something?"""
        if entry.leaf != leaf:
            self._changed[at] = entry.leaf
        elif entry.removed:
            self._note_removed(at, entry)
        elif RULE(entry.public):
            self._note_rule(at, entry.public.split(b"\t"))

    def _out_of_turn(self, entry: Entry, following: Entry | None) -> None:
        """Another entry than expected: either those before it are gone, or it does not belong here.

        What comes next tells: after a gap the log goes on behind this entry, after a stray where it stopped.
        """
        if not self._places:
            self._places = {key: place for place, key in enumerate(self._sealed.ids)}
        place = self._places.get(entry.id)
        after = self._places.get(following.id) if following else None
        ends_here = following is None and place == len(self._sealed.ids) - 1
        if place is not None and place > self._at and (after == place + 1 or ends_here):
            self._missing.update(range(self._at, place))
            self._take(place, entry, self._sealed.leaf(place))
            self._at = place + 1
        else:
            ahead = 0 if following is None else 1  # that much is read already
            self._stray.append(Stray(entry.id, self._at, self.entries - 1 - ahead, entry.leaf))

    def _note_removed(self, at: int, entry: Entry) -> None:
        """Remember what something was removed of; the rule by which it went stands later in the log."""
        self.removed += 1
        columns = entry.public.split(b"\t")
        subject = b"\t".join(columns[6:8])
        self._removed.setdefault((columns[0], subject, entry.removed), []).append(at)

    def _note_rule(self, at: int, columns: list[bytes]) -> None:
        """Remember a rule that stands where it may. The log's own nightly work alone lets things expire, and only what
        was sealed long enough before it."""
        actor, verb, kind, key = columns[2], columns[5], columns[6], columns[7]
        if verb == b"purged":
            self._purged[(kind, key)] = at
        elif verb == b"expired" and actor == b"system" and key.isdigit() and self._was_old(kind, int(key), at):
            self._expired[kind] = max(self._expired.get(kind, 0), int(key))

    def _was_old(self, kind: bytes, reach: int, at: int) -> bool:
        """Whether all up to the position `reach` was older than this kind is kept at least when the entry at the place
        `at` was sealed."""
        if not 0 < reach <= at:
            return False
        kept = KEPT_LEAST.get(kind.removeprefix(b"log.").decode(errors="replace"), max(KEPT_LEAST.values()))
        return self._sealed.sealed_at(at + 1) - self._sealed.sealed_at(reach) >= timedelta(days=kept)

    def _unruled(self) -> Iterator[Finding]:
        """Entries of which something is gone although no entry of the log says that it was to go."""
        for (kind, subject, what), places in self._removed.items():
            expired = self._expired.get(b"log." + kind, 0)
            purged = self._purged.get((subject.split(b"\t")[0], subject.split(b"\t")[1]), 0)
            allowed = max(expired, 0 if b"p" in what else purged)
            for at in places:
                if at + 1 > allowed:
                    text = "its content was removed, and no entry of the log says by what rule"
                    yield self._finding("removed", at, at, text)

    def _differences(self) -> Iterator[Finding]:
        wanted = {self._sealed.leaf(at): at for at in self._changed}
        for at, leaf in self._changed.items():
            other = wanted.get(leaf)
            if other is None:
                yield self._finding("changed", at, at, "it is not what was sealed")
            else:
                yield self._finding("moved", at, at, f"it holds what belongs to position {other + 1}")
        lost = {self._sealed.ids[at]: at for at in self._missing}
        foreign = [one for one in self._stray if one.id not in lost]
        for one in foreign:
            text = f"after position {one.after} stands an entry (id {one.id}) that was never sealed there"
            yield Finding("inserted", one.after, one.after, text)
        back = {one.id: one for one in self._stray if one.id in lost}
        gone = sorted(at for key, at in lost.items() if key not in back)
        yield from self._moved(list(back.values()), lost, [one.line for one in foreign], gone)
        yield from self._gaps(gone)

    def _moved(self, back: list[Stray], lost: dict[int, int], foreign: list[int], gone: list[int]) -> Iterator[Finding]:
        """Entries that stand elsewhere. Between two that changed places others came out of turn, too, and are not at
        fault: they stand where they should, if what was put in or taken out before them is not counted."""
        for one in back:
            at = lost[one.id]
            if one.line - bisect_left(foreign, one.line) + bisect_left(gone, at) != at:
                yield self._finding("moved", at, at, f"it stands after position {one.after} instead")
            elif one.leaf != self._sealed.leaf(at):
                yield self._finding("changed", at, at, "it is not what was sealed")

    def _gaps(self, missing: list[int]) -> Iterator[Finding]:
        """Runs of entries that are nowhere; one that reaches the end of the log is a truncation."""
        for first, last in _runs(missing):
            cut = last == len(self._sealed.ids) - 1
            text = "the log is cut off here" if cut else "gone"
            yield self._finding("truncated" if cut else "deleted", first, last, text)

    def _finding(self, kind: str, first: int, last: int, text: str) -> Finding:
        where = f"position {first + 1} (id {self._sealed.ids[first]})"
        if last > first:
            where += f" to {last + 1} (id {self._sealed.ids[last]})"
        return Finding(kind, first + 1, last + 1, f"{where}: {text}")


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for index, place in enumerate(places):
        if index + 1 == len(places) or places[index + 1] != place + 1:
            yield places[start], place
            start = index + 1


def verify(lines: Iterable[bytes], seals: Path, key: bytes, checkpoints: Iterable[dict[str, Any]] = ()) -> Verdict:
    """Compare exported lines with the seals of a directory, and these with checkpoints that were handed elsewhere."""
    sealed = read_seals(seals, key)
    compared = Comparison(sealed)
    cut = [one for told in checkpoints if (one := check_checkpoint(sealed, told, key))]
    found = [*sealed.findings, *cut, *compared.run(lines)]
    return Verdict(found, compared.entries, len(sealed.heads), sealed.until, compared.removed)


# --- as a program -------------------------------------------------------------------------------------------------


def report(verdict: Verdict) -> str:
    """The verdict as lines of text."""
    told = [f"{one.kind:<10} {one.text}" for one in verdict.findings[:SHOWN]]
    if len(verdict.findings) > SHOWN:
        told.append(f"and {len(verdict.findings) - SHOWN} more")
    looked = f"{verdict.entries} entries, {verdict.seals} seals, sealed until {verdict.until or 'never'}"
    if verdict.removed:
        looked += f", contents of {verdict.removed} removed by rule"
    result = f"{len(verdict.findings)} findings" if verdict.findings else "the log is as it was sealed"
    return "\n".join([*told, f"{looked}: {result}", ""])


def main() -> int:
    """0: as it was sealed; 1: it is not; 2: cannot be read."""
    parser = argparse.ArgumentParser(description="Prove that an exported Demarc operation log is what was sealed.")
    parser.add_argument("export", nargs="?", default="-", metavar="EXPORT", help="the exported log; -: standard input")
    parser.add_argument("--seals", required=True, type=Path, metavar="DIR", help="the directory of seals")
    parser.add_argument("--key", required=True, help="the public key, 64 hexadecimal digits (demarc log key)")
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, metavar="FILE", help="handed out once")
    args = parser.parse_args()
    gc.disable()  # nothing here refers to itself
    try:
        told = [json.loads(line) for path in args.checkpoint for line in path.read_text().splitlines() if line]
        with sys.stdin.buffer if args.export == "-" else Path(args.export).open("rb") as lines:
            verdict = verify(lines, args.seals, bytes.fromhex(args.key), told)
    except (OSError, ValueError, KeyError, Unreadable) as error:
        sys.stderr.write(f"verify-log: {error}\n")
        return 2
    sys.stdout.write(report(verdict))
    return DIFFERS if verdict.findings else 0


if __name__ == "__main__":
    sys.exit(main())
