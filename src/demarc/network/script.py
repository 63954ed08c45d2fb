"""The lines that make a MikroTik router a RADIUS client of ours and send its blocked customers to their page.

Knows RouterOS; must not know a secret: the script says where to type it. Names come from people, and whatever they
hold, they stay inside their quotes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

MARK = "demarc"
ALLOWED_LIST = "Demarc_allowed"
UNQUOTED = re.compile(r"[A-Za-z0-9_.-]+")
SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _.,:;/()@+*=-")


@dataclass(frozen=True, slots=True)
class Redirect:
    """The list of a cause, and the port of its page."""

    list_name: str
    page_port: int


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """One router and how it reaches us: `server` is our address as the router sees it, `page_server` that of the
    blocking pages, `source` the router's own address by which we know it."""

    name: str
    server: IPv4Address | IPv6Address
    page_server: IPv4Address
    source: IPv4Address | IPv6Address
    redirects: Sequence[Redirect]
    auth_port: int = 1812
    acct_port: int = 1813
    coa_port: int = 3799


def router_script(facts: RouterFacts) -> str:
    """What to paste into the router's terminal; pasting it again replaces what it made before."""
    return "\n".join([*_head(facts), "", *_radius(facts), "", *_blocking(facts), "", *_fasttrack(facts), ""])


def quoted(text: str) -> str:
    """A RouterOS string: whatever could end it, start a variable or ask for help is written as a hex byte."""
    body = "".join(chr(byte) if byte in SAFE else f"\\{byte:02X}" for byte in text.encode())
    return f'"{body}"'


def _comment(text: str) -> str:
    return "".join(chr(byte) if byte in SAFE else "_" for byte in text.encode())


def _list(name: str) -> str:
    return name if UNQUOTED.fullmatch(name) else quoted(name)


def _head(facts: RouterFacts) -> Iterator[str]:
    yield f"# Demarc: router {_comment(facts.name)}"
    yield "# 1. Type the RADIUS secret of this router in place of TYPE-THE-SECRET-HERE."
    yield "# 2. Paste all lines into the terminal. Pasting them again replaces what they made before."


def _radius(facts: RouterFacts) -> Iterator[str]:
    yield f'/radius remove [find where comment="{MARK}"]'
    yield (
        f"/radius add service=ppp,hotspot,dhcp address={facts.server} src-address={facts.source}"
        f" authentication-port={facts.auth_port} accounting-port={facts.acct_port}"
        f' secret="TYPE-THE-SECRET-HERE" timeout=3s comment="{MARK}"'
    )
    yield "# RouterOS 7.15 and later can insist on signed answers: add require-message-auth=yes-for-request-resp"
    yield f"/radius incoming set accept=yes port={facts.coa_port}"
    yield "/ppp aaa set use-radius=yes accounting=yes interim-update=0s"


def _blocking(facts: RouterFacts) -> Iterator[str]:
    yield f'/ip firewall nat remove [find where comment~"^{MARK}:"]'
    yield f"# Sites that stay open for blocked customers, such as your bank's: add them to the list {ALLOWED_LIST}:"
    yield f"#   /ip firewall address-list add list={ALLOWED_LIST} address=pay.example.net"
    for row in facts.redirects:
        yield from _redirect(_list(row.list_name), facts.page_server, row.page_port)


def _redirect(name: str, server: IPv4Address, port: int) -> Iterator[str]:
    """All TCP to the page and nothing else out, below the two exceptions that a blocked customer's devices need."""
    start = "/ip firewall nat add"
    source = f"chain=dstnat src-address-list={name}"
    yield f'{start} action=accept {source} protocol=udp dst-port=53 comment="{MARK}: names are resolved"'
    yield f'{start} action=accept {source} dst-address-list={ALLOWED_LIST} comment="{MARK}: stays open"'
    yield (
        f"{start} action=dst-nat chain=dstnat protocol=tcp src-address-list={name}"
        f' to-addresses={server} to-ports={port} comment="{MARK}: the page"'
    )
    yield (
        f"{start} action=redirect chain=dstnat protocol=!tcp src-address-list={name}"
        f' comment="{MARK}: nothing else gets out"'
    )


def _fasttrack(facts: RouterFacts) -> Iterator[str]:
    lists = " ".join(dict.fromkeys(_list(row.list_name) for row in facts.redirects))
    yield "# FastTrack passes these rules and all speed limits: customers must not be FastTracked."
    yield "#   /ip firewall filter disable [find where action=fasttrack-connection]"
    yield f"# Connections that were open before a block live on until they end. The lists are: {lists}"
