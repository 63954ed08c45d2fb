"""The administrator's own pages: whole folders of HTML and images that replace the shipped page, kept in memory.

A request is looked up among the files that were read, never on the disk, so no path leads out of the folder.
"""

import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from demarc.wire.ownpage import FILE_BYTES_MAX, FILES_MAX, INDEX, TOTAL_BYTES_MAX, content_type, safe_path

log = logging.getLogger(__name__)

Stamp = tuple[str, int, int]
"""(path, modified, size): another one means that the file is another one."""


@dataclass(slots=True)
class OwnPage:
    """One folder. `files` by path; empty when there is no index.html, and then the shipped page is shown."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)
    _stamps: tuple[Stamp, ...] = ()

    def refresh(self) -> None:
        """Read the folder again if anything in it changed. A folder that cannot be read counts as empty."""
        stamps = tuple(sorted(_servable(self.folder), key=lambda stamp: (stamp[0] != INDEX, stamp)))
        if stamps != self._stamps:
            self.files, self._stamps = self._read([path for path, _, _ in stamps]), stamps

    def find(self, path: str) -> str:
        """The file that a request means: visitors come for any site, so the end of the path decides."""
        parts = path.strip("/").split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((end for end in ends if end in self.files), INDEX)

    def _read(self, paths: list[str]) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        total = 0
        for path in paths[:FILES_MAX]:
            body = _read_plain(self.folder / path)
            if body is None or total + len(body) > TOTAL_BYTES_MAX:
                log.warning("own page: %s is left out: unreadable, or too large", self.folder / path)
                continue
            files[path] = body
            total += len(body)
        return files if INDEX in files else {}


def _servable(folder: Path) -> Iterator[Stamp]:
    """The files that may be served: no links, nothing hidden, no other kinds, none too large."""
    for directory, _, names in os.walk(folder):
        for name in names:
            file = Path(directory) / name
            path = safe_path(file.relative_to(folder).as_posix())
            if path is None or content_type(path) is None:
                continue
            try:
                facts = file.lstat()
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode) and facts.st_size <= FILE_BYTES_MAX:
                yield (path, facts.st_mtime_ns, facts.st_size)


def _read_plain(file: Path) -> bytes | None:
    try:
        # A link may have taken the file's place since it was looked at.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb") as opened:
            body = opened.read(FILE_BYTES_MAX + 1)
    except OSError:
        return None
    return body if len(body) <= FILE_BYTES_MAX else None
