"""EAP conversations without a network: what they come to, and that nothing a device sends breaks them."""

import gc
import tempfile
import tracemalloc
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from hashlib import md5
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from tests.sim.device import METHODS, Device

from demarc.radiusd.eap_certificate import ensure
from demarc.wire.radius import Malformed, chap, decode, keys, tlv
from demarc.wire.radius.eap import (
    REQUEST,
    RESPONSE,
    Ask,
    Context,
    Conversation,
    Eap,
    Outcome,
    Over,
    Why,
    attributes,
    avps,
    encode,
    joined,
    mschapv2,
    parse,
    piece_of,
    server_context,
)
from demarc.wire.radius.eap.conversation import ROUNDS_MAX
from demarc.wire.radius.eap.framing import LENGTH, MESSAGE_MAX, MORE, Inbox, Outbox
from demarc.wire.radius.eap.packet import EXTENSIONS, IDENTITY, MD5, MSCHAPV2, NAK, PEAP, TTLS
from demarc.wire.radius.eap.peap import GOOD, RESULT

every_method = pytest.mark.parametrize("kind", METHODS)
tunnelled = pytest.mark.parametrize("kind", [PEAP, TTLS])


class Home:
    """alice lives here; dora does, too, but is not let in."""

    passwords = {b"alice": b"alpha", b"dora": b"delta"}

    def password(self, name: bytes) -> bytes | None:
        return self.passwords.get(name)

    def admits(self, outcome: Outcome) -> bool:
        return outcome.name != b"dora"


