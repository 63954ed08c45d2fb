"""Whatever comes in, only Malformed comes out; and what is well-formed is survived."""

import contextlib
from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from tests.wire.radius.mutations import SECRET, corpus, malformed
from tests.wire.radius.said import Said, said

from demarc.radiusd import records, tally
from demarc.wire import radius
from demarc.wire.radius import keys, mschap

KEY = radius.Secret(SECRET)
ARRIVED_US = records.microseconds(datetime(2026, 11, 21, tzinfo=UTC))
NT_HASH = mschap.nt_hash("arctangent")
COA = radius.disconnect_request(7, radius.SessionIdentity("nemo"), datetime(2026, 11, 21, tzinfo=UTC), KEY)


def serve(datagram: bytes) -> str:
    """All that a server could do with a datagram. The name of what came of it."""
    try:
        packet = radius.decode(datagram)
    except radius.Malformed:
        return "malformed"
    if not radius.authentic(packet, KEY):
        return "not authentic"
    read_everything(packet)
    check_every_password(packet)
    store(said(packet))
    ship(packet)
    try:
        reply = radius.encode_reply(keys.ACCESS_REJECT, packet, radius.tlv(keys.REPLY_MESSAGE, b"no"), KEY)
    except radius.Malformed:
        return "no room"
    if len(packet.attributes) < 199:  # with the signature and ours the reply has more than we would read
        assert radius.verify_reply(radius.decode(reply), packet.authenticator, KEY)
    return "answered"


def read_everything(packet: radius.Packet) -> None:
    for key, raw in packet.attributes:
        text = packet.text(key)
        assert "\0" not in text
        text.encode()  # nothing that a database refuses
        packet.integer(key), packet.ip(key), packet.ipv6(key), packet.prefix(key), packet.moment(key)
        if key in radius.BY_KEY:
            with contextlib.suppress(radius.Malformed):
                radius.decode_value(radius.BY_KEY[key], raw)


def check_every_password(packet: radius.Packet) -> None:
    name = packet.get(keys.USER_NAME) or b""
    challenge = packet.get(keys.MS_CHAP_CHALLENGE) or b""
    with contextlib.suppress(radius.Malformed):
        radius.pap.plausible(radius.pap.reveal(packet.get(keys.USER_PASSWORD) or b"", packet.authenticator, KEY))
    with contextlib.suppress(radius.Malformed):
        radius.pap.reveal_salted(packet.get(keys.TUNNEL_PASSWORD) or b"", packet.authenticator, KEY)
    radius.chap.verify(packet, b"arctangent")
    mschap.verify_v1(packet.get(keys.MS_CHAP_RESPONSE) or b"", challenge, NT_HASH)
    mschap.verify_v2(packet.get(keys.MS_CHAP2_RESPONSE) or b"", challenge, name, NT_HASH)


def store(record: Said) -> None:
    """What PostgreSQL would make of it: text without NUL, counters within numeric(20)."""
    for text in (record.session_id, record.user_name, record.nas_identifier, record.nas_port_id):
        assert "\0" not in text
    assert 0 <= record.input_octets < 1 << 64
    assert 0 <= record.output_octets < 1 << 64


def ship(packet: radius.Packet) -> None:
    """What the shipper takes from it: numbers that the columns hold, text without NUL."""
    item = tally.prepare(records.encode(records.Record(records.PACKET, ARRIVED_US, 1, 1, 0, 0, 0, "", packet.octets)))
    if item is None or item.fact is None:
        return
    for text in (item.session_id, item.user_name, item.fact.calling_station):
        assert "\0" not in text
    assert max(item.fact.giga_in or 0, item.fact.giga_out or 0) <= tally.GIGAWORDS_MAX
    assert 0 <= item.fact.session_time_s <= tally.SESSION_TIME_MAX_S


def answer_from_a_nas(datagram: bytes) -> None:
    with contextlib.suppress(radius.Malformed):
        radius.parse_answer(datagram, COA, KEY)


def test_the_corpus_is_survived():
    outcomes = Counter(serve(datagram) for datagram in corpus())
    assert sum(outcomes.values()) > 300
    assert outcomes["malformed"] > 100
    assert outcomes["answered"] > 100


def test_a_hundred_thousand_malformed_packets_are_survived():
    outcomes = Counter(serve(datagram) for datagram in malformed(100_000, seed=1))
    assert outcomes["malformed"] > 30_000
    # enough must come through the first door to try what lies behind it
    assert outcomes["answered"] > 5_000
    assert outcomes["not authentic"] > 5_000


def test_answers_of_a_broken_nas_are_survived():
    for datagram in malformed(5_000, seed=2):
        answer_from_a_nas(bytes((41, 7)) + datagram[2:])


def test_the_same_seed_gives_the_same_packets():
    assert list(malformed(500, seed=3)) == list(malformed(500, seed=3))
    assert list(malformed(500, seed=3)) != list(malformed(500, seed=4))


@given(st.binary(max_size=5000))
def test_noise_is_survived(datagram: bytes):
    serve(datagram)
    answer_from_a_nas(datagram)


@given(code=st.integers(0, 255), body=st.binary(max_size=300))
def test_noise_behind_a_true_header_is_survived(code: int, body: bytes):
    serve(bytes((code, 7)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)


@given(st.text())
def test_a_rate_limit_is_read_or_malformed(text: str):
    try:
        again = str(radius.parse_rate_limit(text))
    except radius.Malformed:
        return
    assert radius.parse_rate_limit(again) == radius.parse_rate_limit(text)
