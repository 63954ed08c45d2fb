"""Who waits under load: each NAS in its turn, with its own part of the room."""

from demarc.radiusd.waiting import Waiting

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
