"""Captions and chapters on the edit page: by mouse and keyboard, small and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.films import film
from tests.support.server import RunningServer


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


def test_chapters_are_written_as_text(site: RunningServer, visit: Visit, video: str) -> None:
    """Those of the file stand there; a line that is none is named and nothing typed is lost; good ones are saved."""
    visitor = visit(site.url, width=360, height=740, dark=True).sign_in("alice@example.org")
    page = visitor.page(f"/studio/{video}")
    area = page.get_by_label("One a line, with the time it begins")
    expect(area).to_have_value("0:00 One\n0:01 Two")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    area.fill("0:00 Start\nno time")
    page.get_by_role("button", name="Save chapters").click()
    expect(page.get_by_text("Line 2 does not begin with a time")).to_be_visible()
    expect(area).to_have_value("0:00 Start\nno time")
    assert all("422" in trouble for trouble in visitor.troubles)
    visitor.troubles.clear()  # the browser writes down that the server said 422
    area.fill("0:02 End\n0:00 Start")
    page.get_by_role("button", name="Save chapters").click()
    expect(area).to_have_value("0:00 Start\n0:02 End")
