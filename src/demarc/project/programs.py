"""The one table of the processes that make a running Demarc, besides the database; knows how each is called."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from demarc.project.certificate import certificate_paths
from demarc.project.config import Config

WEB_THREADS = 4
URLS = ("DEMARC_DATABASE_URL", "DEMARC_DATABASE_OWNER_URL", "DEMARC_RADIUS_URL")


@dataclass(frozen=True)
class Program:
    """A process: its name in `status`, what follows `python -m`, and the one database login it is given."""

    name: str
    arguments: tuple[str, ...]
    login: str = "app"

    @property
    def command(self) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-m", *self.arguments]


def programs(config: Config) -> list[Program]:
    """What runs, in the order of starting."""
    radiusd = Program("radiusd", ("demarc.radiusd",), login="radius")
    if config.joined:
        return [radiusd]
    return [
        radiusd,
        Program("pages", ("demarc.radiusd.pages",), login="radius"),
        Program("web", _granian(config)),
        Program("now", ("demarc.project.cli", "worker", "now")),
        Program("later", ("demarc.project.cli", "worker", "run", "slow")),
    ]


def environment(config: Config, login: str) -> Mapping[str, str]:
    """The variables of one process: all of the configuration, and of the database logins only its own."""
    variables = {name: value for name, value in os.environ.items() if name not in URLS} | config.environment()
    for name in URLS:
        variables.pop(name, None)
    if login == "radius":
        variables["DEMARC_RADIUS_URL"] = config.radius_url()
        variables["DEMARC_KEYS"] = str(config.keys)
    elif config.database_url:
        variables["DEMARC_DATABASE_URL"] = config.database_url
    return variables


def _granian(config: Config) -> tuple[str, ...]:
    arguments = [
        "granian",
        "--interface=wsgi",
        "--no-ws",
        f"--host={config.web_bind}",
        f"--port={config.web_port}",
        f"--workers={config.web_processes}",
        f"--blocking-threads={WEB_THREADS}",
        "--respawn-failed-workers",
        "--workers-kill-timeout=4",
        "--log-level=warning",
    ]
    if config.web_tls:
        certificate, key = certificate_paths(config)
        arguments += [f"--ssl-certificate={certificate}", f"--ssl-keyfile={key}"]
    return (*arguments, "demarc.project.wsgi:application")
