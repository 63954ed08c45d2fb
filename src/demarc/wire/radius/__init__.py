"""RADIUS without I/O: bytes in, values out, and back. No socket, no clock, no log; randomness is passed in.

    datagram -> decode -> Packet -> admits? authentic? -> pap | chap | mschap -> encode_reply -> datagram
    Packet -> handed_on -> datagram for another server .. its Packet -> handed_back -> datagram
    coa_request, disconnect_request -> datagram .. datagram -> parse_answer -> Answer

Whatever bytes come in, only `Malformed` comes out. Read in this order: keys, attributes, packet, secret, signing.
"""

from . import chap, keys, mschap, pap
from .attributes import (
    BY_KEY,
    BY_NAME,
    Attribute,
    Value,
    decode_value,
    encode_attribute,
    encode_attributes,
    encode_value,
    tlv,
)
from .coa import Answer, SessionIdentity, coa_request, disconnect_request, parse_answer
from .dictionary import ERROR_CAUSES, STATUS_TYPES, TERMINATE_CAUSES, VALUE_NAMES
from .duplicates import Duplicates, Origin
from .errors import Malformed
from .keys import CODE_NAMES, Key
from .mikrotik import Burst, RateLimit, UpDown, parse_rate_limit, rate_limit
from .packet import Packet, decode
from .proxying import accounting_handed_on, handed_back, handed_on
from .requests import accounting_request, chap_request, mschapv2_request, pap_request, status_server
from .requirement import Requirement, admits, learned
from .secret import Secret
from .signing import (
    authentic,
    encode_reply,
    encode_request,
    verify_message_authenticator,
    verify_reply,
    verify_request_authenticator,
)

__all__ = [
    "BY_KEY",
    "BY_NAME",
    "CODE_NAMES",
    "ERROR_CAUSES",
    "STATUS_TYPES",
    "TERMINATE_CAUSES",
    "VALUE_NAMES",
    "Answer",
    "Attribute",
    "Burst",
    "Duplicates",
    "Key",
    "Malformed",
    "Origin",
    "Packet",
    "RateLimit",
    "Requirement",
    "Secret",
    "SessionIdentity",
    "UpDown",
    "Value",
    "accounting_handed_on",
    "accounting_request",
    "admits",
    "authentic",
    "chap",
    "chap_request",
    "coa_request",
    "decode",
    "decode_value",
    "disconnect_request",
    "encode_attribute",
    "encode_attributes",
    "encode_reply",
    "encode_request",
    "encode_value",
    "handed_back",
    "handed_on",
    "keys",
    "learned",
    "mschap",
    "mschapv2_request",
    "pap",
    "pap_request",
    "parse_answer",
    "parse_rate_limit",
    "rate_limit",
    "status_server",
    "tlv",
    "verify_message_authenticator",
    "verify_reply",
    "verify_request_authenticator",
]