@cache
def shown() -> Context:
    """The certificate of all tests."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        ensure(directory, datetime.now(UTC))
        return server_context((directory / "eap.crt").read_bytes(), (directory / "eap.key").read_bytes())


@pytest.fixture(scope="module")
def context() -> Context:
    return shown()


def talk(device: Device, machine: Conversation) -> Iterator[Ask | Outcome | Over]:
    said = device.hello()
    while True:
        step = machine.take(parse(said))
        yield step
        if not isinstance(step, Ask):
            return
        said = device.answer(step.octets)


def end(device: Device, context: Context | None, piece: int = 1020) -> Outcome | Over:
    *_, last = talk(device, Conversation(Home(), context, piece))
    return last


# --- what they come to ---


@every_method
def test_the_right_password_passes_and_both_ends_share_keys(context, kind):
    device = Device("alice", "alpha", kind)
    outcome = end(device, context)
    assert (outcome.name, outcome.passed) == (b"alice", True)
    assert outcome.msk == (b"" if kind == MD5 else device.msk())


@every_method
def test_a_wrong_password_fails_and_a_stranger_is_neither(context, kind):
    assert end(Device("alice", "wrong", kind), context).passed is False
    assert end(Device("nobody", "alpha", kind), context).passed is None


def test_only_a_method_whose_device_wants_proof_needs_it(context):
    needs = {kind: end(Device("alice", "alpha", kind), context).needs_proof for kind in METHODS}
    assert needs == {PEAP: True, TTLS: False, MD5: False}


def test_peap_tells_the_device_the_truth_before_the_router_does(context):
    """One whose password is right, and who is not let in: the result inside the tunnel says so."""
    outcome = end(Device("dora", "delta"), context)
    assert (outcome.passed, outcome.method) == (True, "peap-mschapv2")
    machine = Conversation(Home(), context)
    list(talk(Device("dora", "delta"), machine))
    assert machine._method._told_good is False


def test_without_a_certificate_md5_is_all_there_is(context):
    assert end(Device("alice", "alpha", MD5), None).passed
    assert end(Device("alice", "alpha", PEAP), None) == Over(Why.NO_METHOD)


def test_peap_is_offered_first_and_a_nak_chooses(context):
    machine = Conversation(Home(), context)
    first = machine.take(Eap(RESPONSE, 9, IDENTITY, b"anonymous"))
    assert parse(first.octets)[:3] == (REQUEST, 10, PEAP)
    second = machine.take(Eap(RESPONSE, 10, NAK, bytes((43, TTLS, MD5))))
    assert parse(second.octets)[:3] == (REQUEST, 11, TTLS)
    assert machine.take(Eap(RESPONSE, 11, NAK, bytes((MD5,)))) == Over(Why.NO_METHOD)


def test_no_nak_in_the_middle_of_a_method(context):
    machine, device = Conversation(Home(), context), Device("alice", "alpha")
    steps = talk(device, machine)
    next(steps), next(steps)
    assert machine.take(Eap(RESPONSE, machine.identifier, NAK, bytes((MD5,)))).why is Why.MALFORMED


@pytest.mark.parametrize("piece", [64, 100, 300, 1020])
@tunnelled
def test_no_packet_is_larger_than_its_piece_and_the_first_tells_the_length_of_all(context, kind, piece):
    machine = Conversation(Home(), context, piece)
    *asked, outcome = talk(Device("alice", "alpha", kind), machine)
    sizes = [len(step.octets) for step in asked]
    assert outcome.passed
    assert piece - 10 <= max(sizes) <= piece
    first = next(parse(step.octets).data for step in asked if parse(step.octets).data[:1] == bytes((LENGTH | MORE,)))
    assert int.from_bytes(first[1:5], "big") > 2000


@pytest.mark.parametrize(("mtu", "piece"), [(None, 1020), (1400, 1020), (500, 496), (1, 64), (2**32 - 1, 1020)])
def test_the_routers_mtu_is_heeded_within_reason(mtu, piece):
    assert piece_of(mtu) == piece


def test_a_person_gets_time_to_type_a_password_and_tls_does_not(context):
    for kind, times in ((PEAP, 2), (TTLS, 1), (MD5, 1)):  # name and password; password; password
        *asked, _ = talk(Device("alice", "alpha", kind), Conversation(Home(), context))
        assert sum(step.person for step in asked) == times
        assert not asked[0].person


# --- MS-CHAPv2 inside, by the vector of RFC 2759 section 9.2 ---


def test_ms_chap_v2_inside_agrees_with_its_rfc(monkeypatch):
    monkeypatch.setattr(mschapv2.os, "urandom", lambda size: bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")[:size])
    monkeypatch.setitem(Home.passwords, b"User", b"clientPass")
    method = mschapv2.MsChapV2(Home(), b"User")
    asked = method.ask(7)
    assert asked == bytes.fromhex("01 07 001b 10 5B5D7C7D7B3F2F3E3C2C602132262628") + b"demarc"
    peer, proof = "21402324255E262A28295F2B3A337C7E", "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"
    response = bytes.fromhex(f"02 07 003a 31 {peer} 0000000000000000 {proof} 00") + b"User"
    assert method.judge(response)[4:] == b"S=407A5589115FD0D6209F510FE9C04566932CDA56 M=OK"
    assert method.passed
    assert method.acknowledged(b"\x03")
    assert not method.acknowledged(b"\x04")


def test_md5_inside_eap_is_chap(monkeypatch):
    """RFC 1994 section 4.1 with RFC 3748 section 5.4: MD5 of identifier, password, challenge."""
    machine = Conversation(Home(), None)
    asked = parse(machine.take(Eap(RESPONSE, 4, IDENTITY, b"alice")).octets)
    right = md5(bytes((asked.identifier,)) + b"alpha" + asked.data[1:17]).digest()
    assert machine.take(Eap(RESPONSE, asked.identifier, MD5, bytes((16,)) + right)).passed


# --- packets ---


@given(st.binary(max_size=3000))
def test_a_packet_survives_the_way_through_attributes(data):
    whole = encode(RESPONSE, 7, PEAP, data)
    assert parse(whole) == (RESPONSE, 7, PEAP, data)
    assert joined(packet_of(attributes(whole))) == whole


def test_attributes_of_one_packet_follow_one_another():
    pieces = tlv(keys.EAP_MESSAGE, b"abc"), tlv(keys.STATE, b"x"), tlv(keys.EAP_MESSAGE, b"def")
    with pytest.raises(Malformed):
        joined(packet_of(b"".join(pieces)))
    assert joined(packet_of(pieces[0] + pieces[2] + pieces[1])) == b"abcdef"
    assert joined(packet_of(tlv(keys.EAP_MESSAGE, b""))) == b""


def packet_of(octets: bytes):
    return decode(bytes((1, 0)) + (20 + len(octets)).to_bytes(2, "big") + bytes(16) + octets)


@pytest.mark.parametrize("octets", ["", "02010004", "0201000401", "02010006 01", "03010005 01", "05010005 01"])
def test_what_is_no_response_is_malformed(octets):
    with pytest.raises(Malformed):
        parse(bytes.fromhex(octets))


@given(st.binary(max_size=5000), st.integers(10, 1500))
def test_pieces_come_together_again(message, room):
    outbox, inbox = Outbox(room), Inbox()
    outbox.put(message)
    whole = inbox.add(outbox.next())
    while whole is None:
        piece = outbox.next()
        assert len(piece) <= room
        whole = inbox.add(piece)
    assert whole == message
    assert not outbox


def test_a_message_without_end_is_refused():
    inbox = Inbox()
    for _ in range(MESSAGE_MAX // 1000):
        assert inbox.add(bytes((MORE,)) + bytes(1000)) is None
    with pytest.raises(Malformed):
        inbox.add(bytes((MORE,)) + bytes(1000))
    with pytest.raises(Malformed):
        Inbox().add(bytes((LENGTH | MORE,)) + (2**32 - 1).to_bytes(4, "big") + bytes(MESSAGE_MAX + 1))
    with pytest.raises(Malformed):
        Inbox().add(bytes((LENGTH,)) + (5).to_bytes(4, "big") + bytes(6))


@given(st.dictionaries(st.one_of(st.integers(1, 2**32 - 1), st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 99))),
                       st.binary(max_size=60), max_size=20))  # fmt: skip
def test_avps_survive_the_way(values):
    plain = b"".join(avps.write(key, value) for key, value in values.items())
    assert avps.read(plain) == values


@given(st.binary(max_size=300))
def test_avps_of_noise_are_read_or_malformed(plain):
    try:
        found = avps.read(plain)
    except Malformed:
        return
    assert sum(map(len, found.values())) <= len(plain)


# --- hostile devices ---


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=80)), max_size=12))
def test_noise_in_any_order_ends_a_conversation_or_is_malformed(said):
    machine = Conversation(Home(), shown())
    for kind, data in [(IDENTITY, b"anonymous"), *said]:
        try:
            step = machine.take(Eap(RESPONSE, machine.identifier, kind, data))
        except Malformed:
            continue
        assert not (isinstance(step, Outcome) and step.passed)
        if not isinstance(step, Ask):
            return


@every_method
def test_what_is_forgotten_is_gone_at_once(context, kind):
    """radiusd looks for circles hardly ever, so there may be none."""
    machine = Conversation(Home(), context)
    for _, _ in zip(range(6), talk(Device("alice", "alpha", kind), machine), strict=False):
        pass
    gc.disable()
    method = weakref.ref(machine._method)
    del machine
    alive = method() is not None
    gc.enable()
    assert not alive


def test_thousands_of_devices_whose_packets_were_changed_on_the_way(context):
    """Each goes on honestly until one packet is changed; nobody passes by it who would not, and no memory is kept."""
    random, passed, over = Random(7), 0, 0
    tracemalloc.start()
    for number in range(1500):
        step = changed(Device("alice", "wrong", random.choice(METHODS)), context, random)
        passed += isinstance(step, Outcome) and bool(step.passed)
        over += isinstance(step, Over)
        if number == 300:
            before = tracemalloc.get_traced_memory()[0]
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert passed == 0
    assert over > 700
    assert after - before < 500_000


def changed(device: Device, context: Context, random: Random) -> Ask | Outcome | Over | None:
    machine, at = Conversation(Home(), context, random.choice((64, 300, 1020))), random.randrange(1, 9)
    said = device.hello()
    for number in range(ROUNDS_MAX + 10):
        if number >= at and random.randrange(2):
            said = mutated(random, said)
        try:
            step = machine.take(parse(said))
        except Malformed:
            return None
        if not isinstance(step, Ask):
            return step
        try:
            said = device.answer(step.octets)
        except (SSL.Error, IndexError, AssertionError, Malformed):
            return step  # the device cannot follow any more
    raise AssertionError("a conversation without end")


def mutated(random: Random, said: bytes) -> bytes:
    octets = bytearray(said)
    for _ in range(random.choice((1, 1, 2, 5))):
        octets[random.randrange(4, len(octets))] = random.choice(
            (0, 1, 0x20, 0x40, 0x80, 0xC0, 255, random.randrange(256))
        )
    if random.randrange(3) == 0:
        octets = octets[: random.randrange(5, len(octets) + 1)]
    octets[2:4] = len(octets).to_bytes(2, "big")
    return bytes(octets)


class Replays(Device):
    """Has overheard a CHAP response to a challenge of its own making."""

    def _words(self, plain: bytes) -> bytes:
        response = chap.respond(7, b"alpha", b"c" * 16)
        said = ((keys.USER_NAME, b"alice"), (keys.CHAP_CHALLENGE, b"c" * 16), (keys.CHAP_PASSWORD, response))
        return b"".join(avps.write(key, value) for key, value in said)


class SkipsThePassword(Device):
    """Says that all went well, instead of answering the challenge."""

    def _words(self, plain: bytes) -> bytes:
        if plain[0] == MSCHAPV2:
            return encode(RESPONSE, 1, EXTENSIONS, RESULT + GOOD)
        return super()._words(plain)


class HearsOnlyWhatItWants(Device):
    """Takes a failure for a success."""

    def _words(self, plain: bytes) -> bytes:
        if plain[0] == MSCHAPV2 and plain[1] != 1:
            return bytes((MSCHAPV2, 3))
        if plain[0] not in (IDENTITY, MSCHAPV2):
            return encode(RESPONSE, plain[1], EXTENSIONS, RESULT + GOOD)
        return super()._words(plain)


class DoesNotBelieveUs(Device):
    """Finds our proof of the password wrong."""

    def _words(self, plain: bytes) -> bytes:
        return bytes((MSCHAPV2, 4)) if plain[0] == MSCHAPV2 and plain[1] == 3 else super()._words(plain)


class SaysNothing(Device):
    """Not a word in the tunnel."""

    def _words(self, plain: bytes) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (Replays("alice", "alpha", TTLS), Why.MALFORMED),
        (SkipsThePassword("alice", "wrong"), Why.MALFORMED),
        (HearsOnlyWhatItWants("alice", "wrong"), Why.WITHDRAWN),
        (DoesNotBelieveUs("alice", "alpha"), Why.WITHDRAWN),
        (SaysNothing("alice", "alpha"), Why.MALFORMED),
        (SaysNothing("alice", "alpha", TTLS), Why.MALFORMED),
    ],
    ids=lambda of: type(of).__name__,
)
def test_no_device_lies_itself_in(context, device, why):
    assert end(device, context).why is why


def test_words_outside_the_tunnel_are_not_words_inside_it(context):
    machine, device = Conversation(Home(), context), Device("alice", "alpha", TTLS)
    assert any(getattr(machine._method, "_stands", False) for _ in talk(device, machine))  # and there it stops
    open_words = avps.write(keys.USER_NAME, b"alice") + avps.write(keys.USER_PASSWORD, b"alpha")
    step = machine.take(Eap(RESPONSE, machine.identifier, TTLS, b"\0" + open_words))
    assert isinstance(step, Over)


@pytest.mark.parametrize("version", ["TLS1_VERSION", "TLS1_1_VERSION"])
def test_old_tls_is_refused(context, version):
    device = Device("alice", "alpha", TTLS, newest=getattr(SSL, version))
    with pytest.raises(SSL.Error, match="alert protocol version"):  # which is what we told it
        end(device, context)


def test_a_device_that_goes_on_for_ever_is_stopped(context):
    machine = Conversation(Home(), context)
    machine.take(Eap(RESPONSE, 0, IDENTITY, b"x"))
    for _ in range(ROUNDS_MAX + 1):
        step = machine.take(Eap(RESPONSE, machine.identifier, PEAP, bytes((MORE,)) + b"\x16"))
        if isinstance(step, Over):
            break
    assert step == Over(Why.TOO_LONG)
