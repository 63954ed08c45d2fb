"""An administrator's own page: which files it may have, how large, and how they come out of a zip archive.

It knows names and sizes, no directory and no server; the web room takes archives by it and radiusd serves by it.
"""

import stat
import struct
import zlib
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

INDEX = "index.html"
FILES_MAX = 200
FILE_BYTES_MAX = 2_000_000
TOTAL_BYTES_MAX = 16_000_000
ARCHIVE_BYTES_MAX = 16_000_000
PATH_CHARS_MAX = 200
DEPTH_MAX = 8

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
"""What a page may be made of. No scripts: browsers are told not to run any."""

_CENTRAL_HEADER = b"PK\x01\x02"
_UNREADABLE = (
    BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, LookupError, struct.error, zlib.error
)  # fmt: skip
"""What zipfile raises at archives that are damaged, sealed with a password, or packed in a way it does not know."""
_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}


class NotAPage(ValueError):
    """The archive cannot become a page; the message is a sentence for whoever sent it."""


def content_type(path: str) -> str | None:
    """How a file of this name is served, None when it is not served at all."""
    return CONTENT_TYPES.get(PurePosixPath(path).suffix.lower())


def safe_path(name: str) -> str | None:
    """The name as a path inside the page's folder, or None when it leads out, is hidden, or is odd."""
    parts = name.split("/")
    odd = not name.isprintable() or "\\" in name or ":" in name or len(name) > PATH_CHARS_MAX or len(parts) > DEPTH_MAX
    return None if odd or any(part.startswith(".") or not part.strip() for part in parts) else name


def own_page_files(archive: bytes) -> dict[str, bytes]:
    """The files of a zip archive by path, with index.html at the top. Raises NotAPage, a ValueError.

    A single folder around everything is taken off, and what file managers leave behind is left out.
    """
    if len(archive) > ARCHIVE_BYTES_MAX:
        raise NotAPage(f"The archive is too large: {_mb(ARCHIVE_BYTES_MAX)} at most.")
    if archive.count(_CENTRAL_HEADER) > 5 * FILES_MAX:  # before each becomes an object in memory
        raise NotAPage(f"The archive has too many files; {FILES_MAX} at most.")
    try:
        with ZipFile(BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
            paths = _paths(entries)
            _check_sizes(entries)
            files = {path: _read(opened, entry) for path, entry in zip(paths, entries, strict=True)}
    except NotAPage:
        raise
    except _UNREADABLE as error:
        raise NotAPage("This is not a zip archive that can be read; make it again without a password.") from error
    _check_index(files)
    return files


def _is_litter(name: str) -> bool:
    return not _LITTER.isdisjoint(name.split("/"))


def _paths(entries: list[ZipInfo]) -> list[str]:
    if len(entries) > FILES_MAX:
        raise NotAPage(f"The archive has {len(entries)} files; {FILES_MAX} at most.")
    tops = {name.partition("/")[0] for name in (entry.filename for entry in entries) if "/" in name}
    around = f"{tops.pop()}/" if len(tops) == 1 else ""
    wrapped = around and all(entry.filename.startswith(around) for entry in entries)
    paths = [_path(entry, around if wrapped else "") for entry in entries]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice:
        raise NotAPage(f"The archive has {twice} twice.")
    return paths


def _path(entry: ZipInfo, around: str) -> str:
    path = safe_path(entry.filename.removeprefix(around))
    if path is None or stat.S_ISLNK(entry.external_attr >> 16):
        raise NotAPage(f"The file {entry.filename[:PATH_CHARS_MAX]!r} cannot be part of a page: name it plainly.")
    if content_type(path) is None:
        known = ", ".join(ending.removeprefix(".") for ending in CONTENT_TYPES)
        raise NotAPage(f"The file {path} cannot be part of a page; allowed are {known}.")
    return path


def _check_sizes(entries: list[ZipInfo]) -> None:
    large = next((entry.filename for entry in entries if entry.file_size > FILE_BYTES_MAX), None)
    if large:
        raise NotAPage(f"The file {large} is too large: {_mb(FILE_BYTES_MAX)} at most.")
    if sum(entry.file_size for entry in entries) > TOTAL_BYTES_MAX:
        raise NotAPage(f"The files are too large together: {_mb(TOTAL_BYTES_MAX)} at most.")


def _read(opened: ZipFile, entry: ZipInfo) -> bytes:
    """The file, no longer than the archive says: zipfile stops there and compares the checksum."""
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZipFile("another packing")
    with opened.open(entry) as file:
        return file.read(entry.file_size + 1)


def _check_index(files: dict[str, bytes]) -> None:
    if INDEX not in files:
        raise NotAPage(f"The archive has no {INDEX} at the top.")
    try:
        files[INDEX].decode("utf-8")
    except UnicodeDecodeError:
        raise NotAPage(f"{INDEX} is not UTF-8; save it as UTF-8.") from None


def _mb(size: int) -> str:
    return f"{size // 1_000_000} MB"
