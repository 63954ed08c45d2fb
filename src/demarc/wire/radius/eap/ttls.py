"""TTLS version 0: a password inside TLS, as PAP, CHAP, MS-CHAP or MS-CHAPv2 (RFC 5281 section 11.2).

What would be a challenge in RADIUS is made from the tunnel's keys here (section 11.1), so that a response cannot be
one that was overheard elsewhere.
"""

from hmac import compare_digest

from .. import chap, keys, mschap
from ..errors import Malformed
from . import avps
from .packet import TTLS
from .steps import Ask, Outcome, Over
from .tunnel import Tunnel


class Ttls(Tunnel):
    """The server's side."""

    kind = TTLS
    label = b"ttls keying material"
    _proven: Outcome | None = None

    def inner(self, plain: bytes, identifier: int) -> Ask | Outcome | Over:
        if self._proven is not None:
            if plain:
                raise Malformed("words after the proof")
            return self._proven
        said = avps.read(plain)
        name = said.get(keys.USER_NAME)
        if name is None:
            raise Malformed("no name")
        password = self.house.password(name)
        if keys.USER_PASSWORD in said:
            given = said[keys.USER_PASSWORD].rstrip(b"\0")
            return self._outcome(name, "pap", None if password is None else compare_digest(given, password))
        if keys.CHAP_PASSWORD in said:
            return self._chap(said, name, password)
        if keys.MS_CHAP2_RESPONSE in said:
            return self._mschap2(said, name, password)
        if keys.MS_CHAP_RESPONSE in said:
            return self._mschap1(said, name, password)
        raise Malformed("no password in a form that we know")

    def _chap(self, said: dict[keys.Key, bytes], name: bytes, password: bytes | None) -> Outcome:
        challenge = self._challenge(said.get(keys.CHAP_CHALLENGE), 16, said[keys.CHAP_PASSWORD])
        if password is None:
            return self._outcome(name, "chap", None)
        expected = chap.respond(said[keys.CHAP_PASSWORD][0], password, challenge)
        return self._outcome(name, "chap", compare_digest(expected, said[keys.CHAP_PASSWORD]))

    def _mschap1(self, said: dict[keys.Key, bytes], name: bytes, password: bytes | None) -> Outcome:
        response = said[keys.MS_CHAP_RESPONSE]
        challenge = self._challenge(said.get(keys.MS_CHAP_CHALLENGE), 8, response)
        if password is None:
            return self._outcome(name, "mschap", None)
        return self._outcome(name, "mschap", mschap.verify_v1(response, challenge, _hash(password)))

    def _mschap2(self, said: dict[keys.Key, bytes], name: bytes, password: bytes | None) -> Ask | Outcome:
        response = said[keys.MS_CHAP2_RESPONSE]
        challenge = self._challenge(said.get(keys.MS_CHAP_CHALLENGE), 16, response)
        if password is None:
            return self._outcome(name, "mschapv2", None, needs_proof=True)
        hashed = _hash(password)
        passed = mschap.verify_v2(response, challenge, name, hashed)
        outcome = self._outcome(name, "mschapv2", passed, needs_proof=True)
        if not passed or not self.house.admits(outcome):
            return outcome
        self._proven = outcome
        return Ask(avps.write(keys.MS_CHAP2_SUCCESS, mschap.success(response, challenge, name, hashed)))

    def _challenge(self, given: bytes | None, size: int, response: bytes) -> bytes:
        """What it must be, by the tunnel's keys: the challenge, then the identifier."""
        due = self.exported(b"ttls challenge", size + 1)
        if given is None or not response or not compare_digest(given + response[:1], due):
            raise Malformed("a challenge that is not this tunnel's")
        return given

    def _outcome(self, name: bytes, method: str, passed: bool | None, *, needs_proof: bool = False) -> Outcome:
        return Outcome(name, passed, f"ttls-{method}", self.msk(), needs_proof)


def _hash(password: bytes) -> bytes:
    return mschap.nt_hash(password.decode("utf-8", "replace"))
