"""What a reply looks like, and who is believed."""

from ipaddress import IPv4Address

import pytest

from demarc.wire import radius
from demarc.wire.radius import keys

SECRET = radius.Secret(b"xyzzy5461")
RANDOM = bytes(range(16))
PROFILE = radius.encode_attributes([("Framed-IP-Address", IPv4Address("10.1.2.3")), ("Mikrotik-Rate-Limit", "2M/10M")])


def pap_login(attributes: bytes = b"", secret: radius.Secret = SECRET) -> radius.Packet:
    return radius.decode(radius.pap_request(7, RANDOM, ("nemo", "arctangent"), attributes, secret))


def kinds(packet: radius.Packet) -> list[radius.Key]:
    return [key for key, _ in packet.attributes]


@pytest.mark.parametrize("code", [keys.ACCESS_ACCEPT, keys.ACCESS_REJECT, keys.ACCESS_CHALLENGE])
def test_every_answer_to_a_login_is_signed_in_its_first_attribute(code):
    request = pap_login()
    reply = radius.decode(radius.encode_reply(code, request, PROFILE, SECRET))
    assert kinds(reply) == [keys.MESSAGE_AUTHENTICATOR, keys.FRAMED_IP_ADDRESS, keys.MIKROTIK_RATE_LIMIT]
    assert (reply.code, reply.identifier) == (code, 7)
    assert radius.verify_reply(reply, request.authenticator, SECRET)


def test_a_login_without_signature_gets_a_signed_answer_too():
    unsigned = radius.encode_request(keys.ACCESS_REQUEST, 7, RANDOM, b"", SECRET, signed=False)
    reply = radius.decode(radius.encode_reply(keys.ACCESS_REJECT, radius.decode(unsigned), b"", SECRET))
    assert kinds(reply) == [keys.MESSAGE_AUTHENTICATOR]


def test_a_status_server_gets_a_signed_answer_on_both_ports():
    request = radius.decode(radius.status_server(7, RANDOM, SECRET))
    for code in (keys.ACCESS_ACCEPT, keys.ACCOUNTING_RESPONSE):
        reply = radius.decode(radius.encode_reply(code, request, b"", SECRET))
        assert kinds(reply) == [keys.MESSAGE_AUTHENTICATOR]
        assert radius.verify_reply(reply, request.authenticator, SECRET)


def test_an_accounting_response_is_signed_only_if_its_request_was():
    start = radius.encode_attributes([("Acct-Status-Type", 1), ("Acct-Session-Id", "a")])
    for signed in (False, True):
        datagram = radius.encode_request(keys.ACCOUNTING_REQUEST, 7, b"", start, SECRET, signed=signed)
        request = radius.decode(datagram)
        reply = radius.decode(radius.encode_reply(keys.ACCOUNTING_RESPONSE, request, b"", SECRET))
        assert bool(reply.signature_at) is signed
        assert radius.verify_reply(reply, request.authenticator, SECRET)


def test_proxy_states_come_back_whole_and_in_order():
    states = [b"\x01\x02", b"", b"\xff" * 253, b"\x01\x02"]
    request = pap_login(b"".join(radius.tlv(keys.PROXY_STATE, state) for state in states))
    reply = radius.decode(radius.encode_reply(keys.ACCESS_ACCEPT, request, PROFILE, SECRET))
    assert reply.get_all(keys.PROXY_STATE) == states
    assert kinds(reply)[0] == keys.MESSAGE_AUTHENTICATOR
    assert kinds(reply)[-4:] == [keys.PROXY_STATE] * 4


def test_proxy_states_that_leave_no_room_are_the_senders_fault():
    request = pap_login(radius.tlv(keys.PROXY_STATE, bytes(253)) * 15)
    assert len(radius.encode_reply(keys.ACCESS_REJECT, request, b"", SECRET)) < 4096
    with pytest.raises(radius.Malformed):
        radius.encode_reply(keys.ACCESS_ACCEPT, request, radius.tlv(keys.REPLY_MESSAGE, bytes(253)), SECRET)


