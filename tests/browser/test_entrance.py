"""Coming in and going out by the pages."""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.support import PASSWORD
from tests.support.axe import complaints
from tests.support.server import RunningServer


def test_the_printed_link_makes_the_administrator_once(server: RunningServer, visit: Visit) -> None:
    """The first visitor with the printed link becomes administrator, names the site and goes through the first steps,
    by keyboard where buttons are; then the link is dead, and the steps are still there."""
    root = visit(server.url)
    page = root.page("/")
    expect(page.get_by_text("Open the set-up link")).to_be_visible()
    page.goto(server.setup_url)
    page.get_by_label("Your name").fill("Root")
    page.get_by_label("E-mail address").fill("root@example.org")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Name of the site").fill("Kino")
    page.get_by_role("button", name="Create account").click()
    assert page.get_by_label("Password", exact=True).evaluate("input => input.validity.tooShort")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(server.url + "/setup/policy")
    expect(page.locator(".brand__name")).to_have_text("Kino")
    expect(page.get_by_role("radio", name="Private home")).to_be_checked()
    page.get_by_role("radio", name=re.compile("^Community")).check()
    page.keyboard.press("Enter")
    page.wait_for_url(server.url + "/setup/storage")
    expect(page.locator("#f-s3_bucket")).to_be_hidden()
    page.get_by_role("radio", name=re.compile("^In a bucket")).check()
    expect(page.locator("#f-s3_bucket")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("radio", name=re.compile("^Community"))).to_be_checked()
    page.goto(server.url + "/setup/storage")
    for step in ("mail", "models", "done"):
        page.get_by_role("link", name=re.compile("^(Skip|Go on)$")).focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"{server.url}/setup/{step}")
    page.set_viewport_size({"width": 360, "height": 800})
    for step in ("policy", "storage", "mail", "models", "done"):
        page.goto(f"{server.url}/setup/{step}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, step
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert complaints(page) == [], f"{step}, {scheme}"
    page.get_by_role("link", name="Upload your first video").click()
    page.wait_for_url(server.url + "/upload")
    page.goto(server.url + "/admin/moderation")
    expect(page.get_by_role("radio", name=re.compile("^Community"))).to_be_checked()
    assert httpx.get(server.setup_url).status_code == 404


def test_a_wrong_password_is_explained_and_nothing_typed_is_lost(site: RunningServer, visit: Visit) -> None:
    """After a refusal the address still stands in the form and the password field has the focus."""
    guest = visit(site.url)
    page = guest.page("/login")
    page.get_by_label("E-mail address").fill("alice@example.org")
    page.get_by_label("Password", exact=True).fill("not her password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    expect(page.get_by_label("E-mail address")).to_have_value("alice@example.org")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    assert [t for t in guest.troubles if "401" not in t] == []
    guest.troubles.clear()


def test_whoever_is_sent_to_sign_in_comes_back(site: RunningServer, visit: Visit) -> None:
    """A page that needs an account leads to the sign-in page, and from there back to itself."""
    guest = visit(site.url)
    page = guest.page("/studio?done=saved")
    page.wait_for_url("**/login?next=**")
    page.get_by_label("E-mail address").fill("alice@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(site.url + "/studio?done=saved")
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"]
)
def test_no_link_leads_a_signed_in_person_elsewhere(site: RunningServer, visit: Visit, elsewhere: str) -> None:
    """`next` only ever names a page of this site."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page(f"/login?next={quote(elsewhere)}")
    assert page.url == site.url + "/"


def test_signing_out_ends_the_session(site: RunningServer, visit: Visit) -> None:
    """The account menu signs out; the studio is closed from then on."""
    bob = visit(site.url).sign_in("bob@example.org")
    page = bob.page("/")
    page.get_by_role("button", name="Account: Bob").click()
    expect(page.get_by_role("link", name="Upload")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("banner").get_by_role("link", name="Sign in")).to_be_visible()
    page.goto(site.url + "/studio")
    page.wait_for_url("**/login?next=**")


def test_a_viewer_is_told_that_uploading_is_not_theirs(site: RunningServer, visit: Visit) -> None:
    """A role that is too low gives a page with words, not a bare status."""
    bob = visit(site.url).sign_in("bob@example.org")
    page = bob.page("/upload")
    expect(page.get_by_role("heading", level=1)).to_contain_text("not yours to do")
    expect(page.get_by_role("button", name="Account: Bob")).to_be_visible()
    assert [t for t in bob.troubles if "403" not in t] == []
    bob.troubles.clear()


def test_the_theme_is_remembered(site: RunningServer, visit: Visit) -> None:
    """The choice of light or dark is in the next page from its first byte, so nothing flashes."""
    guest = visit(site.url)
    page = guest.page("/")
    page.get_by_role("button", name="Menu").click()
    toggle = page.get_by_role("button", name="Appearance")
    expect(toggle).to_contain_text("System")
    toggle.click()
    toggle.click()
    expect(toggle).to_contain_text("Dark")
    answer = guest.context.request.get(site.url + "/search").text()
    assert 'data-theme="dark"' in answer
