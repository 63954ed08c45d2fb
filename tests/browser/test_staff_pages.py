"""Every staff page in a real browser: nothing serious for axe, no complaint in the console, nothing cut off."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests import cast
from tests.browser.site import serving
from tests.staff.world import PASSWORD, World, address, person, staff_pages, world

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.billing import actions as billing
from demarc.billing.models import Document, InvoiceRun, Promise, RecurringState

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}
NOT_PAGES = {
    "account_logout",
    "logo",
    "pay_preview",
    "customer_live",
    "preview_message_text",
    "preview_answers",
    "document_pdf",
    "run_progress",
    "remove_view",  # its keeper's alone
}
WIDE = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
NARROW_HEIGHT = 844
NARROW = {"viewport": {"width": 390, "height": NARROW_HEIGHT}, "color_scheme": "dark", "has_touch": True}
LONG = "Wolfeschlegelsteinhausenbergerdorff-Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch S.L. وشركاه"


@pytest.fixture(scope="module")
def place(committed: None) -> World:
    """One of everything, a customer with a very long name, and more rows than a page holds."""
    made = world()
    cast.customer(made.partner, LONG, at=clock.now(), email=f"{'long' * 15}@example.com")
    for number in range(55):
        cast.customer(made.partner, f"Customer {number}", at=clock.now())
    person("Super administrator", "ana")
    return made


@pytest.fixture(scope="module")
def site(place: World) -> Iterator[str]:
    with serving() as base:
        yield base


def entered(browser: Browser, site: str, **context: object) -> BrowserContext:
    """A browser window in which Ana has logged in."""
    opened = browser.new_context(**context)  # type: ignore[arg-type]
    page = opened.new_page()
    page.goto(f"{site}/login/")
    page.get_by_label("User name").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site}/")
    page.close()
    return opened


def faults(page: Page, url: str) -> list[str]:
    """What is wrong with one page as this window shows it."""
    answer = page.goto(url)
    wrong = answer is None or answer.status != 200
    return [*([f"status {answer and answer.status}"] if wrong else []), *faults_here(page)]


def faults_here(page: Page) -> list[str]:
    """What is wrong with the page that is shown."""
    said: list[str] = []
    if (over := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
        said.append(f"{over} px too wide")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    said += [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"][:3]
    ]
    return said


@pytest.mark.parametrize("window", [WIDE, NARROW], ids=["wide, light", "narrow, dark"])
def test_every_page_is_sound(browser: Browser, site: str, place: World, window: dict[str, object]):
    opened = entered(browser, site, **window)
    page, said = opened.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    pages = [address(one, place) for one in staff_pages() if one.name not in NOT_PAGES]
    pages += ["/customers/?q=nobody", f"/customers/{place.customer.pk + 1}/", "/customers/?page=2", "/not/there/"]
    found = {}
    for url in pages:
        said.clear()
        wrong = [one for one in [*faults(page, site + url), *said] if "/not/" not in url or "404" not in one]
        if wrong:
            found[url] = wrong
    opened.close()
    assert found == {}


def test_the_login_page_and_a_refused_form_are_sound(browser: Browser, site: str):
    page = browser.new_context(**NARROW).new_page()  # type: ignore[arg-type]
    assert faults(page, f"{site}/login/") == []
    opened = entered(browser, site, **NARROW)
    page = opened.new_page()
    page.goto(f"{site}/customers/new/")
    page.get_by_role("button", name="Add customer").click()
    expect(page.get_by_text("This field is required")).to_be_visible()
    assert page.evaluate("document.activeElement.name") == "name"
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [one["id"] for one in found if one["impact"] in SERIOUS] == []
    opened.close()


def test_a_list_is_walked_by_the_keyboard(browser: Browser, site: str, place: World):
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/customers/")
    page.keyboard.press("f")
    page.keyboard.type("Ana of")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/?q=Ana*")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{place.customer.pk}/")
    opened.close()


def test_slash_finds_everything_and_arrows_choose(browser: Browser, site: str, place: World):
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/plans/")
    page.keyboard.press("/")
    page.keyboard.type("Customer 1")
    page.locator("#found [data-hit]").first.wait_for()
    assert page.locator("#found [data-hit]").count() > 1
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator("#found [data-hit]").nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{second}")
    page.keyboard.press("/")
    page.keyboard.type("600 111")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{place.customer.pk}/")
    opened.close()


def test_rows_are_selected_by_x_and_the_bar_says_how_many(browser: Browser, site: str):
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/customers/?q=customer")
    for key in "jxjx":
        page.keyboard.press(key)
    assert page.get_by_text("2 selected").is_visible()
    page.get_by_role("button", name="Block", exact=True).click()
    page.get_by_role("heading", name="What will happen to 2 customers").wait_for()
    assert faults(page, page.url) == []
    opened.close()


def test_a_payment_shows_what_it_will_do_and_a_double_click_does_it_once(browser: Browser, site: str, place: World):
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/accounts/{place.account.pk}/pay/")
    page.get_by_label("Amount").press_sequentially("12.50")
    page.get_by_text("The account has").wait_for()
    assert "32.50" in page.locator("#preview").inner_text()
    page.get_by_role("button", name="Add payment").dblclick()
    page.get_by_text("Received 12.50").wait_for()
    expect(page.get_by_role("cell", name="12.50")).to_have_count(2)  # the ledger's line and the payment's row
    opened.close()


def test_what_was_typed_is_not_left_behind_unasked(browser: Browser, site: str):
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/customers/new/")
    page.get_by_label("Name").press_sequentially("Half a name")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Plans").click()
    assert asked == ["beforeunload"]
    assert page.get_by_label("Name").input_value() == "Half a name"
    opened.close()


def test_colours_are_chosen_without_a_flash_and_kept(browser: Browser, site: str):
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/customers/")
    page.get_by_role("button", name="Dark").click()
    page.goto(f"{site}/plans/")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(25, 28, 32)"
    page.get_by_role("button", name="As the system").click()
    assert page.locator("html").get_attribute("data-bs-theme") is None
    opened.close()


def test_a_live_part_fetches_itself_and_goes_grey_when_nobody_answers(browser: Browser, site: str, place: World):
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.clock.install()
    page.goto(f"{site}/customers/{place.customer.pk}/")
    live = page.locator("#live")
    with page.expect_response("**/live/") as fetched:
        page.clock.run_for(5500)
    assert fetched.value.status == 200
    assert "stale" not in (live.get_attribute("class") or "")
    page.route("**/live/", lambda route: route.abort())
    page.clock.run_for(21_000)
    expect(live).to_have_class(re.compile("stale"))
    assert "ana0" in live.inner_text()
    opened.close()


def test_money_is_taken_without_any_script(browser: Browser, site: str, place: World):
    opened = entered(browser, site, java_script_enabled=False, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/customers/{place.customer.pk}/")
    page.get_by_role("link", name="Add payment").first.click()
    page.get_by_label("Amount").fill("1.00")
    page.get_by_role("button", name="Add payment").click()
    expect(page.get_by_text("Received 1.00")).to_be_visible()
    opened.close()


def test_this_month_s_documents_are_issued_in_four_clicks_from_the_dashboard(browser: Browser, site: str, place: World):
    account = Document.objects.get(pk=place.papers["document_id"]).account
    RecurringState.objects.filter(account=account).update(next_on=clock.today("UTC"))
    opened = entered(browser, site, **WIDE)
    page = opened.new_page()
    page.goto(f"{site}/")
    page.get_by_text(re.compile("(is|are) due, of [0-9]+ account")).get_by_role("link", name="Look").click()
    page.get_by_role("button", name="Compute the preview").click()
    expect(page.get_by_text("Rita of")).to_be_visible()
    page.get_by_role("button", name=re.compile("Issue [0-9]+ document")).click()
    page.get_by_text("The documents are being issued.").wait_for()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    run = InvoiceRun.objects.latest("id")
    billing.work_run(run.pk, by=SYSTEM, at=clock.now())
    page.get_by_text("What was shown is what was issued.").wait_for()  # the page asked by itself
    page.get_by_role("link", name="Show the documents").click()
    expect(page.get_by_role("link", name=Document.objects.filter(run=run)[0].number)).to_be_visible()
    opened.close()


def test_why_somebody_is_blocked_is_found_without_help(browser: Browser, site: str, place: World):
    day = clock.today("UTC")
    then = clock.now() - timedelta(days=2)
    account = cast.subscriber(place.partner, place.scene.plan, name="Bruno Blocked", at=then)
    billing.open_day(place.partner.pk, day=day - timedelta(days=1), by=SYSTEM, at=then + timedelta(days=1))
    opened = entered(browser, site, **NARROW)
    page = opened.new_page()
    page.goto(f"{site}/customers/?q=Bruno")
    page.get_by_role("link", name="Bruno Blocked").click()
    why = page.get_by_role("region", name="Why blocked")
    shown = why.bounding_box()
    assert shown is not None
    assert shown["y"] < NARROW_HEIGHT  # on the first screen of a phone
    assert "brings access back" in why.inner_text()
    expect(why.get_by_text("Your access returns within seconds")).to_be_hidden()
    why.get_by_text("What we would tell him").click()
    expect(why.get_by_text("Your access returns within seconds")).to_be_visible()
    why.get_by_role("link", name="The day that blocked").click()
    page.get_by_text("So access was blocked").wait_for()
    expect(page.get_by_text("What the day would have cost")).to_be_visible()
    assert page.url.endswith(f"/accounts/{account.pk}/days/{day - timedelta(days=1)}/")
    assert faults_here(page) == []
    opened.close()


def test_a_promise_to_pay_is_three_clicks_from_the_list_of_customers(browser: Browser, site: str, place: World):
    opened = entered(browser, site, **NARROW)
    page = opened.new_page()
    page.goto(f"{site}/customers/?q=Larry+of")
    page.get_by_role("link", name=re.compile("Larry of")).click()
    owing = page.get_by_role("region", name=re.compile("Why blocked|Open documents"))
    assert "it counts" in owing.inner_text()
    owing.get_by_role("link", name="Promise to pay").click()
    page.get_by_role("button", name="Record promise").click()
    page.get_by_text("He is left alone until the end of").wait_for()
    expect(page.get_by_text("A promise or a grace keeps access until the end of")).to_be_visible()
    assert Promise.objects.filter(account=place.late.account, ended_at=None).count() == 1
    opened.close()


def test_a_change_of_plan_shows_its_cost_before_it_is_made(browser: Browser, site: str, place: World):
    held = Document.objects.get(pk=place.papers["document_id"]).account.services.get()
    opened = entered(browser, site, **NARROW)
    page = opened.new_page()
    page.goto(f"{site}/services/{held.pk}/plan/")
    page.locator("#id_plan_id").select_option(str(place.scene.plan.pk))
    page.get_by_role("button", name="Show what it costs").click()
    page.get_by_text("The new speeds hold at once.").wait_for()
    assert faults_here(page) == []
    page.get_by_role("button", name="Change plan").click()
    page.get_by_text("The plan is changed; the routers are told.").wait_for()
    held.refresh_from_db()
    assert held.plan_id == place.scene.plan.pk
    opened.close()


@pytest.mark.parametrize("window", [WIDE, NARROW], ids=["wide, light", "narrow, dark"])
def test_the_figures_of_what_if_are_sound(browser: Browser, site: str, place: World, window: dict[str, object]):
    opened = entered(browser, site, **window)
    page = opened.new_page()
    page.goto(f"{site}/what-if/")
    page.locator("#id_plan_id").select_option(index=1)
    page.get_by_label("Its price a month").fill("50.00")
    page.get_by_role("button", name="Show the figures").click()
    page.get_by_role("cell", name="Billed in all").wait_for()
    expect(page.get_by_role("heading", name="would be billed another amount")).to_be_visible()
    assert faults_here(page) == []
    opened.close()


def test_tonight_is_told_from_the_runs(browser: Browser, site: str, place: World):
    opened = entered(browser, site, **NARROW)
    page = opened.new_page()
    page.goto(f"{site}/runs/")
    page.get_by_role("link", name="What will happen tonight").click()
    told = page.get_by_text("Prepaid days charged").locator("xpath=following-sibling::dd[1]").inner_text()
    assert told.startswith("1, ")
    assert told.endswith("EUR")
    opened.close()
