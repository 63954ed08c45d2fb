"""SMS out through somebody's HTTP gateway, described by a URL, headers and a body with places in them.

The places are {to}, {text}, {from}, {id} (the message's own, for gateways that know repeats) and {token}; each is
escaped for where it stands. The gateway may not be within our own network: every address of its name must be public,
and the one that was checked is the one that is asked (no second look-up, no redirect, no proxy). No database here.
"""

import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from demarc.core.errors import Refused, Unreachable
from demarc.messages.troubles import Doubtful, Rejected, outside

TIMEOUT_S = 10
ANSWER_S = 20
ANSWER_BYTES_MAX = 65_536
PLACE = re.compile(r"\{(to|text|from|id|token)\}")
HEADER = re.compile(r"([A-Za-z0-9-]{1,60}):[ \t]*([ -~]{0,500})")
NUMBER = re.compile(r"\+?[0-9]{5,15}")
BETWEEN_DIGITS = re.compile(r"[\s()./-]")
CONTENT_TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
}
ESCAPES: dict[str, Callable[[str], str]] = {
    "form": lambda value: quote(value, safe=""),
    "json": lambda value: json.dumps(value)[1:-1],
    "text": lambda value: value,
}
EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"))
"""IPv6 that leads to an IPv4 address of somebody's choice (RFC 6052, 8215, 3056)."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Gateway:
    """How one provider's SMS leave. `loopback` lets this machine be the gateway, for trials."""

    method: str
    url: str
    headers: str = ""
    body_form: str = "form"
    body: str = ""
    sender: str = ""
    success_text: str = ""
    loopback: bool = False
    token: str = field(default="", repr=False)


class Asked(NamedTuple):
    """A request as it goes out."""

    url: str
    headers: dict[str, str]
    body: bytes | None


def number_of(phone: str) -> str:
    """A phone number as gateways take it: digits, perhaps a plus in front; empty when it is none."""
    dense = BETWEEN_DIGITS.sub("", phone)
    return dense if NUMBER.fullmatch(dense) else ""


def check(gateway: Gateway) -> None:
    """Refused: no web address, a place where none may be, a header that is none. The network is not asked."""
    _target(gateway.url)
    headers_of(gateway.headers)
    if gateway.method == "GET" and gateway.body:
        raise Refused("A GET has no body; put the places into the address.", field="body")
    if not any("{text}" in part for part in (gateway.url, gateway.body)):
        raise Refused("Say where the text goes: write {text} into the address or the body.", field="body")


def headers_of(lines: str) -> dict[str, str]:
    """The headers, one in a line. Refused: a line that is none, or that has another place than {token} or {from}."""
    found = {}
    for line in filter(None, (line.strip() for line in lines.splitlines())):
        header = HEADER.fullmatch(line)
        if header is None or header[1].lower() in ("host", "content-length", "transfer-encoding", "connection"):
            raise Refused(f"This is not a header that can be set: {line[:60]}", field="headers")
        if set(PLACE.findall(header[2])) - {"token", "from"}:
            raise Refused("In a header only {token} and {from} may stand.", field="headers")
        found[header[1]] = header[2]
    return found


def send(gateway: Gateway, *, to: str, text: str, message_id: str) -> None:
    """Hand one SMS over.

    Raises Unreachable when the gateway was certainly not reached or asks to come again, Rejected when it says no,
    Doubtful when the answer did not come: then it may have been sent.
    """
    values = {"to": to, "text": text, "from": gateway.sender, "id": message_id, "token": gateway.token}
    asked = _asked(gateway, values)
    url, host = _pinned(asked.url, gateway.loopback)
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            client.stream(
                gateway.method,
                url,
                headers=asked.headers | {"Host": host, "Accept-Encoding": "identity"},
                content=asked.body,
                extensions={"sni_hostname": urlsplit(asked.url).hostname},
            ) as answer,
        ):
            status, said = answer.status_code, _read(answer)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unreachable("The SMS gateway does not answer, or its certificate is not trusted.") from error
    except (httpx.InvalidURL, httpx.LocalProtocolError) as error:
        raise Rejected("The address or headers of the SMS gateway make no request.") from error
    except httpx.HTTPError as error:
        raise Doubtful(
            "The SMS gateway broke off; nobody knows whether it sent this. Send it again if need be."
        ) from error
    _judge(status, said, gateway.success_text)


def public_address(found: Address, *, loopback: bool) -> bool:
    """Whether a gateway may have this address."""
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return public_address(found.ipv4_mapped, loopback=loopback)
        if any(found in network for network in EMBEDDING):
            return False
    if found.is_loopback:
        return loopback
    return found.is_global and not found.is_multicast


def _judge(status: int, said: str, wanted: str) -> None:
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unreachable(f"The SMS gateway answered {status}.")
    if not httpx.codes.is_success(status):
        raise Rejected(f"The SMS gateway answered {status}: {outside(said)[:200]}")
    if wanted and wanted not in said:
        raise Rejected(f"The SMS gateway's answer does not hold {wanted!r}: {outside(said)[:200]}")


def _asked(gateway: Gateway, values: Mapping[str, str]) -> Asked:
    headers = {name: _filled(value, values, str) for name, value in headers_of(gateway.headers).items()}
    if any("\r" in value or "\n" in value for value in headers.values()):
        raise Rejected("A header would break into two lines.")
    url = _filled(gateway.url, values, lambda value: quote(value, safe=""))
    if gateway.method == "GET":
        return Asked(url, headers, None)
    body = _filled(gateway.body, values, ESCAPES[gateway.body_form]).encode()
    return Asked(url, {"Content-Type": CONTENT_TYPES[gateway.body_form]} | headers, body)


def _filled(text: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """In one pass, so that a place within a value stays what it is: letters."""
    return PLACE.sub(lambda found: escape(values[found[1]]), text)


def _target(url: str) -> tuple[str, int]:
    """Host and port. Refused: not a web address, a user in it, or a place where the host stands."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or "{" in parts.netloc:
        raise Refused("Write the gateway's address like https://sms.example.com/send.", field="url")
    return host, port or (443 if parts.scheme == "https" else 80)


def _pinned(url: str, loopback: bool) -> tuple[str, str]:
    """The address with the checked IP address in place of the name, and what stands in the Host header."""
    host, port = _target(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("The SMS gateway's name is not known.") from error
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses or not all(public_address(one, loopback=loopback) for one in addresses):
        raise Rejected("The SMS gateway's name leads into a private network; that is not allowed.")
    parts = urlsplit(url)
    first = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    return urlunsplit(parts._replace(netloc=f"{first}:{port}")), parts.netloc


def _read(answer: httpx.Response) -> str:
    """As much of the answer as anybody will look at, as it came: what is packed may be small only on the way."""
    said, until = b"", time.monotonic() + ANSWER_S
    for piece in answer.iter_raw():
        said += piece
        if len(said) >= ANSWER_BYTES_MAX or time.monotonic() > until:
            break
    return said[:ANSWER_BYTES_MAX].decode(errors="replace")
