"""Whoever changes the log is found, and where: attacks on random places of an exported log and on its seals."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.base.sealed import KEY, SIGNER, line, lines, seal, write

from demarc.base import verify_log
from demarc.base.sealing import checkpoint_of
from demarc.base.verify_log import Unreadable, signature_holds, verify

ENTRIES = 120
SEEDS = range(30)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    directory = tmp_path_factory.mktemp("seals")
    entries = lines(Random(7), ENTRIES)
    seals = seal(entries, directory, [1, 3, 7, 20])
    return entries, directory, seals


def found(entries, directory, checkpoints=()):
    return [(one.kind, one.position, one.last) for one in verify(entries, directory, KEY, checkpoints).findings]


def test_an_honest_log_is_as_it_was_sealed(honest):
    entries, directory, seals = honest
    verdict = verify(entries, directory, KEY)
    assert (verdict.findings, verdict.entries, verdict.seals) == ([], ENTRIES, len(seals))


@pytest.mark.parametrize("column", range(3, 18))
def test_a_change_of_any_column_is_found(honest, column):
    entries, directory, _ = honest
    columns = entries[41].split(b"\t")
    columns[column] = b"\\N" if columns[column] != b"\\N" else b"1"
    assert found([*entries[:41], b"\t".join(columns), *entries[42:]], directory) == [("changed", 42, 42)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_attack_is_found_at_its_place(honest, seed):
    entries, directory, _ = honest
    random = Random(seed)
    place = random.randrange(ENTRIES)
    altered = bytearray(entries[place])
    start = entries[place].index(b"change")
    altered[random.randrange(start, len(altered))] ^= 1 << random.randrange(3)
    changed = [*entries[:place], bytes(altered), *entries[place + 1 :]]
    assert found(changed, directory) == [("changed", place + 1, place + 1)]

    gone = [*entries[:place], *entries[place + 1 :]]
    kind = "truncated" if place == ENTRIES - 1 else "deleted"
    assert found(gone, directory) == [(kind, place + 1, place + 1)]

    foreign = [*entries[:place], line(place + 1, 10**6 + seed), *entries[place:]]
    assert found(foreign, directory) == [("inserted", place, place)]
    twice = [*entries[:place], entries[place], *entries[place:]]
    assert found(twice, directory) == [("inserted", place + 1, place + 1)]

    assert found(entries[:place], directory) == [("truncated", place + 1, ENTRIES)]


@pytest.mark.parametrize("seed", SEEDS)
def test_entries_that_changed_places_are_found(honest, seed):
    entries, directory, _ = honest
    random = Random(seed)
    first, second = sorted(random.sample(range(ENTRIES), 2))
    swapped = list(entries)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    places = {position for kind, position, _ in found(swapped, directory) if kind == "moved"}
    assert places, "found"
    assert places <= {first + 1, second + 1}
    assert all(kind == "moved" for kind, _, _ in found(swapped, directory))

    def with_id(of, content):
        position, _, rest = content.split(b"\t", 2)
        return b"\t".join([position, of.split(b"\t")[1], rest])

    contents = list(entries)
    contents[first] = with_id(entries[first], entries[second])
    contents[second] = with_id(entries[second], entries[first])
    assert found(contents, directory) == [("moved", first + 1, first + 1), ("moved", second + 1, second + 1)]


@pytest.mark.parametrize("seed", range(25))
def test_several_attacks_at_once_are_each_found(honest, seed):
    entries, directory, _ = honest
    random = Random(seed)
    places = sorted(random.sample(range(0, ENTRIES - 4, 4), 3))
    attacked = list(entries)
    del attacked[places[2] : places[2] + 2]
    attacked.insert(places[1], line(1, 10**7 + seed))
    attacked[places[0]] = line(1, int(attacked[places[0]].split(b"\t")[1]), verb="viewed")
    assert sorted(found(attacked, directory)) == sorted(
        [
            ("changed", places[0] + 1, places[0] + 1),
            ("inserted", places[1], places[1]),
            ("deleted", places[2] + 1, places[2] + 2),
        ]
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_seal_that_was_touched_is_found(honest, tmp_path, seed):
    entries, _, seals = honest
    random = Random(seed)
    place = random.randrange(len(seals))
    one = dict(seals[place])
    what = random.choice(["leaves", "head", "ids", "at"])
    one[what] = [*one["ids"][:-1], 10**9] if what == "ids" else str(one[what])[:-1] + "x"
    if what in ("leaves", "head"):
        one[what] = str(seals[place][what])[:-1] + ("0" if str(seals[place][what])[-1] != "0" else "1")
    write([*seals[:place], one, *seals[place + 1 :]], tmp_path)
    assert ("seal", seals[place]["first"], 0) in found(entries, tmp_path)
    if place < len(seals) - 1:
        write([*seals[:place], *seals[place + 1 :]], tmp_path)
        assert ("seal", seals[place]["first"], 0) in found(entries, tmp_path)


def test_a_log_written_anew_with_another_key_is_found(honest, tmp_path):
    entries, directory, _ = honest
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert [one.kind for one in verify(entries, directory, other).findings] == ["seal"]


def test_a_checkpoint_that_was_handed_out_holds_against_who_has_the_key(honest, tmp_path):
    entries, directory, seals = honest
    handed = checkpoint_of(seals[9])
    assert found(entries, directory, [handed]) == []
    write(seals[:5], tmp_path)
    short = entries[: seals[5]["first"] - 1]
    assert found(short, tmp_path) == [], "without it, a log cut off together with its seals looks whole"
    assert found(short, tmp_path, [handed]) == [("truncated", len(short) + 1, handed["entries"])]
    forged = [line(1, 5, verb="viewed"), *entries[1:]]
    seal(forged, tmp_path, [1, 3, 7, 20])
    assert found(forged, tmp_path) == []
    assert found(forged, tmp_path, [handed]) == [("forked", 0, 0)]


def removed(entry: bytes, what: str) -> bytes:
    """The entry as it is exported after its body ("b"), or its actor's name and address too ("bp"), were removed."""
    columns = entry.split(b"\t")
    columns[2] = what.encode()
    if "p" in what:
        columns[14] = sha256(b"\2" + b"\t".join(columns[15:18])).hexdigest().encode()
        columns[15:18] = [b"\\N", b"", b"\\N"]
    return b"\t".join(columns)


