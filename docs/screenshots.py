"""Takes README's pictures from a running demo: the customer page, the dashboard, a phone.

    ./demarc up --demo                       # prints the login
    python docs/screenshots.py --user admin --password ... [--url http://127.0.0.1:8000]

Needs Chromium and the development requirements. A page with no session on is a poor picture, so a prepaid
customer who is online is taken.
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
SETTLED_MS = 500


def main() -> None:
    """Log in, find a customer, and write the pictures into docs/images."""
    parser = argparse.ArgumentParser(description="Take README's screenshots from a running demo.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the demo runs")
    parser.add_argument("--user", required=True, help="a user name that the demo printed")
    parser.add_argument("--password", required=True)
    parser.add_argument("--out", type=Path, default=IMAGES, help="where the pictures go")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = entered(browser, asked.url, asked.user, asked.password, WIDE)
        customer = customer_online(page, asked.url)
        take(page, customer, asked.out / "customer.png")
        take(page, f"{asked.url}/", asked.out / "dashboard.png")
        take(page, f"{asked.url}/sessions/", asked.out / "sessions.png")
        phone = entered(browser, asked.url, asked.user, asked.password, NARROW)
        take(phone, customer, asked.out / "customer-phone.png")
        browser.close()


def entered(browser: Browser, url: str, user: str, password: str, size: dict[str, int]) -> Page:
    """A window of this size in which the user has logged in."""
    page = browser.new_context(viewport=size, ignore_https_errors=True, device_scale_factor=1).new_page()
    page.goto(f"{url}/login/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{url}/")
    return page


def customer_online(page: Page, url: str) -> str:
    """The page of a prepaid customer with a session, else of the first in the list."""
    for path, words in (("/customers/?status=active&billing=prepaid", "Online"), ("/customers/", "")):
        page.goto(f"{url}{path}")
        links = page.locator("table[data-list] tbody tr", has_text=words).locator("td.first a")
        if links.count():
            return f"{url}{links.first.get_attribute('href')}"
    raise SystemExit(f"{url} has no customer: start it with --demo")


def take(page: Page, url: str, file: Path) -> None:
    """One picture of what is above the fold."""
    page.goto(url)
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=file)
    print(file)  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
