"""An administrator's own page from a zip archive: what comes in, and the clear sentence when it does not."""

import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.wire.ownpage import FILE_BYTES_MAX, FILES_MAX, NotAPage, content_type, own_page_files, safe_path

PAGE = {"index.html": b"<h1>Please pay</h1>", "img/logo.png": b"\x89PNG"}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def refusal(archive: bytes) -> str:
    with pytest.raises(NotAPage) as caught:
        own_page_files(archive)
    return str(caught.value)


def test_a_page_comes_out_as_it_went_in():
    assert own_page_files(zipped(PAGE)) == PAGE


def test_a_folder_around_everything_is_taken_off_and_litter_left_out():
    litter = {"__MACOSX/site/._index.html": b"x", "site/.DS_Store": b"x", "site/img/Thumbs.db": b"x"}
    assert own_page_files(zipped({f"site/{name}": body for name, body in PAGE.items()} | litter)) == PAGE


@pytest.mark.parametrize(
    "name",
    [
        "../index.html",
        "/etc/passwd.html",
        "a/../../b.html",
        ".htaccess.html",
        "a/.git/x.html",
        "a\\b.html",
        "c:x.html",
        "a//b.html",
        "x\n.html",
        "a/" * 9 + "x.html",
        "n" * 300 + ".html",
    ],
)
def test_a_name_that_leads_out_or_hides_is_refused(name):
    assert "cannot be part of a page" in refusal(zipped(PAGE | {name: b"x"}))
    assert safe_path(name) is None


@pytest.mark.parametrize("name", ["run.js", "page.php", "a.exe", "noending", "x.html.sh"])
def test_a_kind_of_file_that_a_page_does_not_need_is_refused(name):
    assert "allowed are html" in refusal(zipped(PAGE | {name: b"x"}))
    assert content_type(name) is None


def test_a_link_is_refused():
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", b"x")
        link = zipfile.ZipInfo("logo.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "cannot be part of a page" in refusal(out.getvalue())


def test_a_page_needs_its_index_in_utf8():
    assert refusal(zipped({"page.html": b"x"})) == "The archive has no index.html at the top."
    assert refusal(zipped({"index.html": "Déjà".encode("latin-1")})) == "index.html is not UTF-8; save it as UTF-8."


def test_a_zip_bomb_is_refused_before_it_opens():
    bomb = zipped(PAGE | {"bomb.png": bytes(100_000_000)})
    assert len(bomb) < 1_000_000
    assert "bomb.png is too large" in refusal(bomb)


def test_an_archive_that_lies_about_sizes_is_refused():
    archive = bytearray(zipped({"index.html": bytes(3 * FILE_BYTES_MAX)}))
    central = archive.index(b"PK\x01\x02")
    for place in (22, central + 24):  # the uncompressed size, in the file's own header and in the directory
        struct.pack_into("<I", archive, place, 100)
    assert "not a zip archive that can be read" in refusal(bytes(archive))


def test_many_files_are_refused():
    assert "files; 200 at most" in refusal(zipped({f"{number}.png": b"" for number in range(FILES_MAX + 1)}))
    assert "too many files" in refusal(zipped({f"{number}.png": b"" for number in range(6 * FILES_MAX)}))


def test_large_files_together_are_refused():
    files = {f"{number}.png": bytes(FILE_BYTES_MAX) for number in range(9)}
    assert "too large together" in refusal(zipped(PAGE | files))


def test_the_same_name_twice_is_refused():
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("index.html", b"2")
    assert refusal(out.getvalue()) == "The archive has index.html twice."


def test_an_archive_with_a_password_is_refused():
    archive = bytearray(zipped(PAGE, zipfile.ZIP_STORED))
    central = archive.index(b"PK\x01\x02")
    archive[6] |= 1
    archive[central + 8] |= 1
    assert "without a password" in refusal(bytes(archive))


@given(st.binary(max_size=300))
def test_what_is_no_archive_is_refused_in_a_sentence(junk):
    assert refusal(junk).endswith(".")


def test_a_name_that_is_no_text_is_refused():
    archive = zipped({"index.html": b"x", "ü.png": b"x"}).replace("ü.png".encode(), b"\xff\xff.png")
    assert "not a zip archive that can be read" in refusal(archive)


@given(st.data())
def test_a_damaged_archive_is_read_or_refused_and_nothing_else(data):
    archive = bytearray(zipped(PAGE))
    for _ in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    try:
        files = own_page_files(bytes(archive))
    except NotAPage:
        return
    assert all(safe_path(name) for name in files)
