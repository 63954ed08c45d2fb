"""Which addresses were promised lately, in a file: after a kill an address may be in use of which no accounting told.

Written before the answers leave, and not synced: it outlives the process, and of an earlier life of the machine it is
not believed to be whole. Two generations are kept, so it stays small. Knows no pools' rules.
"""

import contextlib
import logging
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from demarc.core.addressing import Place, number_of

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NAMES = ("promises.before", "promises")
AGAIN_S = 150
"""The same promise is written again after this time: a quarter of the shortest time that promises count."""

GENERATION_S = 7200
"""Longer than any promise counts: two interim intervals."""

FORMAT = b"\2"
"""Stands behind the boot id, where the first format had the first octet of a pool's id: 0."""

_RECORD = Struct(">qqQq")
log = logging.getLogger(__name__)


class Promise(NamedTuple):
    """`number`: the address, or the leading bits of the prefix (core.addressing). `at_s`: seconds since 1970."""

    pool_id: int
    service_id: int
    number: int
    at_s: int


class Promises:
    """Those of this life are noted; `told` are those of earlier ones. `whole`: that is all there were."""

    def __init__(self, directory: Path) -> None:
        """Read what the earlier life left, and go on."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._boot = _boot_id() + FORMAT
        self._waiting = bytearray()
        self._noted: dict[tuple[int, int], tuple[Place, int]] = {}
        self._began_s = 0
        self._now: datetime | None = None
        self._now_s = 0
        self._fd = -1
        self.told, self.whole = self._read()
        self._begin(self.told)

    def note(self, pool_id: int, service_id: int, address: Place, now: datetime) -> bool:
        """Remember one; `write` writes it. False: it was noted lately."""
        if now is not self._now:  # the same object for all that comes within a millisecond
            self._now, self._now_s = now, int(now.timestamp())
        at_s = self._now_s
        key = (pool_id, service_id)
        known = self._noted.get(key)
        if known is not None and 0 <= at_s - known[1] < AGAIN_S and (known[0] is address or known[0] == address):
            return False  # "is" first: mostly it is the same object, and comparing two costs ten times as much
        if at_s - self._began_s > GENERATION_S:
            self._turn(at_s)
        self._noted[key] = (address, at_s)
        self._waiting += _RECORD.pack(pool_id, service_id, number_of(address), at_s)
        return True

    def write(self) -> None:
        """To be called before an answer that holds a noted address leaves."""
        if not self._waiting:
            return
        octets, self._waiting = bytes(self._waiting), bytearray()
        try:
            if self._fd < 0:
                raise OSError("there is no file")
            os.write(self._fd, octets)
        except OSError as error:
            self._give_up(error)

    def _turn(self, at_s: int) -> None:
        """A new generation; the one before the last is too old to matter."""
        self.write()
        self._noted.clear()
        with contextlib.suppress(OSError):
            self._path(1).replace(self._path(0))
        self._open(at_s)

    def _begin(self, known: Iterable[Promise]) -> None:
        """One file with what was known."""
        self._open(max((promise.at_s for promise in known), default=0))
        for promise in known:
            self._waiting += _RECORD.pack(*promise)
        self.write()
        if self._fd >= 0:
            self._path(0).unlink(missing_ok=True)

    def _open(self, began_s: int) -> None:
        fresh = self._path(1).with_suffix(".new")
        try:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            os.write(fd, self._boot)
            fresh.replace(self._path(1))
        except OSError as error:
            self._give_up(error)
            return
        self._fd, self._began_s = fd, began_s

    def _give_up(self, error: OSError) -> None:
        """Leave nothing that the next life would believe to be whole."""
        if self._fd >= 0:
            log.error("promised addresses cannot be noted, so a restart will wait for them: %s", error)
            os.close(self._fd)
            self._fd = -1
        for which in (0, 1):
            with contextlib.suppress(OSError):
                self._path(which).unlink(missing_ok=True)

    def _read(self) -> tuple[list[Promise], bool]:
        found: dict[tuple[int, int], Promise] = {}
        whole = False
        for which in (0, 1):
            try:
                octets = self._path(which).read_bytes()
            except OSError:
                continue
            if octets[len(self._boot) - 1 : len(self._boot)] != FORMAT:
                whole = False  # an earlier version wrote it
                continue
            whole = octets.startswith(self._boot)
            body = octets[len(self._boot) :]
            body = body[: len(body) - len(body) % _RECORD.size]  # what was torn was not answered
            for record in _RECORD.iter_unpack(body):
                promise = Promise._make(record)
                found[promise.pool_id, promise.number] = promise  # the latest to whom it was promised
        return list(found.values()), whole

    def _path(self, which: int) -> Path:
        return self._directory / NAMES[which]


def _boot_id() -> bytes:
    """36 octets that change when the machine starts anew."""
    try:
        return BOOT_ID.read_bytes().strip().ljust(36)[:36]
    except OSError:
        return os.urandom(18).hex().encode()
