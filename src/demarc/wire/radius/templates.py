"""Lines `Attribute = text with {variables}`: what a make of router is told, as people write it down, checked, and made
into attributes.

A variable is a name in braces and nothing else: no expression, no code. A line one of whose variables is empty is left
out. Knows the dictionary and its types; must not know why somebody is let in.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, NamedTuple

from .attributes import BY_NAME, MAX_VALUE, Attribute, Value, encode_value
from .dictionary import VALUE_NAMES
from .errors import Malformed
from .mikrotik import parse_rate_limit, rate_limit

LINES_MAX = 40
TEXT_MAX = 4000
INTEGER_MAX = 0xFFFFFFFF
BURST_MS = 1500
"""A burst in octets is what the line carries in this time, as Cisco's manual has it for `police` and `rate-limit`."""

VARIABLES: Final = {
    "login": "the customer's login",
    "down_kbps": "download speed, kbit/s",
    "up_kbps": "upload speed, kbit/s",
    "down_bps": "download speed, bit/s",
    "up_bps": "upload speed, bit/s",
    "down_burst": "download burst, octets: 1.5 s at full speed",
    "up_burst": "upload burst, octets: 1.5 s at full speed",
    "rate_limit": "all of the plan's speeds, burst and priority as MikroTik writes them: upload/download",
    "list": "the address list of the cause; on a restore the list that means not blocked",
    "cause": "the number of the cause, 0 to 4; empty for a paying customer",
    "session_timeout": "seconds until the session has to ask again",
}

_OURS: Final = """
    User-Name User-Password CHAP-Password CHAP-Challenge NAS-IP-Address NAS-IPv6-Address NAS-Identifier NAS-Port
    NAS-Port-Id Calling-Station-Id State Class Proxy-State Message-Authenticator EAP-Message Event-Timestamp
    Acct-Session-Id Framed-IP-Address Framed-Pool Framed-Route Framed-IPv6-Prefix Framed-IPv6-Address
    Delegated-IPv6-Prefix Session-Timeout Acct-Interim-Interval Error-Cause Tunnel-Password Vendor-Specific
"""
OURS: Final = frozenset(_OURS.split())
"""What the server itself sends where it belongs, or nobody may."""

_LINE = re.compile(r"([A-Za-z0-9-]{1,64})\s*=\s*(.*)")
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Facts(NamedTuple):
    """Whom a template is filled in for. Speeds 0: no limit. `rate_limit`: Mikrotik-Rate-Limit, "" to make it from the
    speeds. `list_name` and `cause` are "" for a paying customer."""

    login: str = ""
    down_kbps: int = 0
    up_kbps: int = 0
    rate_limit: str = ""
    list_name: str = ""
    cause: str = ""
    session_timeout_s: int = 0


SAMPLE: Final = Facts("ana", 50_000, 10_000, "", "Reject_2", "2", 300)


class Line(NamedTuple):
    """`parts`: text and variables in turn, beginning and ending with text."""

    attribute: Attribute
    parts: tuple[str, ...]


def parse(text: str) -> tuple[Line, ...]:
    """Read a template; blank lines and those that begin with # are skipped. Raises Malformed, naming the line, for an
    unknown attribute or variable, one that is not for templates, and a value that the attribute cannot hold."""
    if len(text) > TEXT_MAX:
        raise Malformed(f"A template has at most {TEXT_MAX} characters.")
    rows = [(number, row.strip()) for number, row in enumerate(text.splitlines(), 1)]
    lines = [_line(number, row) for number, row in rows if row and not row.startswith("#")]
    if len(lines) > LINES_MAX:
        raise Malformed(f"A template has at most {LINES_MAX} lines.")
    return tuple(lines)


def render(lines: Iterable[Line], facts: Facts) -> list[tuple[str, Value]]:
    """The attributes for one customer, by name. What an attribute cannot hold is left out: the answer must not fail."""
    known = _values(facts)
    pairs: list[tuple[str, Value]] = []
    for line in lines:
        text = _filled(line, known)
        if text:
            try:
                value = _value(line.attribute, text)
                encode_value(line.attribute, value)
            except ValueError:
                continue
            pairs.append((line.attribute.name, value))
    return pairs


