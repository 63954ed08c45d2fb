"""The codec against pyrad, which knows nothing of it: what one encodes the other must read, both ways."""

import io
import string
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pyrad.dictionary
import pyrad.packet
from hypothesis import given
from hypothesis import strategies as st

from demarc.wire import radius
from demarc.wire.radius import keys

OCTETS = b"xyzzy5461"
SECRET = radius.Secret(OCTETS)

# Written by hand in pyrad's own format, so that our table is under test too
DICTIONARY = pyrad.dictionary.Dictionary(
    io.StringIO("""
ATTRIBUTE User-Name 1 string
ATTRIBUTE User-Password 2 string
ATTRIBUTE CHAP-Password 3 octets
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE NAS-Port 5 integer
ATTRIBUTE Framed-IP-Address 8 ipaddr
ATTRIBUTE Reply-Message 18 string
ATTRIBUTE Class 25 octets
ATTRIBUTE Acct-Session-Id 44 string
ATTRIBUTE Acct-Status-Type 40 integer
ATTRIBUTE Acct-Input-Octets 42 integer
ATTRIBUTE CHAP-Challenge 60 octets
ATTRIBUTE Tunnel-Type 64 integer has_tag
ATTRIBUTE Tunnel-Password 69 string has_tag,encrypt=2
ATTRIBUTE NAS-IPv6-Address 95 ipv6addr
ATTRIBUTE Framed-IPv6-Prefix 97 ipv6prefix
ATTRIBUTE Error-Cause 101 integer
ATTRIBUTE Delegated-IPv6-Prefix 123 ipv6prefix
VENDOR Microsoft 311
BEGIN-VENDOR Microsoft
ATTRIBUTE MS-MPPE-Send-Key 16 octets encrypt=2
END-VENDOR Microsoft
VENDOR Mikrotik 14988
BEGIN-VENDOR Mikrotik
ATTRIBUTE Mikrotik-Rate-Limit 8 string
ATTRIBUTE Mikrotik-Host-IP 10 ipaddr
END-VENDOR Mikrotik
""")
)

octets16 = st.binary(min_size=16, max_size=16)
text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
integer = st.integers(0, 0xFFFFFFFF)
ipv4 = st.ip_addresses(v=4)
ipv6 = st.ip_addresses(v=6)
prefix = st.tuples(ipv6, st.integers(0, 128)).map(lambda pair: IPv6Network(pair, strict=False))
blob = st.binary(min_size=1, max_size=200)
password = st.text(string.printable.strip() + "ěščřž", min_size=1, max_size=60)

VALUES = {
    "User-Name": text,
    "NAS-IP-Address": ipv4,
    "NAS-Port": integer,
    "Framed-IP-Address": ipv4,
    "Reply-Message": text,
    "Class": blob,
    "Acct-Session-Id": text,
    "Acct-Input-Octets": integer,
    "NAS-IPv6-Address": ipv6,
    "Framed-IPv6-Prefix": prefix,
    "Delegated-IPv6-Prefix": prefix,
    "Mikrotik-Rate-Limit": text,
    "Mikrotik-Host-IP": ipv4,
}
attributes = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])),
    max_size=12,
    unique_by=lambda pair: pair[0],
)


def for_pyrad(value: radius.Value) -> object:
    return str(value) if isinstance(value, IPv4Address | IPv6Address | IPv6Network) else value


def from_pyrad(name: str, value: object) -> radius.Value:
    kinds = {"ipv4": IPv4Address, "ipv6": IPv6Address, "ipv6prefix": IPv6Network}
    kind = kinds.get(radius.BY_NAME[name].kind)
    return kind(value) if kind else value


def assert_pyrad_reads(packet: pyrad.packet.Packet, pairs: list[tuple[str, radius.Value]]) -> None:
    for name, value in pairs:
        assert [from_pyrad(name, found) for found in packet[name]] == [value]


def assert_we_read(packet: radius.Packet, pairs: list[tuple[str, radius.Value]]) -> None:
    for name, value in pairs:
        attribute = radius.BY_NAME[name]
        assert [radius.decode_value(attribute, raw) for raw in packet.get_all(attribute.key)] == [value]


def from_them(kind: type[pyrad.packet.Packet], code: int, pairs: list[tuple[str, radius.Value]], **more):
    packet = kind(code=code, id=7, secret=OCTETS, dict=DICTIONARY, **more)
    for name, value in pairs:
        packet[name] = for_pyrad(value)
    return packet


@given(octets16, password, attributes)
def test_pyrad_reads_our_login(authenticator, secret_word, pairs):
    pairs = [pair for pair in pairs if pair[0] != "User-Name"]
    datagram = radius.pap_request(7, authenticator, ("nemo", secret_word), radius.encode_attributes(pairs), SECRET)
    packet = pyrad.packet.AuthPacket(secret=OCTETS, dict=DICTIONARY, packet=datagram)
    assert packet.verify_message_authenticator()
    assert packet["User-Name"] == ["nemo"]
    assert packet.PwDecrypt(packet[2][0]) == secret_word
    assert_pyrad_reads(packet, pairs)


@given(octets16, password, attributes)
def test_we_read_pyrads_login(authenticator, secret_word, pairs):
    packet = from_them(pyrad.packet.AuthPacket, keys.ACCESS_REQUEST, pairs, authenticator=authenticator)
    packet["User-Password"] = packet.PwCrypt(secret_word)
    packet.add_message_authenticator()
    ours = radius.decode(packet.RequestPacket())
    assert radius.verify_message_authenticator(ours, SECRET)
    assert radius.authentic(ours, SECRET)
    hidden = ours.get(keys.USER_PASSWORD)
    assert radius.pap.reveal(hidden, ours.authenticator, SECRET) == secret_word.encode()
    assert_we_read(ours, pairs)