def test_what_was_removed_by_a_rule_leaves_the_log_whole(tmp_path):
    entries = [line(n, n, subject=("customer", n % 3), kind="view" if n % 2 else "change") for n in range(1, 31)]
    entries.append(line(31, 31, verb="purged", subject=("customer", 1)))
    entries.append(line(32, 32, verb="expired", subject=("log.view", 10), actor="system"))
    entries.append(line(33, 33, subject=("customer", 1)))
    seal(entries, tmp_path, [4], late=29)
    by_rule = [
        removed(one, "bp") if n <= 10 and n % 2 else removed(one, "b") if n % 3 == 1 and n < 31 else one
        for n, one in enumerate(entries, 1)
    ]
    verdict = verify(by_rule, tmp_path, KEY)
    assert verdict.findings == []
    assert verdict.removed == 13
    for place, what in ((11, "b"), (10, "bp"), (33, "b"), (13, "bp"), (2, "bp")):
        attacked = [*by_rule[: place - 1], removed(entries[place - 1], what), *by_rule[place:]]
        assert found(attacked, tmp_path) == [("removed", place, place)], (place, what)
    relabelled = by_rule[0].replace(b"\\N\t\t\\N", b"\\N\tIntruder\t\\N")
    assert found([relabelled, *by_rule[1:]], tmp_path) == [("changed", 1, 1)]


