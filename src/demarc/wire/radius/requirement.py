"""Must this client sign its logins? The answer to CVE-2024-3596, per client, because many NASes cannot sign.

Knows the rules as FreeRADIUS has them; must not know clients: what was learned is kept by the caller, in memory.
"""

from enum import StrEnum

from .keys import ACCESS_REQUEST, EAP_MESSAGE, PROXY_STATE
from .packet import Packet


class Requirement(StrEnum):
    """The words of FreeRADIUS's require_message_authenticator."""

    YES = "yes"
    NO = "no"
    AUTO = "auto"


def admits(requirement: Requirement, request: Packet) -> bool:
    """Whether a request may be answered; False: count it and stay silent.

    A client that need not sign may not send Proxy-State unsigned either (FreeRADIUS: limit_proxy_state): the reply
    repeats it, and there the forger puts the octets that make the hashes collide.
    """
    if request.code != ACCESS_REQUEST or request.signature_at:
        return True
    return requirement is not Requirement.YES and PROXY_STATE not in request.first


def learned(requirement: Requirement, request: Packet) -> Requirement:
    """What to require from now on, after an authentic request. Do not store it: the router may be replaced.

    AUTO is decided by the first login: one that signs is held to it. EAP is always signed and so says nothing.
    """
    if requirement is not Requirement.AUTO or request.code != ACCESS_REQUEST or EAP_MESSAGE in request.first:
        return requirement
    return Requirement.YES if request.signature_at else Requirement.NO
