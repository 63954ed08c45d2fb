"""The browser of a module's tests."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, expect, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; Django would think that its queries here are made inside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=30_000)  # a click returns before the page it leads to is there: look until it is
    with sync_playwright() as play:
        launched = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()
        connections.close_all()  # those of that loop: nobody else sees them, and their database is about to go
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
