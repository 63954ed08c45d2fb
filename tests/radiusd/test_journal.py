"""The journal: what was acknowledged is there after any death, in order, and nothing torn is taken for a record."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demarc.radiusd import journal
from demarc.radiusd.journal import Journal, Position

WRITER = """
import asyncio, sys
from pathlib import Path
from demarc.radiusd.journal import Journal

async def main():
    kept = Journal(Path(sys.argv[1]), segment_bytes=20_000)
    task = asyncio.create_task(kept.run())
    for number in range(10**9):
        kept.put(b"record %d" % number, lambda ok, n=number: print(n, flush=True))
        if number % 50 == 0:
            await asyncio.sleep(0)

asyncio.run(main())
"""


def write(directory: Path, payloads: list[bytes], segment_bytes: int = 10**6) -> list[bool]:
    """One life of a journal."""

    async def live() -> list[bool]:
        kept: list[bool] = []
        one = Journal(directory, segment_bytes=segment_bytes)
        task = asyncio.create_task(one.run())
        for payload in payloads:
            one.put(payload, kept.append)
            await asyncio.sleep(0.001)
        while len(kept) < len(payloads):
            await asyncio.sleep(0.001)
        task.cancel()
        one.close()
        return kept

    return asyncio.run(live())


def read_all(directory: Path, after: Position = Position(), limit: int = 10**6) -> list[bytes]:  # noqa: B008
    return [payload for _, payload in journal.read(directory, after, limit)]


def test_records_come_back_in_order(tmp_path):
    payloads = [b"one", b"two", b"", b"three" * 100]
    assert write(tmp_path, payloads) == [True] * 4
    assert read_all(tmp_path) == payloads


def test_reading_goes_on_behind_a_position_also_in_the_next_segment(tmp_path):
    payloads = [b"%d" % number * 10 for number in range(30)]
    write(tmp_path, payloads, segment_bytes=100)
    assert len(journal.segments(tmp_path)) > 3
    positions = [position for position, _ in journal.read(tmp_path, Position(), 100)]
    for seen, position in enumerate(positions, 1):
        assert read_all(tmp_path, position) == payloads[seen:]
    assert read_all(tmp_path, limit=7) == payloads[:7]


def test_each_life_writes_a_segment_of_its_own(tmp_path):
    write(tmp_path, [b"first"])
    write(tmp_path, [b"second"])
    assert len(journal.segments(tmp_path)) == 2
    assert read_all(tmp_path) == [b"first", b"second"]


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_torn_tail_is_passed_over_and_what_comes_later_is_read(tmp_path, cut):
    write(tmp_path, [b"kept", b"torn off"])
    path = journal.path_of(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_all(tmp_path) == [b"kept"]
    write(tmp_path, [b"later"])
    assert read_all(tmp_path) == [b"kept", b"later"]


def test_a_flipped_bit_is_no_record(tmp_path):
    write(tmp_path, [b"kept", b"spoilt"])
    path = journal.path_of(tmp_path, 1)
    octets = bytearray(path.read_bytes())
    octets[-1] ^= 1
    path.write_bytes(octets)
    assert read_all(tmp_path) == [b"kept"]


def test_a_length_that_lies_reads_nothing_huge(tmp_path):
    write(tmp_path, [b"kept"])
    with journal.path_of(tmp_path, 1).open("ab") as file:
        file.write(b"\xff\xff\xff\xff" * 4)
    assert read_all(tmp_path) == [b"kept"]


def test_a_disk_that_fails_acknowledges_nothing_and_the_journal_goes_on(tmp_path):
    async def live() -> None:
        kept: list[bool] = []
        one = Journal(tmp_path)
        task = asyncio.create_task(one.run())
        one.put(b"before", kept.append)
        await until(lambda: len(kept) == 1)
        assert one._segment is not None
        broken, one._segment._fd = one._segment._fd, 10**6
        one.put(b"lost", kept.append)
        await until(lambda: len(kept) == 2)
        assert one.trouble
        one.put(b"after", kept.append)
        await until(lambda: len(kept) == 3)
        assert (kept, one.trouble) == ([True, False, True], "")
        task.cancel()
        one.close()
        os.close(broken)

    asyncio.run(live())
    assert read_all(tmp_path) == [b"before", b"after"]


async def until(what) -> None:
    while not what():
        await asyncio.sleep(0.001)


def test_numbers_start_above_any_that_was_ever_used(tmp_path):
    async def live() -> None:
        one = Journal(tmp_path, first=1_700_000_000)
        kept: list[bool] = []
        task = asyncio.create_task(one.run())
        one.put(b"x", kept.append)
        await until(lambda: bool(kept))
        task.cancel()
        one.close()

    asyncio.run(live())
    asyncio.run(live())
    assert journal.segments(tmp_path) == [1_700_000_000, 1_700_000_001]


def test_shipped_segments_go_and_the_one_in_use_stays(tmp_path):
    write(tmp_path, [b"%d" % number * 10 for number in range(30)], segment_bytes=100)
    last = journal.segments(tmp_path)[-1]
    journal.delete_before(tmp_path, last)
    assert journal.segments(tmp_path) == [last]


def test_the_backlog_is_what_lies_behind_the_bookmark(tmp_path):
    write(tmp_path, [b"one", b"two"])
    (first, _), (second, _) = journal.read(tmp_path, Position(), 2)
    assert journal.backlog_bytes(tmp_path, second) == 0
    assert journal.backlog_bytes(tmp_path, first) == second.offset - first.offset


def test_the_room_ahead_of_what_is_written_is_neither_backlog_nor_a_record(tmp_path):
    segment = journal.Segment(tmp_path, 1)
    segment.append(journal.frame(b"one"))
    path = journal.path_of(tmp_path, 1)
    assert path.stat().st_size == journal.ROOM_BYTES
    assert journal.backlog_bytes(tmp_path, Position()) == segment.size == journal.end_of(path)
    assert read_all(tmp_path) == [b"one"]
    segment.append(journal.frame(bytes(journal.ROOM_BYTES // 100)) * 101)
    assert (path.stat().st_size, segment.size > journal.ROOM_BYTES) == (2 * journal.ROOM_BYTES, True)
    assert len(read_all(tmp_path)) == 102
    journal.Segment(tmp_path, 2).append(journal.frame(b"of a later life"))
    assert read_all(tmp_path)[-1] == b"of a later life"
    segment.close()
    assert path.stat().st_size == segment.size


def test_after_kill_9_every_acknowledged_record_is_there(tmp_path):
    for enough in (101, 150, 500, 2_000, 5_000):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(enough)]
        writer.kill()
        rest, _ = writer.communicate()
        acknowledged = [int(line) for line in (*told, *rest.splitlines()[:-1])]  # the last line may be torn
        assert len(acknowledged) >= enough
        found = set(read_all(tmp_path))
        assert all(b"record %d" % number in found for number in acknowledged)
        for number in journal.segments(tmp_path):
            journal.path_of(tmp_path, number).unlink()