@pytest.mark.parametrize(
    ("kind", "actor", "reach", "sealed", "believed"),
    [
        ("view", "system", 1, "2026-04-01T10:00:00Z", True),
        ("view", "staff", 1, "2026-04-01T10:00:00Z", False),
        ("view", "system", 9, "2026-04-01T10:00:00Z", False),
        ("view", "system", 10**12, "2026-04-01T10:00:00Z", False),
        ("view", "system", 1, "2026-03-30T10:00:00Z", False),
        ("change", "system", 1, "2026-12-01T10:00:00Z", False),
        ("change", "system", 1, "2027-03-01T10:00:00Z", True),
    ],
)
def test_only_what_was_old_expires_and_only_by_the_systems_own_work(tmp_path, kind, actor, reach, sealed, believed):
    """The ninth entry says that the first was to go."""
    entries = [line(n, n, kind=kind) for n in range(1, 9)]
    entries.append(line(9, 9, verb="expired", subject=(f"log.{kind}", reach), actor=actor))
    seal(entries, tmp_path, [8], late=9, later=sealed)
    gone = [removed(entries[0], "bp"), *entries[1:]]
    assert found(gone, tmp_path) == ([] if believed else [("removed", 1, 1)])


def test_another_name_is_found_also_beside_the_digest_of_the_true_one(honest):
    entries, directory, _ = honest
    columns = entries[41].split(b"\t")
    columns[14] = sha256(b"\2" + b"\t".join(columns[15:18])).hexdigest().encode()
    columns[16:18] = [b"Alice", b"203.0.113.9"]
    for flags in (b"", b"b", b"p"):
        columns[2] = flags
        assert found([*entries[:41], b"\t".join(columns), *entries[42:]], directory) == [("changed", 42, 42)], flags


@pytest.mark.parametrize(
    "wrong", [{}, {"signature": None}, {"signature": "no digits"}, {"at": 5}, {"at": "2026-03-01"}]
)
def test_a_last_line_that_is_no_seal_is_a_finding(honest, tmp_path, wrong):
    entries, _, seals = honest
    last = {key: value for key, value in seals[-1].items() if key != "signature"} | wrong
    write([*seals[:-1], last], tmp_path)
    assert ("seal", last["first"], 0) in found(entries, tmp_path)


def test_what_is_no_text_at_the_end_of_the_seals_is_a_finding(honest, tmp_path):
    entries, _, seals = honest
    write(seals, tmp_path)
    with (tmp_path / "000000.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\n")
    assert found(entries, tmp_path) == [("seal", ENTRIES + 1, 0)]


def test_signatures_are_those_of_the_rfc():
    """RFC 8032, 7.1, test 3; and what the library signs."""
    key = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
    signature = bytes.fromhex(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    assert signature_holds(key, bytes.fromhex("af82"), signature)
    assert not signature_holds(key, bytes.fromhex("af83"), signature)
    assert not signature_holds(key, bytes.fromhex("af82"), signature[:-1] + bytes([signature[-1] ^ 16]))
    for length in range(20):
        assert signature_holds(KEY, bytes(length), SIGNER.sign(bytes(length)))
        assert not signature_holds(KEY, bytes(length + 1), SIGNER.sign(bytes(length)))


def test_the_file_works_alone_on_a_bare_python(honest, tmp_path):
    entries, directory, _ = honest
    alone = tmp_path / "verify_log.py"
    alone.write_text(Path(verify_log.__file__).read_text())
    command = [sys.executable, "-I", "-S", str(alone), "--seals", str(directory), "--key", KEY.hex()]

    def run(some):
        return subprocess.run(command, input=b"".join(one + b"\n" for one in some), capture_output=True, check=False)

    good, bad = run(entries), run([*entries[:4], *entries[5:]])
    assert (good.returncode, good.stderr) == (0, b"")
    assert b"the log is as it was sealed" in good.stdout
    assert bad.returncode == 1
    assert b"deleted    position 5 (id " in bad.stdout
    empty = [*command[:5], str(tmp_path), *command[6:]]
    assert subprocess.run(empty, input=b"", capture_output=True, check=False).returncode == 2


def test_seals_that_are_not_there_are_said_so(tmp_path):
    with pytest.raises(Unreadable):
        verify([], tmp_path, KEY)
