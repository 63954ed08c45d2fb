"""What the operator decided: directories, ports and database addresses, from environment and flags.

Plain Python, so that the supervisor, the settings and the tests read the same values. It opens no connection
and imports no framework; the only files it reads are the secrets in the data directory.
"""

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from urllib.parse import quote

from demarc.core.errors import Refused

DATABASE = "demarc"
OWNER, APP, SCOPED, RADIUS = "demarc_owner", "demarc_app", "demarc_scoped", "demarc_radius"
WEB_PROCESSES_USUAL = 4  # at most, without being told
PROCESSES_MAX = 64
RADIUS_PROCESSES_MAX = 16
MAIN_NODE = "main"
NODE_LENGTH_MAX = 40
URL_SCHEMES = ("postgresql://", "postgres://")


@dataclass(frozen=True, kw_only=True)
class Config:
    """One running Demarc. `database_url` and its sisters are None where the private PostgreSQL serves."""

    data: Path
    web_bind: str = "127.0.0.1"
    web_port: int = 8000
    web_processes: int = 2
    radius_bind: str = "0.0.0.0"  # noqa: S104 - packets from addresses that are no NAS are dropped unanswered
    radius_auth_port: int = 1812
    radius_acct_port: int = 1813
    radius_processes: int = 1
    node: str = MAIN_NODE
    page_bind: str = "0.0.0.0"  # noqa: S104 - blocked customers come from the access network
    page_ports: tuple[int, ...] = (8101, 8102, 8103, 8104)
    database_url: str | None = None
    database_owner_url: str | None = None
    radius_database_url: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read DEMARC_*; an empty value counts as unset. Refuses (code "setting") a value that cannot be."""
        defaults = cls(data=default_data())
        given = {name: value for name, value in environ.items() if name.startswith("DEMARC_") and value}
        config = replace(
            defaults,
            data=_data(given, defaults.data),
            web_bind=_address(given, "DEMARC_WEB_BIND", defaults.web_bind),
            web_port=_port(given, "DEMARC_WEB_PORT", defaults.web_port),
            web_processes=_count(given, "DEMARC_WEB_PROCESSES", min(os.cpu_count() or 1, WEB_PROCESSES_USUAL)),
            radius_bind=_address(given, "DEMARC_RADIUS_BIND", defaults.radius_bind),
            radius_auth_port=_port(given, "DEMARC_RADIUS_AUTH_PORT", defaults.radius_auth_port),
            radius_acct_port=_port(given, "DEMARC_RADIUS_ACCT_PORT", defaults.radius_acct_port),
            radius_processes=_count(given, "DEMARC_RADIUS_PROCESSES", 1, at_most=RADIUS_PROCESSES_MAX),
            page_bind=_address(given, "DEMARC_PAGE_BIND", defaults.page_bind),
            page_ports=_ports(given, "DEMARC_PAGE_PORTS", defaults.page_ports),
            database_url=_url(given, "DEMARC_DATABASE_URL"),
            database_owner_url=_url(given, "DEMARC_DATABASE_OWNER_URL"),
            radius_database_url=_url(given, "DEMARC_RADIUS_URL"),
        )
        config = replace(config, node=_node(given, config.secret("node") or MAIN_NODE))
        if config.database_owner_url and not config.database_url:
            raise Refused(
                "DEMARC_DATABASE_OWNER_URL is set but DEMARC_DATABASE_URL is not; set both, or neither.",
                field="DEMARC_DATABASE_URL",
                code="setting",
            )
        return config

    def environment(self) -> dict[str, str]:
        """The DEMARC_* variables from which another process reads the same configuration."""
        variables = {
            "DEMARC_DATA": str(self.data),
            "DEMARC_WEB_BIND": self.web_bind,
            "DEMARC_WEB_PORT": str(self.web_port),
            "DEMARC_WEB_PROCESSES": str(self.web_processes),
            "DEMARC_RADIUS_BIND": self.radius_bind,
            "DEMARC_RADIUS_AUTH_PORT": str(self.radius_auth_port),
            "DEMARC_RADIUS_ACCT_PORT": str(self.radius_acct_port),
            "DEMARC_RADIUS_PROCESSES": str(self.radius_processes),
            "DEMARC_NODE": self.node,
            "DEMARC_PAGE_BIND": self.page_bind,
            "DEMARC_PAGE_PORTS": ",".join(map(str, self.page_ports)),
        }
        urls = {
            "DEMARC_DATABASE_URL": self.database_url,
            "DEMARC_DATABASE_OWNER_URL": self.database_owner_url,
            "DEMARC_RADIUS_URL": self.radius_database_url,
        }
        return variables | {name: url for name, url in urls.items() if url}

    @property
    def private_database(self) -> bool:
        """Whether Demarc runs a PostgreSQL of its own under the data directory."""
        return self.database_url is None and not self.joined

    @property
    def joined(self) -> bool:
        """Whether this is the data of a RADIUS node beside the first one (see `joining`): only radiusd runs."""
        return self.secret("node") is not None

    @property
    def web_tls(self) -> bool:
        """Whether the web speaks TLS: everywhere but on loopback."""
        return not ipaddress.ip_address(self.web_bind).is_loopback

    @property
    def web_url(self) -> str:
        """What to type into a browser on this machine."""
        address = ipaddress.ip_address(self.web_bind)
        host = "localhost" if address.is_unspecified else f"[{address}]" if address.version == 6 else str(address)
        return f"{'https' if self.web_tls else 'http'}://{host}:{self.web_port}/"

    @property
    def ready_word(self) -> str:
        """What is said once everything runs."""
        return f"RADIUS node {self.node}" if self.joined else self.web_url

    @property
    def run(self) -> Path:
        """Where running processes leave what `demarc status` reads."""
        return self.data / "run"

    @property
    def logs(self) -> Path:
        """What the processes said, one file each."""
        return self.data / "log"

    @property
    def keys(self) -> Path:
        """The key pairs of base.seal, outside the database and its backup."""
        return self.data / "keys"

    @property
    def socket(self) -> Path:
        """The directory of the private PostgreSQL's Unix socket."""
        return self.data / "pg" / "socket"

    def app_url(self) -> str:
        """Where web, worker and commands find the database."""
        return self.database_url or self.private_url(APP)

    def owner_url(self) -> str:
        """Where migrations find the database, as the owner of its tables."""
        if self.database_url:
            return self.database_owner_url or self.database_url
        return self.private_url(OWNER)

    def radius_url(self) -> str:
        """Where radiusd finds the database."""
        told = self.radius_database_url or self.secret("radius_url")
        if self.joined and told:
            return told
        if self.database_url:
            return self.radius_database_url or self.database_url
        return self.private_url(RADIUS)

    def private_url(self, role: str, database: str = DATABASE) -> str:
        """The private PostgreSQL through its socket; without a password as long as the role has none yet."""
        password = self.secret(f"database_{role}")
        login = f"{role}:{password}" if password else role
        return f"postgresql://{login}@/{database}?host={quote(str(self.socket), safe='')}"

    def secret(self, name: str) -> str | None:
        """A secret of this installation, or None when it has not been made yet."""
        try:
            return (self.data / "secrets" / name).read_text().strip()
        except OSError:
            return None

    def make_secret(self, name: str) -> str:
        """A secret of this installation, made at random (43 characters, URL-safe) and kept when it is new."""
        known = self.secret(name)
        if known:
            return known
        fresh = secrets.token_urlsafe(32)
        write_private(self.data / "secrets" / name, fresh)
        return fresh


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in a directory that only its owner may enter."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def default_data() -> Path:
    """/var/lib/demarc as root, else a directory in the user's data home."""
    if os.geteuid() == 0:
        return Path("/var/lib/demarc")
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(home) / "demarc"


