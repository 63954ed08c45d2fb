"""What the benchmarks stand on: a real PostgreSQL (fsync on) from the wheel, with Demarc's schema."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
import psycopg

from demarc.base.seal import make_keys
from demarc.project.config import Config
from demarc.project.private_postgres import PrivatePostgres
from demarc.project.roles import apply_grants, create_database, prepare_private

AUDIENCES = ("radius", "log")


@dataclass
class Stage:
    """A data directory with its running, migrated database; Django in this process is pointed at it."""

    config: Config
    superuser_url: str

    def database(self, name: str) -> str:
        """Another database on the same server; its owner's URL."""
        with psycopg.connect(self.superuser_url, autocommit=True) as conn:
            create_database(conn, name)
        return self.config.private_url("demarc_owner", name)

    def environment(self, **more: str) -> dict[str, str]:
        """For processes of Demarc's on this stage."""
        return os.environ | self.config.environment() | {"DEMARC_RADIUS_URL": self.config.radius_url()} | more


@contextmanager
def stage(*, durable: bool = True) -> Iterator[Stage]:
    """Set it up in a few seconds, and leave nothing behind. Once per process, since Django is set up once.

    `durable=False` waits for no disk: for campaigns that look at what is right and not at what it costs."""
    data = Path(tempfile.mkdtemp(prefix="demarc-bench-", dir="/tmp"))
    data.chmod(0o755)
    (data / "TEST").touch()
    server = PrivatePostgres(data, test=not durable)
    try:
        superuser_url = server.start()
        config = Config(data=data)
        prepare_private(superuser_url, config)
        for audience in AUDIENCES:
            make_keys(config.keys, audience)
        for name in [name for name in os.environ if name.startswith("DEMARC_")]:
            del os.environ[name]
        os.environ["DEMARC_DATA"] = str(data)
        os.environ["DJANGO_SETTINGS_MODULE"] = "demarc.project.settings"
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        owner = {"DEMARC_DATABASE_URL": config.owner_url(), "DEMARC_DATABASE_OWNER_URL": config.owner_url()}
        subprocess.run(migrate, env=os.environ | owner, check=True)
        with psycopg.connect(config.owner_url()) as conn:
            apply_grants(conn)
        django.setup()
        yield Stage(config, superuser_url)
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


def flags() -> dict[str, bool]:
    """The flags of this program: quick, as_json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds, done within four minutes")
    parser.add_argument("--json", action="store_true", dest="as_json", help="the figures as JSON in the last line")
    return vars(parser.parse_args())


def median(figures: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(figures)


def spread(figures: Sequence[float]) -> str:
    """The median with the least and the most, for the table."""
    return f"{median(figures):,.0f} [{min(figures):,.0f} - {max(figures):,.0f}]"


def conclude(rows: Sequence[tuple[str, str, str]], figures: dict[str, object], *, as_json: bool) -> None:
    """Print the table (figure, measured, wanted) and, when asked, the figures as one JSON object in the last line."""
    width = max(len(name) for name, *_ in rows)
    for name, measured, wanted in rows:
        print(f"{name:<{width}}  {measured:<44} {wanted}")
    if as_json:
        print(json.dumps(figures | {"load_1min": os.getloadavg()[0], "cores": os.cpu_count()}))
