"""Menus and dialogs by keyboard alone, and pages where no script runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.support import sign_in_plainly, until
from tests.support.server import RunningServer


@pytest.fixture(scope="module")
def notes(site: RunningServer) -> None:
    """A video of alice's that failed, and another one in the trash."""
    alice = site.client("alice@example.org")
    file = site.data.parent / "notes.mp4"
    file.write_text("This is not a video.")
    made = [alice.upload(file, title=title, visibility="private") for title in ("Notes", "Old notes")]
    for video in made:
        alice.wait_until(video, "failed")
    alice.delete(f"/api/v1/videos/{made[1]}", params={"permanently": "false"}).raise_for_status()


@pytest.mark.usefixtures("notes")
def test_everything_is_reached_by_keyboard(site: RunningServer, visit: Visit) -> None:
    """The first stop skips the header; menus and dialogs open, close and give the focus back."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/studio")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'main'")
    page.goto(site.url + "/studio/trash")
    delete = page.get_by_role("link", name="Delete for good Old notes")
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
    expect(page.locator("#account-menu").get_by_role("link", name="My videos")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#account-menu").get_by_role("link", name="My videos")).to_be_hidden()


@pytest.mark.usefixtures("notes")
def test_a_long_page_lists_its_parts(site: RunningServer, browser_without_script: Page) -> None:
    """On a phone, without script: each link of the list leads to a part, which the list that stays does not cover."""
    page = sign_in_plainly(browser_without_script, site.url, "alice@example.org")
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(site.url + "/studio")
    page.get_by_role("link", name="Edit Notes").click()
    parts = page.get_by_role("navigation", name="On this page")
    lost = "[...document.querySelectorAll('.rooms--within a')].filter((one) => !document.querySelector(one.hash))"
    expect(parts.get_by_role("link")).to_have_count(7)
    until(page, f"{lost}.length === 0")
    parts.get_by_role("link", name="Share links").press("Enter")
    # Where no script runs, Playwright is not told what is in the window.
    where = "(name) => document.querySelector(name).getBoundingClientRect()"
    until(page, f"({where})('#links').top < innerHeight / 2")
    header, row, part = (page.evaluate(where, name) for name in (".header", ".rooms--within", "#links"))
    assert header["bottom"] <= row["top"] < row["bottom"] <= part["top"], "in sight, and none covers another"


@pytest.mark.usefixtures("notes")
def test_pages_work_without_script(site: RunningServer, browser_without_script: Page) -> None:
    """Signing in, editing and deleting need no JavaScript."""
    page = sign_in_plainly(browser_without_script, site.url, "alice@example.org")
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
    page.get_by_role("link", name="Delete for good Notes, renamed").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The video is deleted.")).to_be_visible()
    expect(page.get_by_text("Notes, renamed")).to_have_count(0)


def test_all_rooms_open_from_one_button(site: RunningServer, browser_without_script: Page) -> None:
    """On a phone, by keyboard and without script: the button names the room one is in; Escape closes what it opened."""
    page = sign_in_plainly(browser_without_script, site.url, "root@example.org")
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(site.url + "/admin/audit")
    rooms = page.get_by_role("navigation", name="Administration")
    here = rooms.get_by_role("button", name="Audit log")
    expect(here).to_be_visible()
    expect(rooms.get_by_role("link")).to_have_count(0)
    here.press("Enter")
    expect(rooms.get_by_role("link")).to_have_count(17)
    expect(rooms.get_by_role("link", name="Audit log")).to_have_attribute("aria-current", "page")
    page.keyboard.press("Escape")
    expect(rooms.get_by_role("link")).to_have_count(0)
    expect(here).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(rooms.get_by_role("link", name="Overview")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rooms.get_by_role("button", name="Overview")).to_be_visible()
