"""A device that speaks EAP by itself, packet by packet, so that a test can have it lie. No sockets.

device = Device("alice", "alpha", PEAP)
while said := device.answer(request): ...
"""

import os
from collections.abc import Iterator
from contextlib import suppress

from OpenSSL import SSL

from demarc.wire.radius import chap, keys, mschap
from demarc.wire.radius.eap import avps
from demarc.wire.radius.eap.framing import START, Inbox, Outbox
from demarc.wire.radius.eap.packet import EXTENSIONS, IDENTITY, MD5, MSCHAPV2, NAK, PEAP, RESPONSE, TTLS, encode, parse
from demarc.wire.radius.eap.peap import RESULT

METHODS = [PEAP, TTLS, MD5]


class Device:
    """`kind`: the one method that it speaks; others it refuses. `newest`: the only TLS that it speaks."""

    def __init__(
        self, name: str, password: str, kind: int = PEAP, outer: str = "anonymous", newest: int | None = None
    ) -> None:
        self.name, self.password, self.kind = name.encode(), password.encode(), kind
        self.outer = self.name if kind == MD5 else outer.encode()
        self._inbox, self._outbox = Inbox(), Outbox(1000)
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        if newest is not None:
            context.set_min_proto_version(newest)
            context.set_max_proto_version(newest)
            context.set_cipher_list(b"ALL:@SECLEVEL=0")
        self._tls = SSL.Connection(context, None)
        self._tls.set_connect_state()
        self._stands = False

    def hello(self) -> bytes:
        """Its name, unasked, as a NAS sends it."""
        return encode(RESPONSE, 1, IDENTITY, self.outer)

    def answer(self, octets: bytes) -> bytes:
        """To a request."""
        asked = parse(octets)
        if asked.kind == IDENTITY:
            return encode(RESPONSE, asked.identifier, IDENTITY, self.outer)
        if asked.kind != self.kind:
            return encode(RESPONSE, asked.identifier, NAK, bytes((self.kind,)))
        if self.kind == MD5:
            found = chap.respond(asked.identifier, self.password, asked.data[1:17])[1:]
            return encode(RESPONSE, asked.identifier, MD5, bytes((16,)) + found)
        return encode(RESPONSE, asked.identifier, self.kind, self._tunnel(asked.data))

    def msk(self) -> bytes:
        label = b"client EAP encryption" if self.kind == PEAP else b"ttls keying material"
        return self._tls.export_keying_material(label, 64)

    def _tunnel(self, data: bytes) -> bytes:
        if self._outbox:
            return self._outbox.next()
        whole = b"" if data[0] & START else self._inbox.add(data)
        if whole is None:
            return b"\0"
        if whole:
            self._tls.bio_write(whole)
        if not self._stands:
            with suppress(SSL.WantReadError):
                self._tls.do_handshake()
                self._stands = True
            said = self._out()
            if said or self.kind == PEAP:
                return self._piece(said)
        plain = b""
        with suppress(SSL.WantReadError):
            plain = self._tls.recv(16_384)
        words = self._words(plain)
        if words:
            self._tls.send(words)
        return self._piece(self._out())

    def _words(self, plain: bytes) -> bytes:
        if self.kind == TTLS:
            return avps.write(keys.USER_NAME, self.name) + avps.write(
                keys.USER_PASSWORD, self.password.ljust(16, b"\0")
            )
        if plain == bytes((IDENTITY,)):
            return bytes((IDENTITY,)) + self.name
        if plain[0] == MSCHAPV2 and plain[1] == 1:
            return bytes((MSCHAPV2,)) + self._mschapv2(plain[1:])
        if plain[0] == MSCHAPV2:
            return plain[:2]
        assert plain[4] == EXTENSIONS
        return encode(RESPONSE, plain[1], EXTENSIONS, RESULT + plain[-2:])

    def _mschapv2(self, data: bytes) -> bytes:
        peer = os.urandom(16)
        short = mschap.challenge_hash(peer, data[5:21], self.name)
        proof = mschap.challenge_response(short, mschap.nt_hash(self.password.decode()))
        return bytes((2, data[1], 0, 0, 49)) + peer + bytes(8) + proof + b"\0" + self.name

    def _piece(self, message: bytes) -> bytes:
        self._outbox.put(message)
        return self._outbox.next()

    def _out(self) -> bytes:
        return b"".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        with suppress(SSL.WantReadError):
            while True:
                yield self._tls.bio_read(16_384)
