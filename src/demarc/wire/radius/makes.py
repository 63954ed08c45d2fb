"""What each make of router reads, as shipped: templates (see `templates`) for a customer who is online, one who is
blocked, and for CoA. Directions are the make's own; each is said where it is used.
"""

from enum import StrEnum
from typing import Final, NamedTuple


class Make(StrEnum):
    MIKROTIK = "mikrotik"
    ACCEL = "accel"
    CISCO = "cisco"
    GENERIC = "generic"


class Templates(NamedTuple):
    """`online` and `blocked`: in an Access-Accept. `coa_block` and `coa_restore`: in a CoA-Request; empty: the session
    is cut instead."""

    online: str
    blocked: str
    coa_block: str
    coa_restore: str


# RouterOS: rx is what the router receives, so upload comes first. An address can only be put into another list, not
# taken out of one, so restoring names a list too.
_MIKROTIK_RATE = "Mikrotik-Rate-Limit = {rate_limit}\n"
_MIKROTIK_LIST = "Mikrotik-Address-List = {list}\n"

# accel-ppp's shaper reads "down/up" in kbit/s from Filter-Id, the other way round (shaper.c).
_ACCEL = "Filter-Id = {down_kbps}/{up_kbps}\n"

# IOS-XE: "in" is what comes in from the subscriber. The policy maps stand in the router, one for each speed.
_CISCO = (
    "Cisco-AVPair = ip:sub-qos-policy-in=up-{up_kbps}\n"
    "Cisco-AVPair = ip:sub-qos-policy-out=down-{down_kbps}\n"
)  # fmt: skip
_WISPR = "WISPr-Bandwidth-Max-Down = {down_bps}\nWISPr-Bandwidth-Max-Up = {up_bps}\n"
_FILTER = "Filter-Id = {list}\n"

SHIPPED: Final[dict[Make, Templates]] = {
    Make.MIKROTIK: Templates(
        _MIKROTIK_RATE,
        _MIKROTIK_RATE + _MIKROTIK_LIST,
        _MIKROTIK_LIST + _MIKROTIK_RATE,
        _MIKROTIK_LIST + _MIKROTIK_RATE,
    ),
    Make.ACCEL: Templates(_ACCEL, _ACCEL, "", _ACCEL),
    Make.CISCO: Templates(_CISCO, _CISCO + "Cisco-AVPair = ip:inacl={list}\n", "", _CISCO),
    Make.GENERIC: Templates(_WISPR, _WISPR + _FILTER, _FILTER, _FILTER),
}
