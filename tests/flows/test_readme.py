"""README's quick start and tour, run as they are written: the same commands, the default ports, a real browser."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from tests.installation import free_ports, is_free

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.S)
START_S = 240
PORTS = {"DEMARC_WEB_PORT": 8000, "DEMARC_RADIUS_AUTH_PORT": 1812, "DEMARC_RADIUS_ACCT_PORT": 1813}
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
PAGE_PORTS = (8101, 8102, 8103, 8104)

pytestmark = [
    pytest.mark.lab,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("radclient") is None, reason="needs Debian's freeradius-utils"),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]


def block(*words: str) -> str:
    """The one block of README that has these words."""
    found = [text for text in BLOCKS if all(word in text for word in words)]
    assert len(found) == 1, (words, found)
    return found[0]


class Shell:
    """A newcomer's shell in the checkout."""

    def __init__(self, data: Path) -> None:
        given = {name: value for name, value in os.environ.items() if not name.startswith("DEMARC_")}
        self.environ = given | {"DEMARC_DATA": str(data)}
        self.other_ports: dict[int, int] = {}
        if not all(is_free(port, kind) for port in (*PORTS.values(), *PAGE_PORTS) for kind in KINDS):
            self.move()
        self.output = data.parent / "up.out"
        self.up: subprocess.Popen[bytes] | None = None

    def move(self) -> None:
        """Somebody on this machine has a default port, so this Demarc takes others, and so do the commands."""
        fresh = free_ports(len(PORTS) + len(PAGE_PORTS), socket.SOCK_DGRAM)
        self.other_ports = dict(zip((*PORTS.values(), *PAGE_PORTS), fresh, strict=True))
        self.environ |= {name: str(self.other_ports[port]) for name, port in PORTS.items()}
        self.environ["DEMARC_PAGE_PORTS"] = ",".join(str(self.other_ports[port]) for port in PAGE_PORTS)

    def written(self, text: str) -> str:
        """The command as README has it, with this Demarc's ports."""
        return re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda port: str(self.other_ports.get(int(port[0]), port[0])), text)

    def run(self, text: str, *, fails: bool = False) -> str:
        done = subprocess.run(
            ["sh", "-c", self.written(text)], cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=200
        )
        assert fails or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, text: str) -> None:
        with self.output.open("wb") as output:
            command = ["sh", "-c", f"exec {text.strip()}"]
            self.up = subprocess.Popen(command, cwd=ROOT, env=self.environ, stdout=output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_S
        while "ready: " not in self.said():
            assert self.up.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.2)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def stop(self) -> None:
        if self.up and self.up.poll() is None:
            self.up.terminate()
            assert self.up.wait(20) == 0, self.said()


@pytest.fixture
def shell():
    home = Path(tempfile.mkdtemp(prefix="demarc-readme-", dir="/tmp"))
    home.chmod(0o755)
    shell = Shell(home / "data")
    try:
        yield shell
        shell.stop()
    finally:
        if shell.up and shell.up.poll() is None:
            shell.up.kill()
        shutil.rmtree(home, ignore_errors=True)


def test_the_quick_start_and_the_tour_do_what_they_say(shell):
    shell.start(block("up --demo"))
    quick_start(shell)
    frontdesk = re.search(r"frontdesk\s+(\S+)", shell.said())
    assert frontdesk
    take_bens_money(shell.written("http://127.0.0.1:8000"), frontdesk[1])
    deadline = time.monotonic() + 30
    while "Reject_2" in shell.run(block("User-Name=ben")):
        assert time.monotonic() < deadline
    by_api_and_clock(shell)


def quick_start(shell: Shell) -> None:
    """Accepted by three methods, blocked with a list, and silence for strangers."""
    deadline = time.monotonic() + 30
    while "Access-Accept" not in shell.run(block("User-Name=ana", "-x 127.0.0.1:1812", "User-Password"), fails=True):
        assert time.monotonic() < deadline, shell.said()
    pap = shell.run(block("User-Name=ana", "-x 127.0.0.1:1812", "User-Password"))
    assert "Framed-IP-Address = 172.16." in pap
    assert 'Mikrotik-Rate-Limit = "50M/100M"' in pap
    other = shell.run(block("CHAP-Password"))
    assert other.count("Received Access-Accept") == 2
    assert "MS-CHAP2-Success" in other
    blocked = shell.run(block("User-Name=ben"))
    assert "Received Access-Accept" in blocked
    assert 'Mikrotik-Address-List = "Reject_2"' in blocked
    silent = shell.run(block("auth wrong"), fails=True)
    assert "Received" not in silent
    assert silent.count("Sent Access-Request") == 2


def take_bens_money(url: str, password: str) -> None:
    """Steps 2 and 3 of the tour, by keyboard and mouse."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/login/")
        page.get_by_label("User name").fill("frontdesk")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{url}/")
        page.keyboard.press("/")
        page.keyboard.type("ben o")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{url}/customers/*/")
        expect(page.get_by_text("Blocked").first).to_be_visible()
        page.get_by_role("link", name="Add payment").first.click()
        page.get_by_label("Amount").fill("30.00")
        page.get_by_role("button", name="Add payment").click()
        expect(page.get_by_label("Amount")).to_have_count(0)
        expect(page.get_by_text("Blocked: no money")).to_have_count(0)
        browser.close()


def by_api_and_clock(shell: Shell) -> None:
    """Steps 1 and 5 to 7: the API with a fresh token, five days later, the books checked, the page."""
    first, _, second = block("curl -H").partition("\n")
    token = shell.run(first).split()[-1]
    assert '"Greta Larsen"' in shell.run(second.replace("TOKEN", token))
    later = shell.run(block("clock --advance"))
    assert later.strip()
    deadline = time.monotonic() + 60
    while '"blocked"' not in shell.run(second.replace("TOKEN", token)):
        assert time.monotonic() < deadline
    page = shell.run("curl -s http://127.0.0.1:8102/")
    assert "Costa Fibra" in page
    assert "ben" not in page.lower().split()
    status = shell.run("./demarc status", fails=True)
    assert "ok   processes" in status
