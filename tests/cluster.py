"""A throw-away PostgreSQL for one test session: the wheel's, or Debian's when DEMARC_TEST_DATABASE=debian."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from demarc.project.config import APP, OWNER, RADIUS, Config
from demarc.project.postgres_binaries import debian_binaries
from demarc.project.private_postgres import PrivatePostgres
from demarc.project.roles import create_database, prepare_private


@dataclass(frozen=True)
class Cluster:
    """A running server with Demarc's roles and an empty database `demarc`."""

    config: Config
    superuser_url: str

    def url(self, role: str, database: str = "demarc") -> str:
        """The URL of one role (OWNER, APP, RADIUS) in one database."""
        return self.config.private_url(role, database)

    def make_database(self, name: str) -> None:
        """Another empty database, owned by demarc_owner."""
        with psycopg.connect(self.superuser_url, autocommit=True) as conn:
            create_database(conn, name)

    def environment(self, database: str = "demarc") -> dict[str, str]:
        """The variables that point Demarc's settings and radiusd at this cluster, as at an external one."""
        return {
            "DEMARC_DATABASE_URL": self.url(APP, database),
            "DEMARC_DATABASE_OWNER_URL": self.url(OWNER, database),
            "DEMARC_DATABASE_RADIUS_URL": self.url(RADIUS, database),
        }


@contextmanager
def running_cluster(prefix: str = "demarc-test-") -> Iterator[Cluster]:
    """Start one, in about a second, and leave nothing behind."""
    data = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))  # short: a socket's path has a limit
    data.chmod(0o755)
    (data / "TEST").touch()
    binaries = debian_binaries() if os.environ.get("DEMARC_TEST_DATABASE") == "debian" else None
    server = PrivatePostgres(data, test=True, binaries=binaries)
    try:
        superuser_url = server.start()
        config = Config(data=data)
        prepare_private(superuser_url, config)
        yield Cluster(config, superuser_url)
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)