def facts_of_rate(text: str, **facts: str) -> Facts:
    """Facts whose speeds are those of a Mikrotik-Rate-Limit; a text that is none gives no speeds."""
    try:
        rate = parse_rate_limit(text).rate if text else None
    except Malformed:
        rate = None
    down, up = (rate.down // 1000, rate.up // 1000) if rate else (0, 0)
    return Facts(down_kbps=down, up_kbps=up, rate_limit=text, **facts)  # type: ignore[arg-type] # the texts among them


def _line(number: int, row: str) -> Line:
    match = _LINE.fullmatch(row)
    if match is None:
        raise Malformed(f"Line {number}: write it as Attribute = value.")
    name, text = match[1], match[2].strip()
    attribute = BY_NAME.get(name)
    if attribute is None:
        raise Malformed(f"Line {number}: there is no attribute {name}.")
    if name in OURS or name.startswith("MS-"):
        raise Malformed(f"Line {number}: {name} is sent where it belongs; it cannot be set here.")
    line = Line(attribute, _parts(number, text))
    _check(number, line)
    return line


def _parts(number: int, text: str) -> tuple[str, ...]:
    parts, at = [""], 0
    for match in _PART.finditer(text):
        parts[-1] += text[at : match.start()]
        at = match.end()
        if match[0] in ("{{", "}}"):
            parts[-1] += match[0][0]
        elif match[1] is None:
            raise Malformed(f"Line {number}: a brace stands alone; write two for one that is meant.")
        elif match[1] not in VARIABLES:
            raise Malformed(f"Line {number}: there is no variable {{{match[1]}}}.")
        else:
            parts += [match[1], ""]
    parts[-1] += text[at:]
    return tuple(parts)


def _check(number: int, line: Line) -> None:
    """With the sample's facts each line gives a value that fits."""
    text = _filled(line, _values(SAMPLE))
    if not text:
        raise Malformed(f"Line {number}: {line.attribute.name} has no value.")
    try:
        encode_value(line.attribute, _value(line.attribute, text))
    except ValueError as error:
        kind = _KINDS.get(line.attribute.kind, line.attribute.kind)
        raise Malformed(f"Line {number}: {line.attribute.name} holds {kind}, and {text!r} is none.") from error


def _filled(line: Line, known: Mapping[str, str]) -> str:
    """ "" when one of its variables is empty."""
    parts = list(line.parts)
    for at in range(1, len(parts), 2):
        parts[at] = known[parts[at]]
        if not parts[at]:
            return ""
    return "".join(parts)


def _values(facts: Facts) -> dict[str, str]:
    down, up = facts.down_kbps, facts.up_kbps
    rate = facts.rate_limit or (rate_limit(up, down) if up or down else "")
    return {
        "login": facts.login,
        "down_kbps": _number(down),
        "up_kbps": _number(up),
        "down_bps": _number(down * 1000),
        "up_bps": _number(up * 1000),
        "down_burst": _number(down * BURST_MS // 8),
        "up_burst": _number(up * BURST_MS // 8),
        "rate_limit": rate,
        "list": facts.list_name,
        "cause": facts.cause,
        "session_timeout": _number(facts.session_timeout_s),
    }


def _number(number: int) -> str:
    return str(number) if number else ""


def _value(attribute: Attribute, text: str) -> Value:
    """Raises ValueError."""
    if attribute.kind == "integer":
        names = VALUE_NAMES.get(attribute.name, {})
        named = next((number for number, name in names.items() if name == text), None)
        return min(_digits(text), INTEGER_MAX) if named is None else named
    value = _READ[attribute.kind](text)
    if isinstance(value, (str, bytes)) and len(value.encode() if isinstance(value, str) else value) > MAX_VALUE - 6:
        raise ValueError("too long")
    return value


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise ValueError(text)
    return int(text)


def _octets(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


def _text(text: str) -> str:
    if not text.isprintable():
        raise ValueError(text)
    return text


_READ: Final[dict[str, Callable[[str], Value]]] = {
    "text": _text,
    "octets": _octets,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "ipv6prefix": IPv6Network,
    "ifid": _octets,
    "date": _text,
}
_KINDS: Final = {
    "integer": "a number",
    "text": f"a text of up to {MAX_VALUE - 6} octets",
    "octets": "octets",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "ipv6prefix": "an IPv6 prefix",
    "ifid": "an interface id of 8 octets",
    "date": "a time",
}
