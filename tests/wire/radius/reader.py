"""Reads and runs the vectors: text that a network engineer can write. The language is in vectors/README.md.

A case is a title and steps; a step is a word and the rest of the line; hex may go on in indented lines.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

import pytest
from tests.wire.radius.said import said

from demarc.wire import radius
from demarc.wire.radius import md4, mschap

VECTORS = Path(__file__).parent / "vectors"


@dataclass
class Case:
    file: str
    title: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def cases() -> Iterator[Case]:
    for path in sorted(VECTORS.glob("*.txt")):
        case = None
        for line in path.read_text().splitlines():
            word, _, rest = line.partition(" ")
            if not line.strip() or line.startswith("#"):
                continue
            if word == "case":
                if case:
                    yield case
                case = Case(path.name, rest)
            elif case and line.startswith("    "):
                case.steps[-1] = (case.steps[-1][0], f"{case.steps[-1][1]} {line.strip()}".strip())
            elif case:
                case.steps.append((word, rest.strip()))
            else:
                raise ValueError(f"{path.name}: a step before the first case: {line}")
        if case:
            yield case


def value_of(name: str, text: str) -> radius.Value:
    """A value as written in a vector: "text", 0xhex, an address, a prefix, a time, a number or its name."""
    attribute = radius.BY_NAME[name]
    names = {label: number for number, label in radius.VALUE_NAMES.get(name, {}).items()}
    read: dict[str, Callable[[str], radius.Value]] = {
        "text": lambda quoted: quoted.strip('"'),
        "octets": lambda digits: bytes.fromhex(digits.removeprefix("0x")),
        "ifid": lambda digits: bytes.fromhex(digits.removeprefix("0x")),
        "integer": lambda word: names[word] if word in names else int(word),
        "ipv4": IPv4Address,
        "ipv6": IPv6Address,
        "ipv6prefix": IPv6Network,
        "date": datetime.fromisoformat,
    }
    return read[attribute.kind](text)


def split_name(text: str) -> tuple[str, int, str]:
    """Name, tag and value of `Name = value` or `Name:tag = value`."""
    left, _, right = text.partition(" = ")
    name, _, tag = left.partition(":")
    return name, int(tag or 0), right


class Runner:
    """What the steps so far have brought about, and a method per kind of step."""

    def __init__(self) -> None:
        self.secret = radius.Secret(b"xyzzy5461")
        self.request: radius.Packet | None = None
        self.packet: radius.Packet | None = None
        self.password = ""
        self.user = b""
        self.challenge = b""
        self.response = b""

    def run(self, case: Case) -> None:
        for word, rest in case.steps:
            getattr(self, "do_" + word.replace("-", "_"))(rest)

    # packets

    def do_secret(self, text: str) -> None:
        self.secret = radius.Secret(text.encode())

    def do_request(self, text: str) -> None:
        self.request = self.packet = radius.decode(bytes.fromhex(text))

    def do_reply(self, text: str) -> None:
        self.packet = radius.decode(bytes.fromhex(text))

    def do_malformed(self, text: str) -> None:
        reason, _, digits = text.partition(":")
        with pytest.raises(radius.Malformed, match=f"^{reason}$"):
            radius.decode(bytes.fromhex(digits))

    def do_code(self, text: str) -> None:
        assert radius.CODE_NAMES[self.packet.code] == text

    def do_count(self, text: str) -> None:
        assert len(self.packet.attributes) == int(text)

    def do_has(self, text: str) -> None:
        name, tag, written = split_name(text)
        attribute = radius.BY_NAME[name]
        expected = radius.encode_value(attribute, value_of(name, written), tag)
        values = self.packet.get_all(attribute.key)
        assert expected in values, f"{name} is {[value.hex() for value in values]}, not {expected.hex()}"
        assert radius.decode_value(attribute, expected) == value_of(name, written)

    def do_lacks(self, text: str) -> None:
        assert self.packet.get(radius.BY_NAME[text].key) is None

    def do_raw(self, text: str) -> None:
        """raw 26 = hex: kept as it came."""
        number, _, digits = text.partition(" = ")
        assert bytes.fromhex(digits) in self.packet.get_all(int(number))

    def do_vendor(self, text: str) -> None:
        """vendor 9:1 = hex: from inside a Vendor-Specific attribute."""
        key, _, digits = text.partition(" = ")
        vendor, _, number = key.partition(":")
        assert bytes.fromhex(digits) in self.packet.get_all((int(vendor), int(number)))

    def do_signed(self, text: str) -> None:
        assert radius.verify_message_authenticator(self.packet, self.secret) is (text == "yes")
        assert bool(self.packet.signature_at) is (text != "no")

    def do_authentic(self, text: str) -> None:
        assert radius.authentic(self.request, self.secret) is (text == "yes")

    def do_verifies(self, text: str) -> None:
        held = radius.verify_reply(self.packet, self.request.authenticator, self.secret)
        assert held is (text == "yes")

    def do_accounting(self, text: str) -> None:
        name, _, expected = text.partition(" =")
        assert str(getattr(said(self.request), name)) == expected.strip()

    def do_answer(self, text: str) -> None:
        answer = radius.parse_answer(self.packet.octets, self.request.octets, self.secret)
        word, _, reason = text.partition(" ")
        assert answer.acknowledged is (word == "ack")
        assert answer.reason == reason

    # passwords

    def do_password(self, text: str) -> None:
        hidden = self.packet.get(radius.keys.USER_PASSWORD)
        authenticator = self.packet.authenticator
        assert radius.pap.reveal(hidden, authenticator, self.secret) == text.encode()
        assert radius.pap.hide(text.encode(), authenticator, self.secret) == hidden

    def do_chap(self, text: str) -> None:
        assert radius.chap.verify(self.packet, text.encode())
        assert not radius.chap.verify(self.packet, text.encode() + b"!")

    def do_salted(self, text: str) -> None:
        """salted Name = hex, or Name:tag: a value hidden with salt in the reply."""
        name, tag, written = split_name(text)
        attribute = radius.BY_NAME[name]
        hidden = self.packet.get(attribute.key)
        if attribute.tagged:
            assert hidden[0] == tag
            hidden = hidden[1:]
        plain = bytes.fromhex(written)
        authenticator = self.request.authenticator
        assert radius.pap.reveal_salted(hidden, authenticator, self.secret) == plain
        again = radius.pap.hide_salted(plain, hidden[:2], authenticator, self.secret)
        assert radius.pap.reveal_salted(again, authenticator, self.secret) == plain
        assert hidden[: len(again)] == again

    def do_hidden(self, text: str) -> None:
        """hidden Name = hex: a value in the reply hidden the way User-Password is."""
        name, _, digits = split_name(text)
        hidden = self.packet.get(radius.BY_NAME[name].key)
        plain = bytes.fromhex(digits)
        assert radius.pap.reveal(hidden, self.request.authenticator, self.secret) == plain
        assert radius.pap.hide(plain, self.request.authenticator, self.secret) == hidden

    # hashes

    def do_md4(self, text: str) -> None:
        plain, _, digest = text.rpartition(" = ")
        assert md4.md4(plain.strip('"').encode()).hex() == digest

    def do_user(self, text: str) -> None:
        self.user = text.encode()

    def do_clear(self, text: str) -> None:
        self.password = text

    def do_nt_hash(self, text: str) -> None:
        assert mschap.nt_hash(self.password).hex() == text

    def do_nt_hash_hash(self, text: str) -> None:
        assert md4.md4(mschap.nt_hash(self.password)).hex() == text

    def do_lm_hash(self, text: str) -> None:
        assert mschap.lm_hash(self.password).hex() == text

    def do_challenge(self, text: str) -> None:
        self.challenge = bytes.fromhex(text)

    def do_answers(self, text: str) -> None:
        """answers hex: what 8 octets of challenge make of the password."""
        digest = mschap.challenge_response(self.challenge, mschap.nt_hash(self.password))
        assert digest == bytes.fromhex(text)

    def do_response(self, text: str) -> None:
        self.response = bytes.fromhex(text)

    def do_challenge_hash(self, text: str) -> None:
        assert mschap.challenge_hash(self.response[2:18], self.challenge, self.user).hex() == text

    def do_mschap1(self, text: str) -> None:
        held = mschap.verify_v1(self.response, self.challenge, mschap.nt_hash(self.password))
        assert held is (text == "yes")

    def do_mschap2(self, text: str) -> None:
        held = mschap.verify_v2(self.response, self.challenge, self.user, mschap.nt_hash(self.password))
        assert held is (text == "yes")

    def do_success(self, text: str) -> None:
        made = mschap.success(self.response, self.challenge, self.user, mschap.nt_hash(self.password))
        assert made == self.response[:1] + text.encode()

    def do_send_key(self, text: str) -> None:
        assert mschap.mppe_keys_v2(self.response, mschap.nt_hash(self.password))[0].hex() == text

    def do_recv_key(self, text: str) -> None:
        assert mschap.mppe_keys_v2(self.response, mschap.nt_hash(self.password))[1].hex() == text

    def do_keys_v1(self, text: str) -> None:
        assert mschap.mppe_keys_v1(self.password, mschap.nt_hash(self.password)).hex() == text

    # values

    def do_value(self, text: str) -> None:
        """value Name = value : hex, both ways."""
        left, _, digits = text.rpartition(" : ")
        name, tag, written = split_name(left)
        attribute, raw = radius.BY_NAME[name], bytes.fromhex(digits)
        assert radius.encode_value(attribute, value_of(name, written), tag) == raw
        assert radius.decode_value(attribute, raw) == value_of(name, written)

    def do_reads(self, text: str) -> None:
        """reads Name = value : hex, only from bytes."""
        left, _, digits = text.rpartition(" : ")
        name, _, written = split_name(left)
        assert radius.decode_value(radius.BY_NAME[name], bytes.fromhex(digits)) == value_of(name, written)

    def do_wire(self, text: str) -> None:
        """wire Name = value : hex of the whole attribute."""
        left, _, digits = text.rpartition(" : ")
        name, tag, written = split_name(left)
        assert radius.encode_attribute(name, value_of(name, written), tag) == bytes.fromhex(digits)

    def do_refuses(self, text: str) -> None:
        """refuses Name = value: does not fit."""
        name, tag, written = split_name(text)
        with pytest.raises(ValueError):
            radius.encode_attribute(name, value_of(name, written), tag)

    def do_rate(self, text: str) -> None:
        """rate what is read -> what we write."""
        read, _, written = text.partition(" -> ")
        assert str(radius.parse_rate_limit(read)) == written
        assert radius.parse_rate_limit(written) == radius.parse_rate_limit(read)

    def do_no_rate(self, text: str) -> None:
        with pytest.raises(radius.Malformed):
            radius.parse_rate_limit(text)
