"""Points a command's own process at the right database login, and says in one sentence when nobody answers there."""

import os

from demarc.core.errors import Refused
from demarc.project.config import Config
from demarc.project.roles import connect


def use_database(login: str) -> Config:
    """Set this process's environment so that Django logs in as "app" or "owner"; refuses when it cannot.

    The configuration as it was before, for one that logs in as the owner takes the owner for the app.
    """
    config = Config.from_environment()
    os.environ.update(config.environment())
    url = config.owner_url() if login == "owner" else config.app_url()
    if config.private_database:
        if not (config.data / "pg" / "data").exists():
            raise Refused(f"There is no Demarc in {config.data}; demarc up makes one.", code="running")
        try:
            connect(url, "the data directory").close()
        except Refused as refusal:
            message = f"Demarc does not run on {config.data}; start it with demarc up. ({refusal.message})"
            raise Refused(message, code="running") from refusal
    else:
        connect(url, "DEMARC_DATABASE_OWNER_URL" if login == "owner" else "DEMARC_DATABASE_URL").close()
    if login == "owner":
        os.environ["DEMARC_DATABASE_URL"] = url
    return config
