"""The command line: its help, its words, and that trouble is a sentence."""

import re
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from demarc import __version__
from demarc.project.cli import COMMANDS, main, parser
from demarc.project.trouble import USAGE
from demarc.radiusd.eap_certificate import ensure

SHOWN = [command for command in COMMANDS if not command.hidden]


def test_the_help_names_every_word_but_the_supervisors_own_steps():
    text = parser().format_help()
    for command in COMMANDS:
        assert bool(re.search(rf"^    {command.name}\s", text, re.MULTILINE)) is not command.hidden


@pytest.mark.parametrize("command", SHOWN, ids=lambda command: command.name)
def test_every_word_explains_itself_with_an_example_that_parses(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    assert ended.value.code == 0
    assert "examples:\n  demarc " in capsys.readouterr().out


def test_a_word_that_does_not_exist_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == USAGE
    told = capsys.readouterr().err
    assert "there is no command 'fly'" in told
    for command in COMMANDS:
        assert (f" {command.name}," in f"{told.strip()},") is not command.hidden


def test_the_ca_for_customers_devices_is_printed_once_radius_has_made_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DEMARC_DATA", str(tmp_path))
    assert main(["ca"]) != 0
    assert "RADIUS makes it at its first start" in capsys.readouterr().err
    (tmp_path / "keys").mkdir()
    ensure(tmp_path / "keys", datetime.now(UTC))
    assert main(["ca"]) == 0
    told = capsys.readouterr()
    assert told.out == (tmp_path / "keys" / "eap-ca.crt").read_text()
    assert "PRIVATE" not in told.out
    assert "radius.demarc.internal" in told.err


def test_the_version_is_there_at_once():
    began = time.monotonic()
    said = subprocess.run([sys.executable, "-m", "demarc.project.cli", "version"], capture_output=True, text=True)
    assert said.stdout == f"demarc {__version__}\n"
    assert time.monotonic() - began < 2  # 0.1 s on a machine at rest


def test_the_version_needs_no_framework():
    code = (
        "import sys; from demarc.project.cli import main; main(['version']);"
        "print([name for name in ('django.conf', 'psycopg', 'asyncio') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.endswith("\n[]\n")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["token", "crm", "--role", "x"], 7, "There is no Demarc in"),
        (["bill"], 7, "There is no Demarc in"),
        (["check"], 7, "There is no Demarc in"),
        (["clock", "--advance", "1d"], 3, "made for real work"),
        (["clock", "--set", "yesterday"], 3, "must be an instant with its zone"),
        (["clock", "--set", "2026-03-01T00:00:00"], 3, "must be an instant with its zone"),
        (["clock", "--advance", "soon"], 3, "must be a number and s, m, h or d"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, arguments, code, words):
    command = [sys.executable, "-m", "demarc.project.cli", *arguments, "--data", str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == code
    assert words in said.stderr
    assert said.stderr.startswith("demarc: ")
    assert said.stderr.count("\n") == 1


BENCHES = ["bill", "billing", "demo", "dun", "million", "pdf", "radius", "storm", "web"]


def test_the_benchmarks_are_listed(capsys):
    assert main(["bench"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == BENCHES


def test_an_unknown_benchmark_is_refused_with_the_list(capsys):
    assert main(["bench", "speed"]) == 3
    assert "There is no benchmark 'speed'; there are: " in capsys.readouterr().err


def test_all_that_follows_test_is_pytests_own(capfd):
    assert main(["test", "--version"]) == 0
    assert "pytest" in "".join(capfd.readouterr())
