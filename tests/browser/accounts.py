"""What the tests of the pages about accounts share."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page

from tests.browser.support import PASSWORD
from tests.support.server import RunningServer

OTHER = "staple battery horse"
MAIL_SECONDS = 150


def mailed(site: RunningServer, email: str, path: str) -> str:
    """The newest link to `path` in a mail to `email`, as it was printed: path and query."""
    deadline = time.monotonic() + MAIL_SECONDS
    link = re.compile(rf"^To: {re.escape(email)}$(?:(?!^To: ).)*?{re.escape(site.url + path)}\?(\S+)", re.M | re.S)
    while not (found := link.findall(site.output)):
        assert time.monotonic() < deadline, site.output
        time.sleep(0.05)
    return f"{path}?{found[-1]}"


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill the sign-in form and send it."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def make_administrator(page: Page, site: RunningServer, name_of_site: str) -> None:
    """As the first visitor of a new site does: by the link that was printed at its start, to the first steps."""
    page.goto(site.setup_url)
    page.get_by_label("Your name").fill("Root")
    page.get_by_label("E-mail address").fill("root@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Name of the site").fill(name_of_site)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(site.url + "/setup/policy")


def forgive(visitor_troubles: list[str], *statuses: str) -> None:
    """Refusals that were meant are no trouble."""
    assert [one for one in visitor_troubles if not any(status in one for status in statuses)] == []
    visitor_troubles.clear()
