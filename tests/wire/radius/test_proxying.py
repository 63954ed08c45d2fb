"""Packets handed on to another server and back, with pyrad, which knows nothing of it, at both ends."""

import os
import random
from ipaddress import IPv4Address

import pyrad.packet
import pytest
from tests.wire.radius.test_against_pyrad import DICTIONARY

from demarc.wire import radius
from demarc.wire.radius import keys

NAS, OLD = b"testing123", b"the old server's"
HERE, THERE = radius.Secret(NAS), radius.Secret(OLD)
STATE = b"ours"
PACKETS = 10_000
SEED = int(os.environ.get("DEMARC_SEED", "20261122"))
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_.@ěščř"


def asked_by_pyrad(dice: random.Random) -> tuple[pyrad.packet.AuthPacket, dict[str, list]]:
    """A login as pyrad's client sends it; what is in it by name. Signed or not, proxied before or not."""
    packet = pyrad.packet.AuthPacket(
        id=dice.randrange(256), secret=NAS, dict=DICTIONARY, authenticator=dice.randbytes(16)
    )
    words = {
        "User-Name": ["".join(dice.choices(LETTERS, k=dice.randint(1, 40)))],
        "NAS-Port": [dice.getrandbits(32)],
        "NAS-IP-Address": [str(IPv4Address(dice.getrandbits(32)))],
        "Class": [dice.randbytes(dice.randint(1, 60)) for _ in range(dice.randint(1, 3))],
        "Mikrotik-Host-IP": [str(IPv4Address(dice.getrandbits(32)))],
    }
    for name in dice.sample(sorted(words), k=len(words)):
        for value in words[name]:
            packet.AddAttribute(name, value)
    packet[33] = [dice.randbytes(dice.randint(1, 40)) for _ in range(dice.randint(0, 3))]
    if not packet[33]:
        del packet[33]
    if dice.random() < 0.5:
        packet.add_message_authenticator()
    return packet, words


def password(dice: random.Random) -> str:
    return "".join(dice.choices(LETTERS, k=dice.randint(1, 60)))


@pytest.mark.timeout(240)
def test_ten_thousand_random_logins_and_answers_pass_between_pyrad_and_pyrad():
    dice = random.Random(SEED)
    for number in range(PACKETS):
        asked, words = asked_by_pyrad(dice)
        secret_word, fresh = password(dice), dice.randbytes(16)
        asked[2] = [asked.PwCrypt(secret_word)]
        request = radius.decode(asked.RequestPacket())
        on = radius.handed_on(request, number % 256, STATE, HERE, (fresh, THERE))

        heard = pyrad.packet.AuthPacket(secret=OLD, dict=DICTIONARY, packet=on)
        assert heard.verify_message_authenticator(), f"seed {SEED}, packet {number}"
        assert heard.PwDecrypt(heard[2][0]) == secret_word
        assert {name: heard[name] for name in words} == words
        assert heard[33] == [*asked.get(33, []), STATE]

        reply, key, tunnel = answered_by_pyrad(dice, heard)
        told = radius.decode(reply)
        assert radius.verify_reply(told, fresh, THERE)
        back = radius.handed_back(told, (fresh, THERE), request, HERE)
        got = asked.CreateReply(packet=back)
        got.request_authenticator = asked.authenticator  # as its clients set it
        assert asked.VerifyReply(got, back, enforce_ma=True), f"seed {SEED}, packet {number}"
        assert got.get(33, []) == asked.get(33, [])
        assert got["MS-MPPE-Send-Key"] == [key]
        assert hidden_with_nas(radius.decode(back), request) == tunnel


def answered_by_pyrad(dice: random.Random, heard: pyrad.packet.AuthPacket) -> tuple[bytes, bytes, bytes]:
    """The answer, and the key and the tunnel's password that are hidden in it."""
    reply = heard.CreateReply()
    reply.code = dice.choice((2, 2, 3, 11))
    key, tunnel = dice.randbytes(16), dice.randbytes(dice.randint(1, 100))
    reply.AddAttribute("MS-MPPE-Send-Key", key)
    salt = bytes((0x80 | dice.randrange(128), dice.randrange(256)))
    reply[69] = [b"\x01" + radius.pap.hide_salted(tunnel, salt, heard.authenticator, THERE)]
    reply.AddAttribute("Mikrotik-Rate-Limit", f"{dice.randint(1, 99)}M/{dice.randint(1, 99)}M")
    reply[33] = heard[33]
    return reply.ReplyPacket(), key, tunnel


def hidden_with_nas(back: radius.Packet, request: radius.Packet) -> bytes:
    return radius.pap.reveal_salted(back.first[keys.TUNNEL_PASSWORD][1:], request.authenticator, HERE)


