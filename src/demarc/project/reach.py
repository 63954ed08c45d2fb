"""Points a command's own process at the right database login, and says in one sentence when nobody answers there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError

from demarc.core.errors import Refused
from demarc.project.config import Config
from demarc.project.roles import connect


def use_database(login: str) -> Config:
    """Set this process's environment so that Django logs in as "app" or "owner".

    Returns the configuration as it was before: afterwards the owner would be taken for the app.
    """
    config = Config.from_environment()
    os.environ.update(config.environment())
    if login == "owner":
        os.environ["DEMARC_DATABASE_URL"] = config.owner_url()
    return config


@contextmanager
def loss_is_a_sentence() -> Iterator[None]:
    """Turn the loss of the database in the middle of a command into a refusal; what was not committed is undone."""
    try:
        yield
    except OperationalError as error:
        message = f"The database went away in the middle of the work: {' '.join(str(error).split())}"
        raise Refused(message, code="database") from error


def check_reachable(config: Config) -> None:
    """Refuse when nobody answers, saying what to do about it."""
    if not config.private_database:
        connect(config.app_url(), "DEMARC_DATABASE_URL").close()
    elif not (config.data / "pg" / "data").exists():
        raise Refused(f"There is no Demarc in {config.data}; demarc up makes one.", code="running")
    else:
        try:
            connect(config.app_url(), "the data directory").close()
        except Refused as refusal:
            message = f"Demarc does not run on {config.data}; start it with demarc up."
            raise Refused(message, code="running") from refusal
