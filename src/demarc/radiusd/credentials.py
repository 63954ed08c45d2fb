"""Did the caller know the password, and what proof does he get? One function per way to log in (PAP, CHAP, MS-CHAP);
who comes by EAP is judged in a conversation (`eap`).

Knows passwords for the length of a call. Must not know who may be online.
"""

import os
from dataclasses import dataclass

from demarc.core.access import Check
from demarc.radiusd.logins import Login
from demarc.radiusd.model import Client
from demarc.wire.radius import Packet, chap, encode_attributes, keys, mschap, pap, tlv

REMEMBERED_HASHES = 20_000
ENCRYPTION_ALLOWED = 1  # RFC 2548 section 2.4.4
ENCRYPTION_40_OR_128 = 6  # RFC 2548 section 2.4.5
EAP_FAILURE = 4

_ENCRYPTION = encode_attributes(
    [("MS-MPPE-Encryption-Policy", ENCRYPTION_ALLOWED), ("MS-MPPE-Encryption-Types", ENCRYPTION_40_OR_128)]
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`check` None: not checkable because the secrets differ, so say nothing. `accept`, `reject`: attributes that the
    method adds to either answer. `needs_proof`: an Accept needs `accept`, which only a right password yields.
    `method`: how he logs in, and what is `inside` EAP, for those who look on."""

    check: Check | None
    accept: bytes = b""
    reject: bytes = b""
    needs_proof: bool = False
    method: str = "none"
    inside: str = ""


PAP_PASSED, PAP_FAILED = Verdict(Check.PASS, method="pap"), Verdict(Check.FAIL, method="pap")
PAP_UNKNOWN, PAP_NOISE = Verdict(Check.UNKNOWN, method="pap"), Verdict(None, method="pap")
CHAP_PASSED, CHAP_FAILED = Verdict(Check.PASS, method="chap"), Verdict(Check.FAIL, method="chap")
CHAP_UNKNOWN = Verdict(Check.UNKNOWN, method="chap")
NONE_FAILED, NONE_UNKNOWN = Verdict(Check.FAIL), Verdict(Check.UNKNOWN)


class Hashes:
    """NT hashes by sealed password, since computing one costs a hundred times a look-up. Bounded."""

    def __init__(self) -> None:
        self._kept: dict[bytes, bytes] = {}

    def of(self, login: Login, password: bytes) -> bytes:
        """The NT hash of the password of this login."""
        hashed = self._kept.get(login.sealed)
        if hashed is None:
            if len(self._kept) >= REMEMBERED_HASHES:
                self._kept.clear()
            hashed = self._kept[login.sealed] = mschap.nt_hash(password.decode("utf-8", "replace"))
        return hashed


def check(packet: Packet, client: Client, login: Login | None, password: bytes | None, hashes: Hashes) -> Verdict:
    """Judge the credentials in the packet. `password` None: no such login, or its secret cannot be read."""
    first = packet.first
    if keys.USER_PASSWORD in first:
        return _pap(packet, client, password)
    if keys.CHAP_PASSWORD in first:
        if password is None:
            return CHAP_UNKNOWN
        return CHAP_PASSED if chap.verify(packet, password) else CHAP_FAILED
    if keys.MS_CHAP2_RESPONSE in first:
        return _mschap2(packet, client, login, password, hashes)
    if keys.MS_CHAP_RESPONSE in first:
        return _mschap1(packet, client, login, password, hashes)
    if keys.EAP_MESSAGE in first:
        return _eap(first[keys.EAP_MESSAGE])
    return NONE_FAILED if login else NONE_UNKNOWN


def _pap(packet: Packet, client: Client, password: bytes | None) -> Verdict:
    given = pap.reveal(packet.first[keys.USER_PASSWORD], packet.authenticator, client.secret)
    if password is not None and given == password:
        return PAP_PASSED
    if not packet.signature_at and not pap.plausible(given):
        return PAP_NOISE  # noise: the NAS has another secret (RFC 2865 section 3: discard)
    return PAP_UNKNOWN if password is None else PAP_FAILED


def _mschap2(packet: Packet, client: Client, login: Login | None, password: bytes | None, hashes: Hashes) -> Verdict:
    response = packet.first[keys.MS_CHAP2_RESPONSE]
    challenge = packet.first.get(keys.MS_CHAP_CHALLENGE, b"")
    unsure = Check.FAIL if login and password is not None else Check.UNKNOWN
    failed = Verdict(unsure, reject=_mschap_error(response), needs_proof=True, method="mschap2")
    if login is None or password is None:
        return failed
    name, hashed = packet.first[keys.USER_NAME], hashes.of(login, password)
    if not mschap.verify_v2(response, challenge, name, hashed):
        return failed
    send, receive = mschap.mppe_keys_v2(response, hashed)
    proof = (
        tlv(keys.MS_CHAP2_SUCCESS, mschap.success(response, challenge, name, hashed))
        + mppe_keys(send, receive, packet, client)
        + _ENCRYPTION
    )
    return Verdict(Check.PASS, accept=proof, reject=_mschap_error(response), needs_proof=True, method="mschap2")


def mppe_keys(send: bytes, receive: bytes, packet: Packet, client: Client) -> bytes:
    """The attributes that give the NAS its keys, hidden from all others (RFC 2548 sections 2.4.2, 2.4.3)."""
    salt = os.urandom(2)
    other = bytes((salt[0], salt[1] ^ 1))  # the salts of one packet differ
    return tlv(keys.MS_MPPE_SEND_KEY, pap.hide_salted(send, salt, packet.authenticator, client.secret)) + tlv(
        keys.MS_MPPE_RECV_KEY, pap.hide_salted(receive, other, packet.authenticator, client.secret)
    )


def _mschap1(packet: Packet, client: Client, login: Login | None, password: bytes | None, hashes: Hashes) -> Verdict:
    response = packet.first[keys.MS_CHAP_RESPONSE]
    unsure = Check.FAIL if login and password is not None else Check.UNKNOWN
    failed = Verdict(unsure, reject=_mschap_error(response), method="mschap1")
    if login is None or password is None:
        return failed
    hashed = hashes.of(login, password)
    if not mschap.verify_v1(response, packet.first.get(keys.MS_CHAP_CHALLENGE, b""), hashed):
        return failed
    plain = mschap.mppe_keys_v1(password.decode("utf-8", "replace"), hashed)
    hidden = pap.hide(plain.ljust(32, b"\0"), packet.authenticator, client.secret)
    accept = tlv(keys.MS_CHAP_MPPE_KEYS, hidden) + _ENCRYPTION
    return Verdict(Check.PASS, accept=accept, reject=_mschap_error(response), method="mschap1")


def _mschap_error(response: bytes) -> bytes:
    return tlv(keys.MS_CHAP_ERROR, mschap.failure(response[0] if response else 0, os.urandom(16)))


def _eap(message: bytes) -> Verdict:
    """For those who ask what we would say without a conversation, as where we only listen: nothing can be checked."""
    identifier = message[1] if len(message) > 1 else 0
    failure = tlv(keys.EAP_MESSAGE, bytes((EAP_FAILURE, identifier, 0, 4)))
    return Verdict(Check.UNKNOWN, reject=failure, needs_proof=True, method="eap")
