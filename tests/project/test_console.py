"""What the children say, on the screen and in the logs."""

import os

from demarc.project import console
from demarc.project.console import Console


def hear(tmp_path, capsys, *pieces):
    """What the screen shows after a child called `web` wrote these pieces and ended."""
    heard = Console(tmp_path)
    output = heard.pipe("web")
    for piece in pieces:
        os.write(output, piece)
        heard.pump(1)
    os.close(output)
    heard.pump(1)
    return capsys.readouterr().err


def test_every_line_bears_its_childs_name_and_is_kept(tmp_path, capsys):
    assert hear(tmp_path, capsys, b"one\ntw", b"o\n") == "     web | one\n     web | two\n"
    assert (tmp_path / "web.log").read_bytes() == b"one\ntwo\n"


def test_a_last_line_without_an_end_is_not_lost(tmp_path, capsys):
    assert hear(tmp_path, capsys, b"cut off") == "     web | cut off\n"


def test_a_line_without_end_does_not_fill_the_memory(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(console, "LINE_BYTES", 100)
    assert hear(tmp_path, capsys, b"x" * 150, b"y\n").splitlines() == ["     web | " + "x" * 150, "     web | y"]


def test_bytes_that_are_no_text_do_no_harm(tmp_path, capsys):
    assert "web | \ufffd" in hear(tmp_path, capsys, b"\xff\n")


def test_a_log_is_begun_anew_when_it_is_full_and_the_last_one_is_kept(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(console, "LOG_BYTES", 50)
    hear(tmp_path, capsys, *(f"line {number:02}\n".encode() for number in range(20)))
    assert (tmp_path / "web.log").stat().st_size <= 60
    assert (tmp_path / "web.log.1").read_text().startswith("line ")
    assert "line 19" in (tmp_path / "web.log").read_text() + (tmp_path / "web.log.1").read_text()


def test_a_child_that_starts_again_goes_on_in_the_same_log(tmp_path, capsys):
    hear(tmp_path, capsys, b"first life\n")
    hear(tmp_path, capsys, b"second life\n")
    assert (tmp_path / "web.log").read_text() == "first life\nsecond life\n"
