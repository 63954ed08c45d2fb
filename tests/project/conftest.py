"""A committed database for the tests of the API: its requests are real transactions, and some write apart from them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from tests.cluster import Cluster
from tests.project.api_scene import Program, partner, program

from demarc.base.models import Partner


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: Any, cluster: Cluster) -> Iterator[None]:
    """One database for a module, thrown away after it. Tests in it make partners of their own."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        cluster.fresh_database()


@pytest.fixture
def api() -> Program:
    """A program that may do everything."""
    return program("Super administrator")


@pytest.fixture
def isp() -> Partner:
    """A provider of the test's own."""
    return partner()