def _data(given: Mapping[str, str], default: Path) -> Path:
    return Path(given.get("DEMARC_DATA", default)).expanduser().absolute()


def _address(given: Mapping[str, str], name: str, default: str) -> str:
    value = given.get(name, default)
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise _refuse(name, value, "must be an IP address such as 127.0.0.1 or 0.0.0.0") from None


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    return _ports(given, name, (default,), at_most=1)[0]


def _ports(given: Mapping[str, str], name: str, default: tuple[int, ...], at_most: int = 9) -> tuple[int, ...]:
    if name not in given:
        return default
    parts = given[name].split(",")
    if not all(_is_port(part) for part in parts) or len(set(parts)) != len(parts) or len(parts) > at_most:
        wanted = "a port from 1 to 65535" if at_most == 1 else "different ports from 1 to 65535 with commas between"
        raise _refuse(name, given[name], f"must be {wanted}")
    return tuple(map(int, parts))


def _count(given: Mapping[str, str], name: str, default: int, at_most: int = PROCESSES_MAX) -> int:
    value = given.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= at_most):
        raise _refuse(name, value, f"must be a number from 1 to {at_most}")
    return int(value)


def _node(given: Mapping[str, str], default: str) -> str:
    value = given.get("DEMARC_NODE", default)
    if len(value) > NODE_LENGTH_MAX or not value.isprintable() or set(value) & set("/ "):
        raise _refuse("DEMARC_NODE", value, f"must be a name of up to {NODE_LENGTH_MAX} letters without space or slash")
    return value


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535


def _url(given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not value.startswith(URL_SCHEMES):
        # The value is not shown: it may hold a password.
        raise Refused(f"{name} must begin with postgresql://.", field=name, code="setting")
    return value


def _refuse(name: str, value: str, wanted: str) -> Refused:
    return Refused(f"{name}={value}: {wanted}.", field=name, code="setting")
