"""The blocking pages in a real browser: the policy lets the style in, nothing is cut off, and axe finds no fault."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.radiusd.pages_cast import ACTIVES_ADDRESS, CAUSES, Running, filled_model, running, session_row

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
BROWSERS_ADDRESS = "127.0.0.1"
SIZES = [(390, 844), (1440, 900), (320, 560)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    model = filled_model(
        name="Elektrizitätswerk und Breitbandversorgung Oberpfaffenhofen-Donaudampfschiffahrtsgesellschaft mbH",
        how_to_pay="IBAN DE12 3456 7890 1234 5678 90\n\nhttps://pay.example/top-up/with-a-very-long-address-that-must-break",
        colour="#ffd400",
        causes=CAUSES,
    )
    with running(tmp_path_factory.mktemp("data"), model) as pages:
        yield pages


def known_as(site: Running, subscriber: int | None) -> None:
    """The browser comes from loopback: give that address to somebody, or to nobody."""
    site.pages.follower.model.sessions.pop(BROWSERS_ADDRESS, None)
    if subscriber:
        site.pages.follower.model.put_sessions([session_row(50, subscriber, BROWSERS_ADDRESS)])


def opened(browser: Browser, site: Running, place: int, **context: object) -> Page:
    page = browser.new_context(viewport={"width": 390, "height": 844}, **context).new_page()
    page.goto(f"http://127.0.0.1:{site.port(place)}/hotspot-detect.html")
    return page


def test_the_debt_is_seen_and_the_policy_refuses_nothing(browser: Browser, site: Running):
    known_as(site, 101)
    page = browser.new_context(locale="cs-CZ").new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"http://127.0.0.1:{site.port(2)}/")
    assert page.locator("h1").inner_text() == "Váš internet je pozastavený"
    assert page.locator("strong").inner_text() == "12,40\xa0€"
    assert page.locator(".button").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 212, 0)"
    page.locator(".button").click()
    assert page.locator("h1").inner_text() == "Váš internet je pozastavený"
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "ru", "de"])
def test_no_page_needs_sideways_scrolling(browser: Browser, site: Running, language):
    page = browser.new_context(locale=language).new_page()
    for place in (1, 2, 3, 4):
        known_as(site, 101 if place == 2 else None)
        page.goto(f"http://127.0.0.1:{site.port(place)}/generate_204")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (place, width)
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_axe_finds_nothing(browser: Browser, site: Running, scheme, place):
    known_as(site, 101 if place == 2 else None)
    page = opened(browser, site, place, color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    assert [(each["id"], each["help"]) for each in found["violations"]] == []
    page.context.close()


def test_the_page_of_one_who_is_active_has_no_fault_either(browser: Browser, site: Running):
    assert "You are back online" in site.get(source=ACTIVES_ADDRESS)[1]
    known_as(site, 102)
    page = opened(browser, site, 2, bypass_csp=True)
    page.add_script_tag(path=AXE)
    assert page.evaluate("axe.run()")["violations"] == []
