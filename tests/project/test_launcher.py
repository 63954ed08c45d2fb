"""The launcher, with pretend Python, uv, dpkg and apt that write down how they were called."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INPUTS = ("requirements.lock", "requirements-dev.lock", "pyproject.toml", "package-lock.json", "build_assets.py")
PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
*version_info*) exit "${TOO_OLD:-0}" ;;
*"-m venv"*)
    for last; do :; done
    mkdir -p "$last/bin"
    cp "$0" "$last/bin/python"
    cp "$TOOLS/uv" "$TOOLS/demarc" "$last/bin" ;;
*"-m pip --version"*) [ -x "$(dirname "$0")/uv" ] ;;
esac
"""
TELLS = '#!/bin/sh\necho "{name} $*" >>"$CALLS"\n{more}\n'


class Checkout:
    """A copy of what the launcher reads, with pretend programs before the real ones on PATH."""

    def __init__(self, path: Path, uid: str = "0") -> None:
        self.root, self.tools, self.calls = path / "checkout", path / "tools", path / "calls"
        self.tools.mkdir(parents=True)
        (self.root / "src/demarc/ui").mkdir(parents=True)
        for name in INPUTS:
            shutil.copy(ROOT / name, self.root)
        shutil.copy(ROOT / "demarc", self.root)
        shutil.copy(ROOT / "src/demarc/ui/icons.txt", self.root / "src/demarc/ui")
        self.tool("python", PYTHON)
        self.tool("uv")
        self.tool("demarc", more='echo "handed over: $*"')
        self.tool("apt-get")
        self.tool("service")
        self.tool("update-rc.d")
        self.tool("id", more=f"echo {uid}")
        self.installed("")

    def tool(self, name: str, text: str = "", more: str = "") -> None:
        path = self.tools / name
        path.write_text(text or TELLS.format(name=name, more=more))
        path.chmod(0o755)

    def installed(self, *packages: str) -> None:
        self.tool("dpkg-query", more="".join(f"echo ' {name}=installed '\n" for name in packages))

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        self.calls.unlink(missing_ok=True)
        environ = {
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "PYTHON": str(self.tools / "python"),
            "CALLS": str(self.calls),
            "TOOLS": str(self.tools),
        }
        command = [self.root / "demarc", *arguments]
        return subprocess.run(command, env=environ | variables, capture_output=True, text=True, check=False)

    def called(self, *parts: str) -> bool:
        """Whether one call had all these parts."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return any(all(part in line for part in parts) for line in lines)


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_it_is_plain_sh_and_under_sixty_lines():
    assert len((ROOT / "demarc").read_text().splitlines()) < 60
    assert subprocess.run(["sh", "-n", ROOT / "demarc"], check=False).returncode == 0


def test_the_first_start_installs_the_lock_with_hashes_and_hands_over(checkout):
    said = checkout.run("up", "--demo")
    assert said.stdout == "handed over: up --demo\n"
    assert checkout.called("pip install", "uv==")
    assert checkout.called("uv pip sync", "--require-hashes", "/requirements.lock")
    assert checkout.called("uv pip install", "--no-deps", "--no-build-isolation", "-e")
    assert not checkout.called("apt-get")


def test_the_second_start_calls_nothing_and_is_quick(checkout):
    checkout.run("up")
    began = time.monotonic()
    said = checkout.run("up", "--demo")
    assert time.monotonic() - began < 3
    assert said.stdout == "handed over: up --demo\n"
    assert checkout.calls.read_text() == "demarc up --demo\n"


@pytest.mark.parametrize("changed", [*INPUTS, "src/demarc/ui/icons.txt", "src/demarc/locale/de/LC_MESSAGES/django.po"])
def test_a_change_of_anything_that_goes_in_makes_the_environment_anew(checkout, changed):
    checkout.run("up")
    path = checkout.root / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("\n")
    checkout.run("up")
    assert checkout.called("uv pip sync")
    checkout.run("up")
    assert not checkout.called("uv pip sync")


def test_an_interrupted_installation_is_done_again(checkout):
    checkout.tool("uv", more="exit 1")
    said = checkout.run("up")
    assert (said.returncode, said.stdout) == (11, "")
    assert said.stderr.endswith("demarc: uv could not install what requirements.lock names.\n")
    checkout.tool("uv")
    shutil.copy(checkout.tools / "uv", checkout.root / ".venv/bin/uv")
    assert checkout.run("up").stdout == "handed over: up\n"


@pytest.mark.parametrize("word", ["test", "bench"])
def test_tests_and_benchmarks_get_their_tools_and_keep_them(checkout, word):
    checkout.run("up")
    checkout.run(word)
    assert checkout.called("uv pip sync", "/requirements-dev.lock")
    assert checkout.called("apt-get", "install", "freeradius-utils")
    checkout.run("up")
    assert not checkout.called("uv")


def test_servers_that_came_with_the_packages_are_stopped_but_never_an_operators_own(checkout):
    checkout.installed("freeradius")
    checkout.run("test")
    assert checkout.called("service postgresql stop")
    assert checkout.called("update-rc.d postgresql disable")
    assert not checkout.called("service freeradius")


def test_without_root_the_one_line_to_run_is_printed(tmp_path):
    said = Checkout(tmp_path, uid="1000").run("test")
    assert said.returncode == 11
    assert "run: sudo apt-get install -y freeradius " in said.stderr
    assert said.stderr.count("\n") == 1


def test_an_old_python_is_refused_in_one_sentence(checkout):
    said = checkout.run("up", TOO_OLD="1")
    assert said.returncode == 11
    assert "is not Python 3.11 or newer; name one that is, as in PYTHON=python3.12" in said.stderr
    assert not checkout.called("uv")


def test_it_may_be_called_through_a_link_from_anywhere(checkout, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(checkout.root / "demarc")
    checkout.run("up")
    said = subprocess.run(
        [link, "version"], cwd="/", env={**os.environ, "CALLS": "/dev/null"}, capture_output=True, text=True
    )
    assert said.stdout == "handed over: version\n"
