"""Debian's FreeRADIUS as another provider's server: as the old one behind us, or as a proxy in front of us."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.installation import free_ports

COMMON = """
prefix = /usr
logdir = {directory}
raddbdir = /etc/freeradius/3.0
libdir = /usr/lib/freeradius
run_dir = {directory}
pidfile = {directory}/freeradius.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 1024
hostname_lookups = no
log {{
    destination = files
    file = {directory}/radius.log
    auth = yes
    auth_goodpass = no
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
}}
thread pool {{
    start_servers = 2
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
    max_requests_per_server = 0
    auto_limit_acct = no
}}
client all {{
    ipaddr = 127.0.0.0/8
    secret = "{secret}"
    require_message_authenticator = {signed}
}}
"""

SERVER = """
proxy_requests = no
modules {{
    always ok {{
        rcode = ok
    }}
    pap {{
    }}
    chap {{
    }}
    mschap {{
        use_mppe = yes
        require_encryption = yes
        require_strong = yes
    }}
    eap {{
        default_eap_type = md5
        timer_expire = 60
        max_sessions = 1024
        md5 {{
        }}
    }}
    files {{
        filename = {directory}/users
    }}
    detail {{
        filename = {directory}/detail
        permissions = 0600
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth}
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {acct}
    }}
    authorize {{
        chap
        mschap
        eap
        files
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
        Auth-Type CHAP {{
            chap
        }}
        Auth-Type MS-CHAP {{
            mschap
        }}
        eap
    }}
    preacct {{
    }}
    accounting {{
        detail
        ok
    }}
    post-auth {{
    }}
}}
"""

PROXY = """
proxy_requests = yes
proxy server {{
    default_fallback = no
}}
home_server demarc {{
    type = auth
    ipaddr = 127.0.0.1
    port = {behind}
    secret = "{secret}"
    response_window = 5
}}
home_server_pool pool {{
    type = fail-over
    home_server = demarc
}}
realm DEMARC {{
    auth_pool = pool
    nostrip
}}
modules {{
    always ok {{
        rcode = ok
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth}
    }}
    authorize {{
        update control {{
            &Proxy-To-Realm := "DEMARC"
        }}
    }}
    authenticate {{
    }}
    post-proxy {{
    }}
    post-auth {{
    }}
}}
"""


@dataclass
class FreeRadius:
    """A running one. `detail`: the accounting it was sent, as text."""

    process: subprocess.Popen[bytes]
    directory: Path
    auth: int
    acct: int

    def detail(self) -> str:
        path = self.directory / "detail"
        return path.read_text() if path.exists() else ""

    def log(self) -> str:
        path = self.directory / "radius.log"
        return path.read_text() if path.exists() else ""

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def available() -> bool:
    return shutil.which("freeradius") is not None


@contextmanager
def old_server(directory: Path, secret: str, users: str) -> Iterator[FreeRadius]:
    """One with these `users` (the text of its file), who log in by PAP, CHAP, MS-CHAP or EAP-MD5."""
    with _running(directory, SERVER, secret, users) as running:
        yield running


@contextmanager
def proxy(directory: Path, secret: str, behind: int) -> Iterator[FreeRadius]:
    """One that knows nobody and passes all logins on to the port `behind` on this machine, unsigned, as it comes."""
    with _running(directory, PROXY, secret, "", behind=behind) as running:
        yield running


@contextmanager
def _running(directory: Path, text: str, secret: str, users: str, behind: int = 0) -> Iterator[FreeRadius]:
    directory.mkdir(parents=True, exist_ok=True)
    auth, acct = free_ports(2, socket.SOCK_DGRAM)
    words = {
        "directory": directory, "secret": secret, "auth": auth, "acct": acct, "behind": behind, "signed": "no",
    }  # fmt: skip
    (directory / "users").write_text(users)
    (directory / "radiusd.conf").write_text((COMMON + text).format(**words))
    program = shutil.which("freeradius") or "/usr/sbin/freeradius"
    with (directory / "stdout.log").open("wb") as log:
        process = subprocess.Popen([program, "-f", "-d", str(directory)], stdout=log, stderr=log)
    running = FreeRadius(process, directory, auth, acct)
    try:
        until = time.monotonic() + 20
        while "Ready to process requests" not in (((directory / "radius.log").exists() and running.log()) or ""):
            assert process.poll() is None, (directory / "stdout.log").read_text() + running.log()
            assert time.monotonic() < until, running.log()
            time.sleep(0.05)
        yield running
    finally:
        running.stop()
