"""FreeRADIUS 3.2 on PostgreSQL as the peer of bench/radius.py: makes its database, configuration and process."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg

DEBIAN = Path("/etc/freeradius/3.0/mods-config/sql")
SQL, FILES = (Path(__file__).parent / "freeradius" / name for name in ("radiusd.conf", "files.conf"))
SECRET = "testing123"
REPLY = [
    ("Service-Type", "Framed-User"),
    ("Framed-Protocol", "PPP"),
    ("Mikrotik-Rate-Limit", "10M/50M"),
    ("Session-Timeout", "86400"),
    ("Acct-Interim-Interval", "300"),
]


class User(NamedTuple):
    """One who logs in. `device`: his MAC; `prefix`: his IPv6 for good."""

    login: str
    password: str
    device: str
    prefix: str


def libpq_words(url: str) -> str:
    """The URL as libpq's own "key=value" words, which FreeRADIUS hands on."""
    words = psycopg.conninfo.conninfo_to_dict(url)
    return " ".join(f"{key}={value}" for key, value in words.items())


def fill_database(url: str, users: list[User], addresses: int) -> None:
    """Debian's schema, the users with one group, and `addresses` free ones in one pool."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute((DEBIAN / "main/postgresql/schema.sql").read_text())
        conn.execute((DEBIAN / "ippool/postgresql/schema.sql").read_text())
        with conn.cursor() as cursor:
            with cursor.copy("COPY radcheck (username, attribute, op, value) FROM STDIN") as copy:
                for login, password, *_ in users:
                    copy.write_row((login, "Cleartext-Password", ":=", password))
            with cursor.copy("COPY radusergroup (username, groupname, priority) FROM STDIN") as copy:
                for login, *_ in users:
                    copy.write_row((login, "plan", 1))
        conn.execute("INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES ('plan','Pool-Name',':=','p')")
        for attribute, value in REPLY:
            conn.execute(
                "INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES ('plan', %s, ':=', %s)",
                (attribute, value),
            )
        refill_pool(conn, addresses)
        conn.execute("VACUUM ANALYZE")


def refill_pool(conn: psycopg.Connection, addresses: int) -> None:
    """All addresses free again, so that each request takes a fresh one."""
    conn.execute("TRUNCATE radippool")
    conn.execute(
        "INSERT INTO radippool (pool_name, framedipaddress, expiry_time) "
        "SELECT 'p', '10.0.0.0'::inet + n, now() - interval '1 day' FROM generate_series(1, %s) AS n",
        (addresses,),
    )
    conn.execute("VACUUM ANALYZE radippool")


@dataclass
class Peer:
    """A running FreeRADIUS."""

    directory: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it and wait."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_sql(directory: Path, url: str, auth_port: int, acct_port: int) -> Peer:
    """FreeRADIUS on its database; RuntimeError when it does not come up."""
    directory.mkdir(parents=True, exist_ok=True)
    queries = (DEBIAN / "ippool/postgresql/queries.conf").read_text()
    queries = queries.replace('#skip_locked = "SKIP LOCKED"', 'skip_locked = "SKIP LOCKED"', 1)
    queries = queries.replace('\nskip_locked = ""', "\n", 1)
    (directory / "ippool-queries.conf").write_text(queries)
    return _start(directory, SQL, DATABASE=libpq_words(url), AUTH_PORT=auth_port, ACCT_PORT=acct_port)


def start_files(directory: Path, users: Iterable[User], auth_port: int) -> Peer:
    """FreeRADIUS answering from memory: device, addresses and a Class of our length in each user's entry."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "users").open("w") as file:
        for number, user in enumerate(users):
            file.write(
                f'{user.login} Cleartext-Password := "{user.password}", Calling-Station-Id == "{user.device}"\n'
                f"\tFramed-IP-Address = 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255},\n"
                f"\tFramed-IPv6-Prefix = {user.prefix},\n\tClass = 0x{number:038x},\n\tFall-Through = Yes\n"
            )
        reply = ",\n\t".join(f'{name} = "{value}"' for name, value in REPLY)
        file.write(f"DEFAULT Cleartext-Password =* ANY\n\t{reply}\n")
    return _start(directory, FILES, AUTH_PORT=auth_port)


def _start(directory: Path, template: Path, **words: object) -> Peer:
    text = template.read_text()
    words |= {"DIR": directory, "SECRET": SECRET}
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    (directory / "radiusd.conf").write_text(text)
    (directory / "radius.log").unlink(missing_ok=True)
    program = shutil.which("freeradius") or "/usr/sbin/freeradius"
    log = (directory / "stdout.log").open("wb")
    environment = os.environ | {"LC_ALL": "C"}
    process = subprocess.Popen([program, "-f", "-d", str(directory)], stdout=log, stderr=log, env=environment)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        log_file = directory / "radius.log"
        if log_file.exists() and "Ready to process requests" in log_file.read_text():
            return Peer(directory, process)
        time.sleep(0.1)
    raise RuntimeError(f"FreeRADIUS did not start; see {directory}/radius.log and stdout.log")
