"""What the children say: read from their pipes line by line, shown with their name, kept in bounded files."""

import contextlib
import os
import selectors
import sys
from pathlib import Path

LOG_BYTES = 5_000_000  # and as much again in NAME.log.1
LINE_BYTES = 16_384
READ_BYTES = 65_536


class LogFile:
    """One child's log. A full disk loses lines, never the supervisor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")

    def write(self, line: bytes) -> None:
        """Add a line; begin anew when the file is full, keeping the last one."""
        with contextlib.suppress(OSError):
            if self._file.tell() > LOG_BYTES:
                self._file.close()
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
                self._file = self._path.open("ab")
            self._file.write(line + b"\n")
            self._file.flush()


class Console:
    """All pipes at once, without threads; also wakes up for a signal."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._selector = selectors.DefaultSelector()
        self._rest: dict[int, bytes] = {}
        self._logs: dict[str, LogFile] = {}

    def pipe(self, name: str) -> int:
        """The end to write to for a child of this name; close it once the child has it."""
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(read_end, False)
        self._rest[read_end] = b""
        if name not in self._logs:
            self._logs[name] = LogFile(self._directory / f"{name}.log")
        self._selector.register(read_end, selectors.EVENT_READ, name)
        return write_end

    def wake_on(self, descriptor: int) -> None:
        """Return from `pump` when this descriptor has something, such as signal.set_wakeup_fd's other end."""
        self._selector.register(descriptor, selectors.EVENT_READ, None)

    def pump(self, timeout_s: float) -> None:
        """Show and keep what came in within `timeout_s`."""
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                os.read(key.fd, READ_BYTES)
            else:
                self._read(key.fd, key.data)

    def say(self, line: str) -> None:
        """A line of the supervisor's own."""
        self._show("demarc", line.encode())

    def _read(self, descriptor: int, name: str) -> None:
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return
        *lines, rest = (self._rest[descriptor] + data).split(b"\n")
        if rest and (not data or len(rest) > LINE_BYTES):
            lines, rest = [*lines, rest], b""
        self._rest[descriptor] = rest
        for line in lines:
            self._logs[name].write(line)
            self._show(name, line)
        if not data:
            self._selector.unregister(descriptor)
            os.close(descriptor)
            del self._rest[descriptor]

    def _show(self, name: str, line: bytes) -> None:
        with contextlib.suppress(OSError):  # nobody looks any more
            sys.stderr.write(f"{name:>8} | {line.decode(errors='replace')}\n")
            sys.stderr.flush()
