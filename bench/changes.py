"""Changes that reach radiusd while it is measured, and how soon each is live: subscribers' speeds, so many a second.

Rows and feed are written as access.actions writes them, in one transaction, but straight in SQL: what is measured is
radiusd, not Django. One of each batch is a probe: it is asked for until the new speed is in its Accept.
"""

import itertools
import os
import socket
import threading
import time
from collections.abc import Sequence

import psycopg

from bench import peer
from demarc.wire.radius import Secret, decode, pap_request, verify_reply
from demarc.wire.radius.attributes import encode_attributes

BATCHES_PER_S = 10
ASK_AGAIN_S = 0.005
GIVE_UP_S = 10.0

CHANGE = """
    WITH changed AS (
        UPDATE access_subscriber SET down_kbps = %(kbps)s, rate_limit = %(rate)s WHERE id = ANY(%(ids)s) RETURNING id
    )
    INSERT INTO access_feed (kind, key) SELECT 'subscriber', id FROM changed
"""
NAMED = "SELECT id, login FROM access_subscriber ORDER BY id"


class Changes:
    """Makes them in a thread of its own, from `with` to its end. `probe`: somebody who is not in the load."""

    def __init__(self, url: str, per_s: int, probe: peer.User, server: tuple[str, int]) -> None:
        self._url = url
        self._batch = per_s // BATCHES_PER_S
        self._probe = probe
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._change)
        self.live_ms: list[float] = []
        self.made = 0
        self.trouble = ""

    def __enter__(self) -> "Changes":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def p99_ms(self) -> float:
        """From commit to the first Accept that has it; RuntimeError when some change never was."""
        if self.trouble or not self.live_ms:
            raise RuntimeError(self.trouble or "no change was measured")
        return sorted(self.live_ms)[int(len(self.live_ms) * 0.99)]

    def _change(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn, socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.connect(self._server)
            sock.settimeout(0.3)
            rows = conn.execute(NAMED).fetchall()
            probe_id = next(row[0] for row in rows if row[1] == self._probe[0])
            others = [row[0] for row in rows if row[0] != probe_id]
            due = time.monotonic()
            for turn in itertools.count(1):
                if self._over.wait(max(due - time.monotonic(), 0)):
                    return
                due += 1 / BATCHES_PER_S
                kbps = 10_000 + turn
                at = turn * (self._batch - 1) % len(others)
                self._commit(conn, [probe_id, *others[at : at + self._batch - 1]], kbps)
                if not self._live(sock, str(kbps).encode(), time.monotonic()):
                    self.trouble = f"change {turn} was not live after {GIVE_UP_S:.0f} s"
                    return

    def _commit(self, conn: psycopg.Connection, ids: Sequence[int], kbps: int) -> None:
        with conn.transaction():
            conn.execute(CHANGE, {"kbps": kbps, "rate": f"10M/{kbps}k", "ids": list(ids)})
            conn.execute("SELECT pg_notify('demarc_feed', '')")
        self.made += len(ids)

    def _live(self, sock: socket.socket, told: bytes, committed: float) -> bool:
        secret = Secret(peer.SECRET.encode())
        facts = encode_attributes([("Calling-Station-Id", self._probe.device), ("Framed-Protocol", 1)])
        for identifier in itertools.count():
            authenticator = os.urandom(16)
            sock.send(pap_request(identifier % 256, authenticator, self._probe[:2], facts, secret))
            try:
                reply = decode(sock.recv(4096))
            except TimeoutError:
                continue
            now = time.monotonic()
            if told in reply.octets and verify_reply(reply, authenticator, secret):
                self.live_ms.append((now - committed) * 1000)
                return True
            if now - committed > GIVE_UP_S or self._over.is_set():
                return self._over.is_set()
            time.sleep(ASK_AGAIN_S)
        return False
