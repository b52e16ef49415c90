"""Captions and chapters on the edit page: by mouse and keyboard, small and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.support import ready, sign_in_plainly, wait_for_place, wait_for_time
from tests.support.axe import complaints
from tests.support.films import film
from tests.support.server import RunningServer

PASTE = """(field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def saved(page: Page) -> None:
    """Save the chapters, and wait until the page has come anew and its script has made rows of them."""
    page.get_by_role("button", name="Save chapters").click()
    expect(page.get_by_text("The chapters are saved.")).to_be_visible()
    page.wait_for_load_state()


def typed(page: Page) -> list[tuple[str, str]]:
    """The times and titles in the rows of chapters."""
    fields = page.locator("#chapters li").locator("input").evaluate_all("all => all.map(one => one.value)")
    return list(zip(fields[::2], fields[1::2], strict=True))


@pytest.fixture(scope="module")
def video(site: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A video of alice's with two chapters, ready."""
    alice = site.client("alice@example.org")
    made = alice.upload(film(tmp_path_factory.mktemp("film")), title="A film")
    alice.wait_until(made, "ready")
    return made


def test_captions_are_added_and_removed(site: RunningServer, visit: Visit, video: str, tmp_path: Path) -> None:
    """A file that is none is refused in words; a good one is listed, becomes the default, and goes again."""
    visitor = visit(site.url).sign_in("alice@example.org")
    page = visitor.page(f"/studio/{video}")
    desk = page.get_by_role("region", name="Captions")
    (tmp_path / "bad.srt").write_text("nonsense")
    (tmp_path / "good.srt").write_text("00:00:00,500 --> 00:00:01,000\nHallo\n")
    desk.get_by_label("Caption file").set_input_files(tmp_path / "bad.srt")
    desk.get_by_label("Language").select_option(label="Deutsch")
    desk.get_by_role("button", name="Add captions").click()
    expect(desk.get_by_role("alert")).to_contain_text("Line 1")
    visitor.troubles.clear()  # the browser writes down that the server said 422
    desk.get_by_label("Caption file").set_input_files(tmp_path / "good.srt")
    desk.get_by_label("Name in the menu").fill("Deutsch (ohne Gewähr)")
    desk.get_by_role("button", name="Add captions").press("Enter")
    row = desk.get_by_role("listitem").filter(has_text="Deutsch (ohne Gewähr)")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Show by default").click()
    expect(row).to_contain_text("shown by default")
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_chapters_have_rows(site: RunningServer, visit: Visit, video: str) -> None:
    """Those of the file stand there; what is wrong is said at its field and nothing is sent; a list that is pasted
    fills rows; what is saved stands in order."""
    visitor = visit(site.url, width=360, height=740, dark=True).sign_in("alice@example.org")
    page = visitor.page(f"/studio/{video}")
    rows = page.locator("#chapters").get_by_role("listitem")
    expect(rows).to_have_count(2)
    assert typed(page) == [("0:00", "One"), ("0:01", "Two")]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    time, title = page.get_by_label("Time of chapter 3"), page.get_by_label("Title of chapter 3")
    page.get_by_role("button", name="Add a chapter").click()
    for at, name, wrong in (("soon", "End", "Write the time as"), ("0:01", "End", "begin at"), ("2", "", "a title")):
        time.fill(at)
        title.fill(name)
        page.get_by_role("button", name="Save chapters").press("Enter")
        expect(rows.nth(2)).to_contain_text(wrong)
        expect(title if at == "2" else time).to_be_focused()
        expect(title if at == "2" else time).to_have_attribute("aria-invalid", "true")
    assert complaints(page) == []
    page.get_by_role("button", name="Remove chapter 1").press("Enter")
    expect(rows).to_have_count(2)
    page.get_by_label("Title of chapter 2").evaluate(PASTE, "0:02 End\nThe title alone\n")
    expect(rows).to_have_count(4)
    page.get_by_label("Time of chapter 4").fill("0")
    page.get_by_role("button", name="Remove chapter 2").press("Enter")
    saved(page)
    assert typed(page) == [("0:00", "The title alone"), ("0:01", "Two"), ("0:02", "End")]


def test_chapters_beside_the_player(site: RunningServer, visit: Visit, video: str) -> None:
    """A chapter begins where the player stands, among the others by its time; a row's own tools take the time and play
    from it."""
    page = visit(site.url).sign_in("alice@example.org").page(f"/studio/{video}")
    page.get_by_role("link", name="Set them beside the player").click()
    ready(page)
    page.evaluate("document.querySelector('video').currentTime = 0.52")
    wait_for_place(page, 0.52)
    before = len(typed(page))
    page.get_by_role("button", name="Add a chapter here").click()
    expect(page.locator("#chapters").get_by_role("listitem")).to_have_count(before + 1)
    expect(page.get_by_label("Title of chapter 2")).to_be_focused()
    page.keyboard.type("Half a second")
    assert typed(page)[1] == ("0:00.5", "Half a second")
    page.evaluate("document.querySelector('video').currentTime = 0.8")
    wait_for_place(page, 0.8)
    row = page.locator("#chapters").get_by_role("listitem").nth(1)
    row.get_by_role("button", name="Begin where the player stands").click()
    expect(page.get_by_label("Time of chapter 2")).to_have_value("0:00.8")
    page.get_by_label("Time of chapter 2").fill("1.5")
    row.get_by_role("button", name="Play from here").click()
    wait_for_time(page, 1.5)
    saved(page)
    assert ("0:01.5", "Half a second") in typed(page)


def test_chapters_are_written_as_text(site: RunningServer, browser_without_script: Page, video: str) -> None:
    """Without script: a line that is none is named and nothing typed is lost; good ones are saved."""
    page = sign_in_plainly(browser_without_script, site.url, "alice@example.org")
    page.goto(f"{site.url}/studio/{video}")
    area = page.get_by_label("One a line, with the time it begins")
    area.fill("0:00 Start\nno time")
    page.get_by_role("button", name="Save chapters").click()
    expect(page.get_by_text("Line 2 does not begin with a time")).to_be_visible()
    expect(area).to_have_value("0:00 Start\nno time")
    area.fill("0:02 End\n0:00 Start")
    page.get_by_role("button", name="Save chapters").click()
    expect(area).to_have_value("0:00 Start\n0:02 End")
