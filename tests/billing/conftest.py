"""What the tests of money's pages share: a provider with one of everything, and who looks at it."""

import pytest
from django.test import Client
from tests.staff.world import World, logged_in, person, world


@pytest.fixture
def place(pages: None) -> World:
    return world()


@pytest.fixture
def client(place: World) -> Client:
    return logged_in(person("Financial manager", "fina"))
