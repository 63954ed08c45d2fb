"""The database of the tests: a PostgreSQL of this session's own, migrated by the owner and used as demarc_app."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.signals import request_finished
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings
from psycopg.pq import TransactionStatus
from tests.cluster import Cluster, running_cluster

from demarc.base.confinement import LEAVE
from demarc.base.seal import make_keys, make_signing_keys
from demarc.base.vault import AUDIENCES, SIGNER
from demarc.project.config import OWNER
from demarc.project.roles import apply_grants
from demarc.project.settings import database

# A property is right or wrong however busy the machine is; pytest's own timeout stops one that hangs.
hypothesis_settings.register_profile("demarc", deadline=None)
hypothesis_settings.load_profile("demarc")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The session's PostgreSQL; `cluster.url(RADIUS)` and `cluster.environment()` are for programs of their own."""
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def django_db_setup(cluster: Cluster, django_db_blocker: Any) -> Iterator[None]:
    """Instead of pytest-django's own: the app's role may neither create tables nor truncate them."""
    settings.DEMARC_KEYS = cluster.config.data / "keys"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Argon2 is slow by intention
    for audience in AUDIENCES:
        make_keys(settings.DEMARC_KEYS, audience)
    make_signing_keys(settings.DEMARC_KEYS, SIGNER)
    settings.DEMARC_SEALS = cluster.config.data / "seals"
    with django_db_blocker.unblock():
        point_django_at(cluster.url(OWNER))
        call_command("migrate", verbosity=0)
        with psycopg.connect(cluster.url(OWNER)) as conn:
            apply_grants(conn)
        connections.close_all()
        cluster.keep_as_template()
        point_django_at(cluster.url())

    def bring_back(self: TransactionTestCase) -> None:
        connections.close_all()
        cluster.fresh_database()

    with pytest.MonkeyPatch.context() as patch:
        # A test that commits gets the whole database anew: rows that may never be changed cannot be flushed away.
        patch.setattr(TransactionTestCase, "_fixture_teardown", bring_back)
        yield
    connections.close_all()


@pytest.fixture(scope="session", autouse=True)
def roles_end_with_requests() -> Iterator[None]:
    """Where a test's transaction goes on after a request of it, the role does not: as at the request's commit."""

    def leave(**_: Any) -> None:
        under = connections["default"].connection
        if under is not None and under.info.transaction_status == TransactionStatus.INTRANS:
            under.execute(LEAVE)

    request_finished.connect(leave)
    yield
    request_finished.disconnect(leave)


@pytest.fixture(scope="module")
def committed(cluster: Cluster, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """One database for a whole module, whose tests commit and share it with programs; thrown away after the last."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        cluster.fresh_database()


@pytest.fixture
def pages(db: None) -> Iterator[None]:
    """For tests that are rolled back: what is written apart goes over the one connection there is, and is seen."""
    apart = connections["apart"]
    connections["apart"] = connections["default"]
    yield
    connections["apart"] = apart


def point_django_at(url: str) -> None:
    """Change the connections in place, for Django has its own references to these dictionaries."""
    connections.close_all()
    for alias in settings.DATABASES:
        given = database(url)
        connections[alias].settings_dict.update({name: given[name] for name in given if name != "ATOMIC_REQUESTS"})
