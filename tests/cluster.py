"""A throw-away PostgreSQL for one test session: the wheel's, or Debian's when DEMARC_TEST_DATABASE=debian."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from demarc.project.config import APP, DATABASE, OWNER, RADIUS, Config
from demarc.project.postgres_binaries import debian_binaries
from demarc.project.private_postgres import PrivatePostgres
from demarc.project.roles import create_database, prepare_private

TEMPLATE = f"{DATABASE}_template"


@dataclass(frozen=True)
class Cluster:
    """A running server with Demarc's roles and, at first, an empty database `demarc`."""

    config: Config
    superuser_url: str

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        """The URL of one role (OWNER, APP, RADIUS) in one database."""
        return self.config.private_url(role, database)

    def environment(self, database: str = DATABASE) -> dict[str, str]:
        """The variables that point Demarc's settings and radiusd at this cluster, as at an external one."""
        return {
            "DEMARC_DATABASE_URL": self.url(APP, database),
            "DEMARC_DATABASE_OWNER_URL": self.url(OWNER, database),
            "DEMARC_RADIUS_URL": self.url(RADIUS, database),
        }

    def make_database(self, name: str, template: str = "template0") -> None:
        """Another database of demarc_owner's; `template=TEMPLATE` makes a migrated one."""
        with psycopg.connect(self.superuser_url, autocommit=True) as conn:
            create_database(conn, name, template)

    def keep_as_template(self) -> None:
        """Set the database aside as it is now, so that `fresh_database` can bring it back."""
        with psycopg.connect(self.superuser_url, autocommit=True) as conn:
            conn.execute(f"alter database {DATABASE} rename to {TEMPLATE}")
        self.fresh_database()

    def fresh_database(self) -> None:
        """Throw the database away, whoever is connected, and bring it back as it was when set aside."""
        with psycopg.connect(self.superuser_url, autocommit=True) as conn:
            conn.execute(f"drop database if exists {DATABASE} with (force)")
            create_database(conn, DATABASE, TEMPLATE)


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
