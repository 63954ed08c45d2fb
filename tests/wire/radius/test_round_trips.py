"""What goes in comes out again, for every attribute we know and every value that fits."""

from datetime import UTC, datetime
from ipaddress import IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from demarc.wire import radius
from demarc.wire.radius import keys

SECRET = radius.Secret(b"xyzzy5461")

octets16 = st.binary(min_size=16, max_size=16)
KINDS = {
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60),
    "octets": st.binary(max_size=240),
    "integer": st.integers(0, 0xFFFFFFFF),
    "ipv4": st.ip_addresses(v=4),
    "ipv6": st.ip_addresses(v=6),
    "ipv6prefix": st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(
        lambda pair: IPv6Network(pair, strict=False)
    ),
    "ifid": st.binary(min_size=8, max_size=8),
    "date": st.integers(0, 0xFFFFFFFF).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
}


@st.composite
def attribute_and_value(draw) -> tuple[radius.Attribute, radius.Value, int]:
    attribute = draw(st.sampled_from(sorted(radius.BY_NAME.values(), key=lambda known: known.name)))
    value = draw(KINDS[attribute.kind])
    if attribute.tagged and attribute.kind == "integer":
        value &= 0xFFFFFF
    return attribute, value, draw(st.integers(0, 31)) if attribute.tagged else 0


@given(attribute_and_value())
def test_a_value_is_read_as_it_was_written(drawn):
    attribute, value, tag = drawn
    raw = radius.encode_value(attribute, value, tag)
    assert radius.decode_value(attribute, raw) == value


@given(octets16, st.lists(attribute_and_value(), max_size=10))
def test_attributes_come_back_in_order(authenticator, drawn):
    drawn = [one for one in drawn if one[0].key not in (keys.VENDOR_SPECIFIC, keys.MESSAGE_AUTHENTICATOR)]
    body = b"".join(radius.encode_attribute(attribute.name, value, tag) for attribute, value, tag in drawn)
    datagram = radius.encode_request(keys.ACCESS_REQUEST, 7, authenticator, body, SECRET)
    packet = radius.decode(datagram + b"padding")
    assert packet.octets == datagram
    assert [key for key, _ in packet.attributes[1:]] == [attribute.key for attribute, _, _ in drawn]
    for (attribute, value, _), (_, raw) in zip(drawn, packet.attributes[1:], strict=True):
        assert radius.decode_value(attribute, raw) == value
    assert radius.authentic(packet, SECRET)


@given(octets16, st.binary(max_size=128))
def test_a_password_is_found_again_but_for_nuls_at_its_end(authenticator, password):
    hidden = radius.pap.hide(password, authenticator, SECRET)
    assert len(hidden) % 16 == 0
    assert hidden != password
    assert radius.pap.reveal(hidden, authenticator, SECRET) == password.rstrip(b"\0")


@given(octets16, st.binary(min_size=2, max_size=2), st.binary(max_size=239))
def test_a_salted_value_is_found_again_whole(authenticator, salt, value):
    hidden = radius.pap.hide_salted(value, salt, authenticator, SECRET)
    assert hidden[0] & 0x80
    assert len(hidden) + 1 <= 253
    assert radius.pap.reveal_salted(hidden, authenticator, SECRET) == value


@given(octets16, st.text(min_size=1, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_mschap_version_2_knows_the_right_password_from_a_wrong_one(authenticator, name, password, other):
    packet = radius.decode(radius.mschapv2_request(7, authenticator, (name, password), b"", SECRET))
    response, challenge = packet.get(keys.MS_CHAP2_RESPONSE), packet.get(keys.MS_CHAP_CHALLENGE)
    user = packet.get(keys.USER_NAME)
    for tried in (password, other):
        held = radius.mschap.verify_v2(response, challenge, user, radius.mschap.nt_hash(tried))
        assert held is (tried == password)


@given(octets16, st.text(max_size=40), st.text(max_size=40))
def test_chap_knows_the_right_password_from_a_wrong_one(authenticator, password, other):
    packet = radius.decode(radius.chap_request(7, authenticator, ("nemo", password), b"", SECRET))
    for tried in (password, other):
        assert radius.chap.verify(packet, tried.encode()) is (tried == password)


def test_a_request_without_chap_is_not_verified():
    packet = radius.decode(radius.pap_request(7, bytes(16), ("nemo", "x"), b"", SECRET))
    assert not radius.chap.verify(packet, b"x")


pairs = st.tuples(st.integers(0, 10**10), st.integers(0, 10**10)).map(lambda pair: radius.UpDown(*pair))
bursts = st.builds(radius.Burst, pairs.filter(any), pairs, pairs)
rates = st.builds(radius.RateLimit, pairs, st.none() | bursts, st.integers(1, 8), st.none() | pairs)


@given(rates)
def test_a_rate_limit_is_read_as_it_was_written(rate):
    assert radius.parse_rate_limit(str(rate)) == rate
