"""Sealed secrets open for one holder, in one place, unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.base.seal import SEALS_PER_KEY, Opener, Sealer, Unsealable, make_keys

PLACE = "access_subscriber.secret.7"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    make_keys(directory, "radius")
    make_keys(directory, "other")
    return directory


def sealer(keys, name="radius"):
    return Sealer((keys / f"{name}.pub").read_bytes())


def opener(keys, name="radius"):
    return Opener((keys / f"{name}.key").read_bytes())


def test_the_private_key_is_its_owners_alone(keys):
    assert (keys / "radius.key").stat().st_mode & 0o077 == 0


def test_making_keys_again_keeps_the_old_ones(keys):
    before = (keys / "radius.key").read_bytes()
    make_keys(keys, "radius")
    assert (keys / "radius.key").read_bytes() == before


@given(plaintext=st.binary(max_size=300))
def test_what_is_sealed_opens(keys, plaintext):
    assert opener(keys).open(sealer(keys).seal(plaintext, PLACE), PLACE) == plaintext


def test_the_envelope_shows_nothing_of_the_secret(keys):
    assert b"correct horse" not in sealer(keys).seal(b"correct horse", PLACE)


def test_another_holder_cannot_open(keys):
    with pytest.raises(Unsealable):
        opener(keys, "other").open(sealer(keys).seal(b"secret", PLACE), PLACE)


def test_an_envelope_moved_to_another_row_does_not_open(keys):
    envelope = sealer(keys).seal(b"secret", PLACE)
    with pytest.raises(Unsealable):
        opener(keys).open(envelope, "access_subscriber.secret.8")


def test_a_changed_byte_anywhere_is_noticed(keys):
    envelope = sealer(keys).seal(b"secret", PLACE)
    reader = opener(keys)
    for index in range(len(envelope)):
        changed = envelope[:index] + bytes([envelope[index] ^ 1]) + envelope[index + 1 :]
        with pytest.raises(Unsealable):
            reader.open(changed, PLACE)


@pytest.mark.parametrize("envelope", [b"", b"\x01", b"\x02" + bytes(120), bytes(60)])
def test_what_is_no_envelope_is_refused(keys, envelope):
    with pytest.raises(Unsealable):
        opener(keys).open(envelope, PLACE)


def test_a_sealer_forgets_its_data_key_in_time(keys):
    maker = sealer(keys)
    first = maker.seal(b"x", PLACE)
    for _ in range(SEALS_PER_KEY - 1):
        last = maker.seal(b"x", PLACE)
    assert first[1:81] == last[1:81]
    assert maker.seal(b"x", PLACE)[1:81] != first[1:81]
