"""Signing in with a second factor in a real browser: an app's code, a passkey, a proof anew, a session ended."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser.site import serving
from tests.staff.factors import App
from tests.staff.world import PASSWORD, person, world

from demarc.staff.models import Login, Session
from demarc.staff.sessions import PROVEN, SessionStore

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def site(committed: None) -> Iterator[str]:
    world()
    with serving() as base:
        yield base.replace("127.0.0.1", "localhost")  # passkeys want a name


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


def password_typed(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def entered(window: BrowserContext, site: str, name: str) -> Page:
    person("Super administrator", name)
    page = window.new_page()
    password_typed(page, site, name)
    page.wait_for_url(f"{site}/")
    return page


def logged_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/**")


def test_an_app_is_turned_on_and_asked_at_the_next_login(window: BrowserContext, site: str):
    page = entered(window, site, "ana")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("link", name="ana", exact=True).click()
    page.get_by_role("link", name="Logging in").first.click()
    page.goto(f"{site}/me/login/")
    page.get_by_role("link", name="Set up an app").click()
    box = page.locator("svg.qr").bounding_box()
    assert box is not None
    assert box["width"] == box["height"] > 200
    page.get_by_text("It cannot read it").click()
    app = App(page.locator(".how-to .code").inner_text())
    page.get_by_label("Code", exact=True).fill(app.shows(-1))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    codes = page.locator(".recovery-codes li").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 codes left")).to_be_visible()
    assert all(url.startswith((site, "data:")) for url in asked), "nothing is fetched from anywhere else"

    logged_out(page)
    password_typed(page, site, "ana")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(app.shows())
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site}/")

    logged_out(page)
    password_typed(page, site, "ana")
    page.get_by_label("Code", exact=True).fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site}/")


def test_a_passkey_is_added_and_used_at_the_next_login(window: BrowserContext, site: str):
    page = entered(window, site, "mara")
    devtools = window.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(f"{site}/me/login/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Front desk")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("cell", name="Front desk", exact=True)).to_be_visible()

    logged_out(page)
    password_typed(page, site, "mara")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/")

    page.goto(f"{site}/me/login/")
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("is removed")).to_be_visible()


def test_a_passkey_that_is_not_there_leaves_the_code_to_type(browser: Browser, window: BrowserContext, site: str):
    page = entered(window, site, "nora")
    devtools = window.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(f"{site}/me/login/passkeys/add/")
    page.get_by_role("button", name="Add it").click()
    code = page.locator(".recovery-codes li").first.inner_text()
    devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": made["authenticatorId"]})
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(f"{site}/me/login/")
    logged_out(page)
    password_typed(page, site, "nora")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("The browser gave no passkey").wait_for()
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site}/")


def test_an_old_proof_is_asked_anew_and_leads_on(window: BrowserContext, site: str):
    page = entered(window, site, "vera")
    page.goto(f"{site}/me/email/")
    store = Session.objects.get(login__username="vera")
    session = SessionStore(store.session_key)
    session[PROVEN] = "2026-01-01T00:00:00+00:00"
    session.save()
    page.get_by_label("E-mail address").fill("vera@example.com")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Nothing was done yet")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(f"{site}/me/email/")
    assert Login.objects.get(username="vera").email == ""
    page.get_by_label("E-mail address").fill("vera@example.com")
    page.get_by_role("button", name="Change it").click()
    page.get_by_text("is changed").wait_for()
    assert Login.objects.get(username="vera").email == "vera@example.com"


def test_another_browser_is_logged_out_from_here(browser: Browser, window: BrowserContext, site: str):
    page = entered(window, site, "zoe")
    elsewhere = browser.new_context()
    other = elsewhere.new_page()
    password_typed(other, site, "zoe")
    other.wait_for_url(f"{site}/")
    page.goto(f"{site}/me/sessions/")
    page.get_by_role("button", name="End the session of Chrome on Linux").click()
    page.get_by_text("It is ended.").wait_for()
    other.goto(f"{site}/customers/")
    assert "/login/" in other.url
    elsewhere.close()