@given(octets16, password)
def test_pyrad_verifies_our_chap(authenticator, secret_word):
    datagram = radius.chap_request(7, authenticator, ("nemo", secret_word), b"", SECRET)
    packet = pyrad.packet.AuthPacket(secret=OCTETS, dict=DICTIONARY, packet=datagram)
    assert packet.VerifyChapPasswd(secret_word.encode())
    assert not packet.VerifyChapPasswd(secret_word.encode() + b"!")


@given(octets16, attributes, st.sampled_from([2, 3, 11]), st.lists(blob, max_size=3))
def test_pyrad_believes_our_answer(authenticator, pairs, code, states):
    proxied = b"".join(radius.tlv(keys.PROXY_STATE, state) for state in states)
    asked = radius.pap_request(7, authenticator, ("nemo", "arctangent"), proxied, SECRET)
    request = pyrad.packet.AuthPacket(secret=OCTETS, dict=DICTIONARY, packet=asked)
    datagram = radius.encode_reply(code, radius.decode(asked), radius.encode_attributes(pairs), SECRET)
    reply = request.CreateReply(packet=datagram)
    assert request.VerifyReply(reply, datagram, enforce_ma=True)
    assert reply.code == code
    assert reply.get(33, []) == states
    assert_pyrad_reads(reply, pairs)


@given(octets16, attributes)
def test_we_believe_pyrads_answer(authenticator, pairs):
    request = from_them(pyrad.packet.AuthPacket, keys.ACCESS_REQUEST, [], authenticator=authenticator)
    reply = request.CreateReply()
    for name, value in pairs:
        reply[name] = for_pyrad(value)
    ours = radius.decode(reply.ReplyPacket())
    assert ours.signature_at
    assert radius.verify_reply(ours, authenticator, SECRET)
    assert not radius.verify_reply(ours, bytes(16), SECRET) or authenticator == bytes(16)
    assert_we_read(ours, pairs)


@given(attributes)
def test_pyrad_believes_our_accounting(pairs):
    datagram = radius.accounting_request(7, radius.encode_attributes(pairs), SECRET)
    packet = pyrad.packet.AcctPacket(secret=OCTETS, dict=DICTIONARY, packet=datagram)
    assert packet.VerifyAcctRequest()
    assert_pyrad_reads(packet, pairs)
    answer = radius.encode_reply(keys.ACCOUNTING_RESPONSE, radius.decode(datagram), b"", SECRET)
    assert packet.VerifyReply(packet.CreateReply(packet=answer), answer)


@given(attributes, st.booleans())
def test_we_believe_pyrads_accounting_and_it_our_answer_signed_or_not(pairs, signed):
    packet = from_them(pyrad.packet.AcctPacket, keys.ACCOUNTING_REQUEST, pairs)
    if signed:
        packet.add_message_authenticator()
    ours = radius.decode(packet.RequestPacket())
    assert radius.authentic(ours, SECRET)
    assert_we_read(ours, pairs)
    answer = radius.encode_reply(keys.ACCOUNTING_RESPONSE, ours, b"", SECRET)
    assert packet.VerifyReply(packet.CreateReply(packet=answer), answer)
    assert bool(radius.decode(answer).signature_at) is signed


@given(attributes, st.sampled_from([keys.COA_REQUEST, keys.DISCONNECT_REQUEST]))
def test_pyrad_believes_our_coa_and_we_its_answer(pairs, code):
    datagram = radius.encode_request(code, 7, b"", radius.encode_attributes(pairs), SECRET)
    packet = pyrad.packet.CoAPacket(code=code, secret=OCTETS, dict=DICTIONARY, packet=datagram)
    assert packet.VerifyCoARequest()
    assert packet.verify_message_authenticator()
    assert_pyrad_reads(packet, pairs)
    reply = packet.CreateReply()
    reply.code = code + 2
    reply["Error-Cause"] = 503
    reply.add_message_authenticator()
    answer = radius.parse_answer(reply.ReplyPacket(), datagram, SECRET)
    assert (answer.acknowledged, answer.reason) == (False, "Session-Context-Not-Found")


@given(octets16, st.binary(min_size=2, max_size=2), st.text(string.printable, min_size=1, max_size=60))
def test_both_hide_with_salt_alike(authenticator, salt, tunnel_secret):
    plain = tunnel_secret.encode()
    ours = radius.pap.hide_salted(plain, salt, authenticator, SECRET)
    theirs = pyrad.packet.AuthPacket(secret=OCTETS, dict=DICTIONARY, authenticator=authenticator)
    theirs.request_authenticator = authenticator
    assert theirs.SaltDecrypt(ours) == plain
    assert radius.pap.reveal_salted(theirs.SaltCrypt(plain), authenticator, SECRET) == plain


def test_pyrads_status_server_is_answered_on_both_ports():
    for kind, code in (
        (pyrad.packet.AuthPacket, keys.ACCESS_ACCEPT),
        (pyrad.packet.AcctPacket, keys.ACCOUNTING_RESPONSE),
    ):
        packet = from_them(kind, keys.STATUS_SERVER, [], authenticator=bytes(range(16)))
        packet.add_message_authenticator()
        ours = radius.decode(packet.RequestPacket())
        assert radius.authentic(ours, SECRET)
        answer = radius.encode_reply(code, ours, b"", SECRET)
        assert packet.VerifyReply(packet.CreateReply(packet=answer), answer, enforce_ma=True)
