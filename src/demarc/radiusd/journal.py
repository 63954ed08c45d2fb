"""Accounting on disk before it is acknowledged: append-only segment files of checksummed records, and their reader.

A segment is never continued by a later life of the process: each start and each trouble opens a new one, so that a
torn tail can only be a tail, and what is torn was never acknowledged. Knows bytes and positions, not what they mean.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from struct import Struct
from threading import Thread
from typing import NamedTuple
from zlib import crc32

SEGMENT_BYTES = 64 * 1024 * 1024
ROOM_BYTES = 256 * 1024
"""A segment grows by so many zeros ahead of what is written. Then a sync has only data to bring to the disk, and no new
length of the file: it takes half the time, which everybody waits for. A disk that fills up has this left."""

RECORD_BYTES_MAX = 16 * 1024
BATCH_RECORDS = 4096
AT_ONCE = 16
"""So many records do not wait for the others that came with them: the disk works while those are looked at."""

SPACING_S = 0.002
"""Fewer wait for more until so long after the last order. Each costs two changes of thread and a sync, whatever it
holds; at 8,000 records a second that was half of the work."""

WAITING_MAX = 50_000
"""Records in memory that the disk has not taken yet; beyond this new ones are refused, and the NASes repeat them."""

READ_BYTES = 256 * 1024
"""So much is read at once, or what there is."""

_HEADER = Struct("<II")
_WHOLE = _HEADER.size + RECORD_BYTES_MAX
"""A buffer that holds so much holds a whole record."""

_SEED = 1
"""Eight zeros are no header of an empty record, as they would be without it."""

_SUFFIX = ".journal"

Done = Callable[[bool], None]


class Position(NamedTuple):
    """Just behind a record: the number of a segment, and the offset in it."""

    file: int = 0
    offset: int = 0


def frame(payload: bytes) -> bytes:
    """A record as it stands in the file: length, CRC-32, payload."""
    return _HEADER.pack(len(payload), crc32(payload, _SEED)) + payload


def segments(directory: Path) -> list[int]:
    """The numbers of the segments there are, in order."""
    return sorted(int(path.stem) for path in directory.glob(f"*{_SUFFIX}"))


def path_of(directory: Path, number: int) -> Path:
    return directory / f"{number:012d}{_SUFFIX}"


class Segment:
    """One open file, written at its end and made durable on demand. Raises OSError as the system does."""

    def __init__(self, directory: Path, number: int) -> None:
        self.number = number
        self.size = 0
        self._room = 0
        self._fd = os.open(path_of(directory, number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        _sync_directory(directory)

    def append(self, octets: bytes) -> None:
        """Write all of it and return when the disk has it."""
        view, end = memoryview(octets), self.size
        while view:
            written = os.pwrite(self._fd, view, end)
            view, end = view[written:], end + written
        if end > self._room:
            self._room = end
            with contextlib.suppress(OSError):  # what was to be written is written
                self._room += os.pwrite(self._fd, bytes(ROOM_BYTES - end % ROOM_BYTES), end)
        os.fdatasync(self._fd)
        self.size = end

    def close(self) -> None:
        try:
            os.ftruncate(self._fd, self.size)
        finally:
            os.close(self._fd)


class Journal:
    """The writing side, on the event loop: `put` records, hear when they are durable.

    What has queued while the last fdatasync ran goes with the next one (field facts, measured C). `first`:
    the least number of a segment, above any that was ever used, so that after the loss of the directory numbers do
    not begin anew below the bookmark in the database.
    """

    def __init__(self, directory: Path, segment_bytes: int = SEGMENT_BYTES, first: int = 1) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._first = first
        self._segment: Segment | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[bytes, Done]] = []
        self._under_way: list[Done] = []
        self._soon: asyncio.Handle | None = None
        self._ordered_at = float("-inf")
        self._kept = False
        self._orders: SimpleQueue[tuple[bytes, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._thread = Thread(target=self._obey, name="journal", daemon=True)
        self._thread.start()
        self.written = 0
        self.trouble = ""

    @property
    def full(self) -> bool:
        """Whether the disk is so far behind that nothing more should be taken in."""
        return len(self._waiting) >= WAITING_MAX

    @property
    def position(self) -> Position:
        """The end of what is durable."""
        return Position(self._segment.number, self._segment.size) if self._segment else Position()

    def put(self, payload: bytes, done: Done) -> None:
        """Queue a record; `done(True)` is called on the loop when it is durable, `done(False)` if it cannot be."""
        self._waiting.append((frame(payload), done))
        if not self._under_way and (len(self._waiting) >= AT_ONCE or self._soon is None):
            self._order_when_due()

    async def run(self) -> None:
        """Write until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            self._order_when_due()
            await self._loop.create_future()
        finally:
            self._loop = None

    def close(self) -> None:
        """Write what is queued, tell those who wait, and close. For an orderly end, when `run` has stopped."""
        self._orders.put(None)
        self._thread.join()
        self._written(self._kept)
        batch, self._waiting = self._waiting, []
        if batch:
            kept = self._write(b"".join(record for record, _ in batch))
            for _, done in batch:
                done(kept)
        if self._segment:
            self._segment.close()

    def _order_when_due(self) -> None:
        """Have what waits written now or, when that is little and the last order was just now, a moment later."""
        if self._loop is None or not self._waiting:
            return
        if len(self._waiting) >= AT_ONCE:
            self._order()
        elif self._soon is None:
            self._soon = self._loop.call_at(self._ordered_at + SPACING_S, self._order)

    def _order(self) -> None:
        """Have what waits written, unless something is being written."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._under_way or not self._waiting or self._loop is None:
            return
        self._ordered_at = self._loop.time()
        batch, self._waiting = self._waiting[:BATCH_RECORDS], self._waiting[BATCH_RECORDS:]
        self._under_way = [done for _, done in batch]
        self._orders.put((b"".join(record for record, _ in batch), self._loop))

    def _written(self, kept: bool) -> None:
        """The disk has what was under way, or not: on with the next, and tell them meanwhile."""
        told, self._under_way = self._under_way, []
        self._order_when_due()
        self.written += len(told) if kept else 0
        for done in told:
            done(kept)

    def _obey(self) -> None:
        """The thread that waits for the disk. (An executor does the same for twice the price per batch.)"""
        while order := self._orders.get():
            octets, loop = order
            self._kept = self._write(octets)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(self._written, self._kept)

    def _write(self, octets: bytes) -> bool:
        try:
            segment = self._open_segment()
            segment.append(octets)
        except OSError as error:
            # After a failed write or sync nothing is known about the file's end: leave it, begin another.
            self.trouble = f"{error.strerror}: {self._directory}"
            self._abandon()
            return False
        self.trouble = ""
        return True

    def _open_segment(self) -> Segment:
        if self._segment and self._segment.size >= self._segment_bytes:
            self._abandon()
        if self._segment is None:
            number = max([self._first, *(known + 1 for known in segments(self._directory))])
            self._segment = Segment(self._directory, number)
        return self._segment

    def _abandon(self) -> None:
        if self._segment:
            with contextlib.suppress(OSError):  # what was synced is safe, and nothing else matters
                self._segment.close()
            self._segment = None


def read(directory: Path, after: Position, limit: int) -> Iterator[tuple[Position, bytes]]:
    """Up to `limit` whole records behind `after`, each with the position behind it.

    What cannot be read at the end of the newest segment may still be being written, so reading stops there; at the
    end of an older one it was never acknowledged and is passed over.
    """
    for number in [number for number in segments(directory) if number >= after.file]:
        offset = after.offset if number == after.file else 0
        for end, payload in _read_segment(path_of(directory, number), offset, limit):
            yield Position(number, end), payload
            limit -= 1
        if limit <= 0:
            return


def _read_segment(path: Path, offset: int, limit: int) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        file.seek(offset)
        octets, at = b"", 0
        for _ in range(limit):
            if at + _WHOLE > len(octets):
                octets, at = octets[at:] + file.read(READ_BYTES), 0
            if at + _HEADER.size > len(octets):
                return
            size, checksum = _HEADER.unpack_from(octets, at)
            begins = at + _HEADER.size
            at = begins + size
            payload = octets[begins:at]
            if size > RECORD_BYTES_MAX or len(payload) != size or crc32(payload, _SEED) != checksum:
                return
            offset += _HEADER.size + size
            yield offset, payload


def backlog_bytes(directory: Path, after: Position) -> int:
    """How many octets lie behind `after`."""
    total = 0
    for number in segments(directory):
        if number >= after.file:
            written = end_of(path_of(directory, number))
            total += max(written - after.offset, 0) if number == after.file else written
    return total


def end_of(segment: Path) -> int:
    """How far a segment is written: up to the room ahead, but for zeros at the end of its last record."""
    with segment.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        tail_at = file.seek(max(size - ROOM_BYTES, 0))
        return tail_at + len(file.read().rstrip(b"\0"))


def delete_before(directory: Path, number: int) -> None:
    """Remove the segments older than `number`."""
    for old in segments(directory):
        if old < number:
            path_of(directory, old).unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
