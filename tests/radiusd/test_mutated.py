"""A slice of bench/campaigns/mutated.py: 200,000 mutated packets through decode and answer, some over the socket."""

import contextlib
import os
import socket
from itertools import islice

import pytest
from bench.campaigns.mutated import GROWTH_MAX, SLOWEST_MS, Outcome, mutate, real_packets
from tests.radiusd.serving import SECRET, serving
from tests.sim.nas import PretendNas
from tests.wire.radius.mutations import malformed

from demarc.wire.radius import Secret, decode, pap_request, verify_reply
from demarc.wire.radius import keys as of

COUNT = 200_000


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> Outcome:
    return mutate(COUNT, 1, tmp_path_factory.mktemp("mutated"))


def test_no_packet_meets_a_bug(outcome):
    assert outcome.sent == COUNT
    assert not outcome.bugs
    assert not outcome.dropped["bug"]


def test_no_answer_takes_long_and_memory_stays_flat(outcome):
    assert outcome.slowest_ms < SLOWEST_MS
    assert outcome.growth < GROWTH_MAX


def test_many_come_far_in_and_a_real_customer_is_answered_after_them(outcome):
    assert min(outcome.replies[code] for code in (2, 3, 5)) > 3_000
    assert outcome.replies[11] > 100  # conversations of EAP
    assert outcome.malformed > 50_000
    assert outcome.alive


def test_over_the_socket_real_logins_are_answered_between_them(tmp_path):
    with serving(tmp_path) as server, PretendNas(secret=SECRET) as nas:
        server.put(server.subscriber(5, "erin", static="198.51.100.9"))
        server.make_certificate()
        packets = malformed(10_000, 2, SECRET.encode(), real_packets())
        while burst := list(islice(packets, 200)):
            with socket.socket(type=socket.SOCK_DGRAM) as sock:
                sock.bind((nas.address, 0))
                for packet in burst:
                    with contextlib.suppress(ConnectionError):
                        sock.sendto(packet, server.acct if packet[:1] == b"\x04" else server.auth)
                assert nas.log_in(server.auth, "erin", "secret").kind == "Access-Accept"
        assert server.counters.dropped["bug"] == 0


def test_every_answer_to_a_login_is_signed_before_all_else(tmp_path):
    """Against CVE-2024-3596 the signature must come first, where no collision can be hidden before it."""
    with serving(tmp_path) as server, PretendNas(secret=SECRET) as nas:
        for login, password, kind in (("alice", "alpha", 2), ("alice", "wrong", 3), ("nobody", "x", 3)):
            octets = nas.log_in(server.auth, login, password).octets
            assert octets[0] == kind
            assert octets[20:22] == bytes((of.MESSAGE_AUTHENTICATOR, 18))


@pytest.mark.parametrize("keeps_the_signature", [True, False])
def test_a_reject_forged_into_an_accept_does_not_verify(tmp_path, keeps_the_signature):
    """The forger of CVE-2024-3596 has found a collision: his Accept carries a Response Authenticator that is right."""
    key = Secret(SECRET.encode())
    with serving(tmp_path) as server, PretendNas(secret=SECRET) as nas:
        authenticator = os.urandom(16)
        asked = pap_request(9, authenticator, ("alice", "wrong"), b"", key)
        reject = decode(nas.ask(server.auth, asked).octets)
    assert reject.code == of.ACCESS_REJECT
    assert verify_reply(reject, authenticator, key)
    attributes = reject.octets[20:] if keeps_the_signature else reject.octets[38:]
    head = bytes((of.ACCESS_ACCEPT, 9)) + (20 + len(attributes)).to_bytes(2, "big")
    forged = decode(head + key.after(head + authenticator + attributes) + attributes)
    assert not (forged.signature_at and verify_reply(forged, authenticator, key))