def test_one_flipped_bit_anywhere_breaks_the_signature_of_a_request():
    datagram = pap_login(PROFILE).octets
    for at in range(8 * len(datagram)):
        changed = bytearray(datagram)
        changed[at // 8] ^= 1 << at % 8
        try:
            packet = radius.decode(bytes(changed))
        except radius.Malformed:
            continue
        assert not radius.verify_message_authenticator(packet, SECRET)


def test_one_flipped_bit_anywhere_breaks_an_answer():
    request = pap_login()
    datagram = radius.encode_reply(keys.ACCESS_ACCEPT, request, PROFILE, SECRET)
    for at in range(8 * len(datagram)):
        changed = bytearray(datagram)
        changed[at // 8] ^= 1 << at % 8
        try:
            packet = radius.decode(bytes(changed))
        except radius.Malformed:
            continue
        assert not radius.verify_reply(packet, request.authenticator, SECRET)


def test_a_reject_cannot_be_turned_into_an_accept_by_hiding_bytes_in_proxy_state():
    """The shape of CVE-2024-3596: the hash of the reply may collide, the signature in front does not."""
    request = pap_login(radius.tlv(keys.PROXY_STATE, bytes(200)))
    reject = radius.encode_reply(keys.ACCESS_REJECT, request, b"", SECRET)
    forged = bytes([keys.ACCESS_ACCEPT]) + reject[1:4]
    colliding = forged + SECRET.after(forged + request.authenticator + reject[20:]) + reject[20:]
    assert not radius.verify_reply(radius.decode(colliding), request.authenticator, SECRET)


def test_eap_without_signature_is_not_believed():
    eap = radius.tlv(keys.EAP_MESSAGE, b"\x02\x00\x00\x05\x01")
    unsigned = radius.encode_request(keys.ACCESS_REQUEST, 7, RANDOM, eap, SECRET, signed=False)
    signed = radius.encode_request(keys.ACCESS_REQUEST, 7, RANDOM, eap, SECRET)
    assert not radius.authentic(radius.decode(unsigned), SECRET)
    assert radius.authentic(radius.decode(signed), SECRET)


@pytest.mark.parametrize("code", [keys.ACCOUNTING_REQUEST, keys.COA_REQUEST, keys.DISCONNECT_REQUEST])
@pytest.mark.parametrize("signed", [True, False])
def test_accounting_and_coa_with_another_secret_are_not_believed(code, signed):
    other = radius.Secret(b"other")
    datagram = radius.encode_request(code, 7, b"", PROFILE, SECRET, signed=signed)
    assert radius.authentic(radius.decode(datagram), SECRET)
    assert not radius.authentic(radius.decode(datagram), other)


def test_an_accounting_request_whose_signature_alone_is_wrong_is_not_believed():
    ours = radius.encode_request(keys.ACCOUNTING_REQUEST, 7, b"", PROFILE, SECRET)
    broken = bytearray(ours)
    broken[30] ^= 1
    broken[4:20] = SECRET.after(bytes(broken[:4]) + bytes(16) + bytes(broken[20:]))
    assert radius.verify_request_authenticator(radius.decode(bytes(broken)), SECRET)
    assert not radius.authentic(radius.decode(bytes(broken)), SECRET)


def test_long_secrets_are_hashed_first_as_hmac_wants():
    import hmac

    for length in (1, 63, 64, 65, 200):
        octets = bytes(range(1, 201))[:length]
        assert radius.Secret(octets).hmac(b"data") == hmac.digest(octets, b"data", "md5")


def test_an_empty_secret_is_refused_and_none_is_printed():
    with pytest.raises(ValueError):
        radius.Secret(b"")
    assert "xyzzy" not in repr(SECRET)


def test_values_of_the_wrong_size_count_as_absent():
    odd = b"".join(
        radius.tlv(key, b"\x01\x02\x03")
        for key in (keys.NAS_PORT, keys.NAS_IP_ADDRESS, keys.NAS_IPV6_ADDRESS, keys.EVENT_TIMESTAMP)
    )
    packet = pap_login(odd + radius.tlv(keys.FRAMED_IPV6_PREFIX, b"\x00\x81"))
    assert packet.integer(keys.NAS_PORT) is None
    assert packet.ip(keys.NAS_IP_ADDRESS) is None
    assert packet.ipv6(keys.NAS_IPV6_ADDRESS) is None
    assert packet.moment(keys.EVENT_TIMESTAMP) is None
    assert packet.prefix(keys.FRAMED_IPV6_PREFIX) is None
    assert packet.text(keys.NAS_IDENTIFIER) == ""


def test_the_first_of_several_is_the_one():
    packet = pap_login(radius.tlv(keys.CLASS, b"one") + radius.tlv(keys.CLASS, b"two"))
    assert packet.get(keys.CLASS) == b"one"
    assert packet.get_all(keys.CLASS) == [b"one", b"two"]
    assert packet.get_all(keys.STATE) == []


def test_two_hundred_attributes_are_borne_and_no_more():
    def asking(count: int) -> bytes:
        attributes = radius.tlv(keys.PROXY_STATE, b"x") * count
        return radius.encode_request(keys.ACCESS_REQUEST, 7, RANDOM, attributes, SECRET, signed=False)

    assert len(radius.decode(asking(200)).attributes) == 200
    with pytest.raises(radius.Malformed):
        radius.decode(asking(201))


def test_attributes_inside_vendor_specific_count_too():
    nested = b"\x00\x00\x3a\x8c" + b"\x13\x02" * 101
    with pytest.raises(radius.Malformed):
        radius.decode(
            radius.encode_request(keys.ACCESS_REQUEST, 7, RANDOM, radius.tlv(keys.VENDOR_SPECIFIC, nested) * 2, SECRET)
        )


def test_a_password_is_blank_when_the_client_has_none():
    """MikroTik's DHCP server sends an empty User-Password, or a blank."""
    assert radius.pap.reveal(b"", RANDOM, SECRET) == b""
    assert radius.pap.reveal(radius.pap.hide(b"", RANDOM, SECRET), RANDOM, SECRET) == b""
    assert radius.pap.reveal(radius.pap.hide(b" ", RANDOM, SECRET), RANDOM, SECRET) == b" "


def test_another_secret_makes_an_implausible_password():
    hidden = radius.pap.hide("kůň a vůz".encode(), RANDOM, SECRET)
    assert radius.pap.plausible(radius.pap.reveal(hidden, RANDOM, SECRET))
    assert not radius.pap.plausible(radius.pap.reveal(hidden, RANDOM, radius.Secret(b"other")))


@pytest.mark.parametrize("hidden", [b"x", bytes(17), bytes(144)])
def test_a_hidden_password_of_impossible_length_is_malformed(hidden):
    with pytest.raises(radius.Malformed):
        radius.pap.reveal(hidden, RANDOM, SECRET)


def test_a_salted_value_that_is_longer_than_itself_is_malformed():
    hidden = radius.pap.hide_salted(b"", b"\x01\x02", RANDOM, SECRET)
    longer = hidden[:2] + bytes((hidden[2] ^ 16,)) + hidden[3:]
    with pytest.raises(radius.Malformed):
        radius.pap.reveal_salted(longer, RANDOM, SECRET)


@pytest.mark.parametrize("hidden", [b"", b"\x80", b"\x80\x01", bytes(17), bytes(33)])
def test_a_salted_value_of_impossible_length_is_malformed(hidden):
    with pytest.raises(radius.Malformed):
        radius.pap.reveal_salted(hidden, RANDOM, SECRET)


@pytest.mark.parametrize("size", [1, 16, 24, 253])
def test_chap_takes_its_challenge_from_the_attribute_if_there_is_one(size):
    challenge = bytes(range(size))
    response = radius.chap.respond(22, b"arctangent", challenge)
    body = radius.tlv(keys.CHAP_PASSWORD, response) + radius.tlv(keys.CHAP_CHALLENGE, challenge)
    request = radius.decode(radius.encode_request(keys.ACCESS_REQUEST, 7, bytes(16), body, SECRET))
    assert radius.chap.verify(request, b"arctangent")
    assert not radius.chap.verify(request, b"arctangens")


@pytest.mark.parametrize("size", [0, 8, 15, 17])
def test_mschap_version_2_wants_a_challenge_of_sixteen_octets(size):
    """A right answer to another challenge than the RFC's is wrong."""
    challenge, hashed = bytes(size), radius.mschap.nt_hash("arctangent")
    short = radius.mschap.challenge_hash(RANDOM, challenge, b"nemo")
    response = b"\1\0" + RANDOM + bytes(8) + radius.mschap.challenge_response(short, hashed)
    assert not radius.mschap.verify_v2(response, challenge, b"nemo", hashed)


def test_mschap_error_tells_the_peer_to_dial_anew():
    made = radius.mschap.failure(9, bytes(range(16)), "Access denied")
    assert made == b"\x09E=691 R=0 C=000102030405060708090A0B0C0D0E0F V=3 M=Access denied"
