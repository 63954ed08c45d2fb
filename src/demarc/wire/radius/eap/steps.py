"""What a conversation can come to, and what it asks of the house it is held in. Knows no method's bytes."""

from enum import StrEnum
from typing import NamedTuple, Protocol


class Why(StrEnum):
    """Why a conversation ended before anybody could be judged."""

    NO_METHOD = "no_method"
    UNTRUSTED = "untrusted"
    TLS = "tls"
    MALFORMED = "malformed"
    WITHDRAWN = "withdrawn"
    TOO_LONG = "too_long"


class Ask(NamedTuple):
    """The next request's data, or the whole request. `person`: somebody may have to type a password to answer it."""

    octets: bytes
    person: bool = False


class Outcome(NamedTuple):
    """Somebody was judged. `name`: the inner identity; `passed` None: nobody of this name has a password here.

    `msk`: the 64 octets that both sides share now, b"" for a method without; `needs_proof`: the device lets itself in
    only if we showed that we know the password, too. `method`: "peap-mschapv2", "ttls-pap", "md5" ..
    """

    name: bytes
    passed: bool | None
    method: str
    msk: bytes = b""
    needs_proof: bool = False


class Over(NamedTuple):
    """It ended without anybody being judged. `detail`: what TLS says of it, for people."""

    why: Why
    detail: str = ""


class House(Protocol):
    """Who knows passwords and who may come in."""

    def password(self, name: bytes) -> bytes | None:
        """In clear; None when nobody of this name has one."""

    def admits(self, outcome: Outcome) -> bool:
        """Whether he would be let in, so that the device hears it before it believes the opposite."""
