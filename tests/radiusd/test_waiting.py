"""Who waits under load: each NAS in its turn, with its own part of the room."""

import socket
import time
from contextlib import ExitStack, suppress

from tests.radiusd.serving import SECRET, serving

from demarc.radiusd.waiting import LOGIN_PATIENCE_S, Waiting
from demarc.wire.radius import Secret, accounting_request, encode_attributes, pap_request

LOUD, QUIET = ("10.0.0.1", 1000), ("10.0.0.2", 1000)


def taken(waiting: Waiting) -> list[bytes]:
    found = []
    while waiting.count:
        found.append(waiting.take().octets)
    return found


def test_one_that_asks_little_does_not_wait_for_one_that_asks_much():
    waiting = Waiting()
    for number in range(100):
        waiting.put(b"loud %d" % number, LOUD, 0.0)
    waiting.put(b"quiet 1", QUIET, 0.0)
    waiting.put(b"quiet 2", QUIET, 0.0)
    assert taken(waiting)[:4] == [b"loud 0", b"quiet 1", b"loud 1", b"quiet 2"]


def test_what_one_asks_is_answered_in_order_whatever_its_port():
    waiting = Waiting()
    for number in range(3):
        waiting.put(b"%d" % number, ("10.0.0.1", number), 0.0)
    assert taken(waiting) == [b"0", b"1", b"2"]


def test_none_has_more_than_its_part():
    waiting = Waiting(most=10)
    assert [waiting.put(b"%d" % number, LOUD, 0.0) for number in range(11)] == [True] * 10 + [False]
    assert [waiting.put(b"%d" % number, QUIET, 0.0) for number in range(6)] == [True] * 5 + [False]
    assert not waiting.put(b"", LOUD, 0.0)


def test_one_who_asks_again_while_he_waits_stays_where_he_is_and_is_answered_once():
    waiting = Waiting()
    asked = bytes([1, 7, 0, 24]) + b"authenticator of 16." + b"and more"
    waiting.put(asked, LOUD, 0.0)
    assert waiting.holds(asked, LOUD)
    assert not waiting.holds(asked, ("10.0.0.1", 1001)), "the same from another port is another's"
    assert not waiting.holds(bytes([1, 8]) + asked[2:], LOUD)
    assert taken(waiting) == [asked]
    assert not waiting.holds(asked, LOUD)
    waiting.put(asked, LOUD, 0.0)
    waiting.clear()
    assert not waiting.holds(asked, LOUD)


def test_when_all_are_answered_nothing_is_kept():
    waiting = Waiting()
    waiting.put(b"", LOUD, 0.0)
    taken(waiting)
    assert waiting.put(b"again", LOUD, 0.0)
    assert taken(waiting) == [b"again"]
    waiting.put(b"", QUIET, 0.0)
    waiting.clear()
    assert waiting.count == 0


def answered(server, address, ask, *, each_turn_s: float, turns: int) -> int:
    """How many of 500 requests, sent at once, a server that takes so long for each turn of its loop answers."""

    def take_long(left: int) -> None:
        time.sleep(each_turn_s)
        if left:
            server.loop.call_soon(take_long, left - 1)

    server.loop.call_soon_threadsafe(take_long, turns)
    with ExitStack() as opened:
        lines = [opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)]
        for number in range(500):
            lines[number % 2].sendto(ask(number // 2), address)
        time.sleep(each_turn_s * (turns + 2))
        count = 0
        for line in lines:
            line.setblocking(False)
            with suppress(BlockingIOError):
                while line.recv(4096):
                    count += 1
        return count


def test_a_login_that_nobody_waits_for_any_more_is_passed_over_and_accounting_is_not(tmp_path):
    key = Secret(SECRET.encode())

    def login(number: int) -> bytes:
        return pap_request(number, bytes(15) + bytes([number]), ("alice", "alpha"), b"", key)

    def interim(number: int) -> bytes:
        said = [("User-Name", "alice"), ("Acct-Status-Type", 3), ("Acct-Session-Id", f"s{number}")]
        return accounting_request(number, encode_attributes(said), key)

    with serving(tmp_path) as server:
        assert 64 < answered(server, server.auth, login, each_turn_s=LOGIN_PATIENCE_S / 3, turns=10) < 400
        assert server.counters.dropped["too_old"] > 100
        server.counters.dropped.clear()
        assert answered(server, server.acct, interim, each_turn_s=LOGIN_PATIENCE_S / 3, turns=10) == 500
        assert not server.counters.dropped["too_old"]
