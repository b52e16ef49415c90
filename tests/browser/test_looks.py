"""How the pages look and sound: every width, light and dark, by the rules of WCAG 2.2 AA, without a complaint."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.support import PATIENCE, bunny, until
from tests.support.axe import COLOURS, complaints
from tests.support.server import RunningServer

WIDTHS = (360, 768, 1440)
PICTURES = os.environ.get("PICTURES", "")
"""A folder that gets a picture of every page (`make screenshots`); none are taken without it."""


@pytest.fixture(scope="module")
def paths(site: RunningServer) -> Iterator[dict[str, str]]:
    """Addresses of every page, with a video that plays, one that failed and one in the trash."""
    alice = site.client("alice@example.org")
    good = alice.upload(bunny(), title="A rabbit, long of name: " + "very " * 20 + "long", visibility="public")
    notes = site.data.parent / "notes.mp4"
    notes.write_text("This is not a video.")
    bad = alice.upload(notes, title="Notes", visibility="private")
    old = alice.upload(notes, title="Old notes", visibility="private")
    alice.wait_until(good, "ready")
    alice.wait_until(bad, "failed")
    alice.wait_until(old, "failed")
    alice.delete(f"/api/v1/videos/{old}", params={"permanently": "false"}).raise_for_status()
    yield {
        "home": "/",
        "search": "/search?q=rabbit",
        "nothing found": "/search?q=zzzz",
        "upload": "/upload",
        "watch": f"/watch/{good}",
        "embed": f"/embed/{good}",
        "embed of nothing": "/embed/0000000000000000",
        "failed": f"/watch/{bad}",
        "studio": "/studio",
        "edit": f"/studio/{good}",
        "delete": f"/studio/{good}/delete",
        "trash": "/studio/trash",
        "empty": "/studio/trash/empty",
        "no such page": "/there/is/nothing",
    }


def settle(page: Page) -> None:
    """Wait until the page has loaded what it will show first."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")


def take(page: Page, name: str, width: int, dark: bool) -> None:
    """Take a picture of the page, if pictures are wanted."""
    if PICTURES:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "home-of-a-stranger"
        shade = "dark" if dark else "light"
        page.screenshot(path=Path(PICTURES) / f"{plain}-{width}-{shade}.png", full_page=True)


def check(page: Page, name: str, dark: bool) -> None:
    """At every width: no sideways scrolling, nothing for axe-core to find."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        settle(page)
        take(page, name, width, dark)
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{name} at {width} px is {beyond} px too wide"
        assert complaints(page, only=COLOURS if dark else ()) == [], f"{name} at {width} px"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_of_a_member(site: RunningServer, visit: Visit, paths: dict[str, str], dark: bool) -> None:
    """Each page of somebody who uploads: no sideways scrolling from 360 px up, accessible, nothing in the console."""
    alice = visit(site.url, dark=dark).sign_in("alice@example.org")
    page = alice.page()
    for name, path in paths.items():
        page.goto(site.url + path)
        check(page, name, dark)
    assert [t for t in alice.troubles if "404" not in t] == []
    alice.troubles.clear()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/login", "/register", "/setup?token=wrong"])
def test_pages_of_a_stranger(site: RunningServer, visit: Visit, path: str, dark: bool) -> None:
    """Each page before signing in: no sideways scrolling from 360 px up, accessible, nothing in the console."""
    guest = visit(site.url, dark=dark)
    page = guest.page()
    page.goto(site.url + path)
    check(page, path, dark)
    assert [t for t in guest.troubles if "404" not in t] == []
    guest.troubles.clear()


def test_everything_is_reached_by_keyboard(site: RunningServer, visit: Visit, paths: dict[str, str]) -> None:
    """The first stop skips the header; menus and dialogs open, close and give the focus back."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page(paths["studio"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'main'")
    page.goto(site.url + paths["trash"])
    delete = page.get_by_role("link", name="Delete for good: Old notes")
    delete.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Delete this video for good?")).to_contain_text("Old notes")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(delete).to_be_focused()
    menu = page.get_by_role("button", name="Account: Alice")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="My videos")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="My videos")).to_be_hidden()


def test_pages_work_without_script(site: RunningServer, browser_without_script: Page, paths: dict[str, str]) -> None:
    """Signing in, editing and deleting need no JavaScript."""
    page = browser_without_script
    page.goto(site.url + "/login")
    page.get_by_label("E-mail address").fill("alice@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(site.url + "/")
    page.goto(site.url + "/studio")
    page.get_by_role("link", name="Edit Notes").click()
    page.get_by_label("Title").fill("")
    page.get_by_label("Title").evaluate("input => input.removeAttribute('required')")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("A title is needed.")).to_be_visible()
    page.get_by_label("Title").fill("Notes, renamed")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()
    page.get_by_role("button", name="Delete Notes, renamed").click()
    expect(page.get_by_text("1 video is in the trash.")).to_be_visible()
    expect(page.get_by_text("Notes, renamed")).to_have_count(0)
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("link", name="Delete for good: Notes, renamed").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The video is deleted.")).to_be_visible()
    expect(page.get_by_text("Notes, renamed")).to_have_count(0)


@pytest.fixture
def browser_without_script(browser: object) -> Iterator[Page]:
    """A browser in which JavaScript is turned off."""
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page: Page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()