def test_a_chap_login_takes_its_challenge_along_because_the_authenticator_changes():
    request = radius.decode(radius.chap_request(9, bytes(range(16)), ("nemo", "arctangent"), b"", HERE))
    on = radius.decode(radius.handed_on(request, 1, STATE, HERE, (bytes(16), THERE)))
    assert on.first[keys.CHAP_CHALLENGE] == bytes(range(16))
    assert radius.chap.verify(on, b"arctangent")


def test_a_challenge_of_its_own_is_left_as_it_is():
    response = radius.chap.respond(7, b"arctangent", b"own challenge")
    given = radius.tlv(keys.CHAP_PASSWORD, response) + radius.tlv(keys.CHAP_CHALLENGE, b"own challenge")
    request = radius.decode(radius.encode_request(keys.ACCESS_REQUEST, 9, bytes(16), given, HERE))
    on = radius.decode(radius.handed_on(request, 1, STATE, HERE, (b"x" * 16, THERE)))
    assert on.get_all(keys.CHAP_CHALLENGE) == [b"own challenge"]


def test_mschap_keys_of_version_1_are_hidden_anew_with_all_their_octets():
    request = radius.decode(radius.pap_request(3, b"n" * 16, ("nemo", "x"), b"", HERE))
    plain = bytes(range(24)) + bytes(8)
    both = radius.tlv(keys.MS_CHAP_MPPE_KEYS, radius.pap.hide(plain, b"s" * 16, THERE))
    sent = radius.decode(radius.pap_request(4, b"s" * 16, ("nemo", "x"), b"", THERE))
    reply = radius.decode(radius.encode_reply(2, sent, both, THERE))
    back = radius.decode(radius.handed_back(reply, (b"s" * 16, THERE), request, HERE))
    shown = radius.pap.reveal(back.first[keys.MS_CHAP_MPPE_KEYS], b"n" * 16, HERE)
    assert shown == plain.rstrip(b"\0")


def test_several_of_microsofts_attributes_in_one_stay_in_one():
    request = radius.decode(radius.pap_request(3, b"n" * 16, ("nemo", "x"), b"", HERE))
    key = radius.pap.hide_salted(b"k" * 16, b"\x81\x02", b"s" * 16, THERE)
    inside = bytes((16, len(key) + 2)) + key + bytes((7, 6, 0, 0, 0, 1))
    sent = radius.decode(radius.pap_request(4, b"s" * 16, ("nemo", "x"), b"", THERE))
    reply = radius.decode(radius.encode_reply(2, sent, radius.tlv(26, (311).to_bytes(4, "big") + inside), THERE))
    back = radius.decode(radius.handed_back(reply, (b"s" * 16, THERE), request, HERE))
    assert radius.pap.reveal_salted(back.first[keys.MS_MPPE_SEND_KEY], b"n" * 16, HERE) == b"k" * 16
    assert back.first[keys.MS_MPPE_ENCRYPTION_POLICY] == (1).to_bytes(4, "big")


@pytest.mark.parametrize(
    "attribute",
    [
        radius.tlv(69, b"\x01\x80\x01short"),
        radius.tlv(26, (311).to_bytes(4, "big") + bytes((16, 3, 1))),
        radius.tlv(26, (311).to_bytes(4, "big") + bytes((16, 99, 1))),
        radius.tlv(26, (311).to_bytes(4, "big") + bytes((16,))),
    ],
)
def test_a_hidden_value_of_an_impossible_length_is_malformed_and_nothing_else(attribute):
    request = radius.decode(radius.pap_request(3, b"n" * 16, ("nemo", "x"), b"", HERE))
    reply = radius.decode(radius.encode_reply(2, request, attribute, THERE))
    with pytest.raises(radius.Malformed):
        radius.handed_back(reply, (b"s" * 16, THERE), request, HERE)


def test_accounting_is_handed_on_under_the_other_secret_and_without_the_first_signature():
    given = radius.encode_attributes([("User-Name", "nemo"), ("Acct-Status-Type", 1), ("Acct-Session-Id", "8100")])
    signed = radius.encode_request(keys.ACCOUNTING_REQUEST, 5, bytes(16), given, HERE, signed=True)
    on = radius.accounting_handed_on(radius.decode(signed), 200, STATE, THERE)
    packet = pyrad.packet.AcctPacket(secret=OLD, dict=DICTIONARY, packet=on)
    assert packet.VerifyAcctRequest()
    assert (packet["User-Name"], packet["Acct-Session-Id"], packet[33]) == (["nemo"], ["8100"], [STATE])
    assert 80 not in packet


def test_a_request_that_is_full_is_malformed():
    states = b"".join(radius.tlv(keys.PROXY_STATE, bytes(253)) for _ in range(15)) + radius.tlv(33, bytes(205))
    request = radius.decode(radius.pap_request(3, b"n" * 16, ("nemo", "x"), states, HERE))
    with pytest.raises(radius.Malformed):
        radius.handed_on(request, 1, bytes(16), HERE, (bytes(16), THERE))
