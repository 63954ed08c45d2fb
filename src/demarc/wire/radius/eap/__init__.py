"""EAP without I/O: the packets of 802.1X as values, and conversations that are plain objects.

    Access-Request -> joined -> parse -> Conversation.take -> Ask | Outcome | Over -> encode -> attributes -> challenge

Read in this order: packet, steps, conversation, md5; framing, tls, tunnel; mschapv2, peap; avps, ttls. Whatever a
device sends, only `Malformed` comes out. TLS is OpenSSL's, by memory: no socket is opened here, no file is read.
"""

from .conversation import OUTERS, Conversation, piece_of
from .packet import FAILURE, IDENTITY, REQUEST, RESPONSE, SUCCESS, Eap, attributes, encode, joined, parse
from .steps import Ask, House, Outcome, Over, Why
from .tls import Context, server_context

__all__ = [
    "FAILURE",
    "IDENTITY",
    "OUTERS",
    "REQUEST",
    "RESPONSE",
    "SUCCESS",
    "Ask",
    "Context",
    "Conversation",
    "Eap",
    "House",
    "Outcome",
    "Over",
    "Why",
    "attributes",
    "encode",
    "joined",
    "parse",
    "piece_of",
    "server_context",
]
