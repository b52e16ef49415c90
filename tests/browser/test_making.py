"""Steering the making of videos by page: pause and go on, try again, replace a file, take one along; every job."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import Visit
from tests.browser.support import until
from tests.support.clips import copied_clip, encoded_clip
from tests.support.server import Api, RunningServer
from tests.support.steered import long_clip

PATIENCE = 240_000
"""Milliseconds for what has to be encoded; nothing on a machine waits longer for its turn than that."""
MOVES = """[...document.querySelectorAll('[data-key]')].some((job) =>
    /Encode piece.*Another long film/s.test(job.textContent) && job.querySelector('progress').value > 0.05)"""


@pytest.fixture
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def test_a_video_is_paused_and_goes_on(site: RunningServer, alice: Api, visit: Visit) -> None:
    """Its speed and the time left are told; paused it says so; resumed it becomes ready before one's eyes."""
    visitor = visit(site.url).sign_in("alice@example.org")
    alice.upload(long_clip(), title="Long film")
    page = visitor.page("/studio")
    row = page.get_by_role("listitem").filter(has_text="Long film")
    expect(row).to_contain_text(re.compile(r"\d\u00d7 speed, \d+:\d\d left"), timeout=PATIENCE)
    row.get_by_role("button", name="Pause").click()
    row = page.get_by_role("listitem").filter(has_text="Long film")
    expect(row).to_contain_text(re.compile(r"Paused, \d+ %"))
    row.get_by_role("button", name="Resume").click()
    row = page.get_by_role("listitem").filter(has_text="Long film")
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    expect(row).to_contain_text("Ready", timeout=PATIENCE)
    expect(row.get_by_role("button", name="Pause")).to_have_count(0)


def test_a_press_is_not_lost(site: RunningServer, alice: Api, visit: Visit) -> None:
    """A link that was pressed before its card came anew leads where it should when it is let go."""
    visitor = visit(site.url).sign_in("alice@example.org")
    video_id = alice.upload(long_clip(), title="Pressed film")
    page = visitor.page("/studio")
    row = page.get_by_role("listitem").filter(has_text="Pressed film")
    expect(row).to_contain_text(re.compile(r"\d %"))

    def copy(request: Request) -> bool:
        return request.resource_type == "fetch" and request.url.endswith("/studio")

    held: list[Route] = []
    page.route("**/studio", lambda route: held.append(route) if copy(route.request) else route.continue_())
    with page.expect_request(copy, timeout=PATIENCE):
        alice.post(f"/api/v1/videos/{video_id}/processing", json={"action": "cancel"}).raise_for_status()
    row.get_by_role("link", name="Pressed film", exact=True).last.hover()
    page.mouse.down()
    with page.expect_event("requestfinished", copy):
        held[0].continue_()
    page.evaluate("() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))")
    page.mouse.up()
    expect(page).to_have_url(re.compile(video_id))


def test_the_list_of_jobs_follows_what_happens(site: RunningServer, alice: Api, visit: Visit, tmp_path: Path) -> None:
    """A failed job has its reason and a button; one that runs has a bar that moves; a press cancels it."""
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"Dear film," * 1000)
    alice.wait_until(alice.upload(text, title="Letter"), "failed")
    root = visit(site.url).sign_in("root@example.org")
    page = root.page("/admin/jobs?state=failed")
    failed = page.get_by_role("listitem").filter(has_text="not_media").first
    expect(failed.get_by_role("button", name="Try again")).to_be_visible()
    page.get_by_role("combobox", name="State").select_option("running")
    page.get_by_role("button", name="Show").click()
    video_id = alice.upload(long_clip(), title="Another long film")
    until(page, MOVES)
    piece = page.get_by_role("listitem").filter(has_text=re.compile("Encode piece.*Another long film", re.DOTALL))
    piece.get_by_role("button", name="Cancel").first.click()
    expect(page.get_by_text("Done. What runs is told at once")).to_be_visible()
    deadline = time.monotonic() + PATIENCE / 1000
    while alice.video(video_id)["state"] != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    expect(page.get_by_text("There is no job in this state.")).to_be_visible(timeout=PATIENCE)


def test_a_file_is_replaced_by_page(site: RunningServer, alice: Api, visit: Visit, tmp_path: Path) -> None:
    """The page tells how the new file fares; one that is no video is refused in words, and everything stays."""
    video_id = alice.upload(copied_clip(), title="Replaced")
    alice.wait_until(video_id, "ready")
    page = visit(site.url).sign_in("alice@example.org").page(f"/studio/{video_id}/file")
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"Dear film," * 1000)
    page.get_by_label("File", exact=True).set_input_files(text)
    page.get_by_role("button", name="Replace the file").click()
    expect(page.get_by_text("The file was not taken; the video is as it was.")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("File", exact=True).set_input_files(encoded_clip())
    page.get_by_role("button", name="Replace the file").click()
    expect(page.get_by_text("The new file has taken the old one's place.")).to_be_visible(timeout=PATIENCE)
    assert alice.video(video_id)["height"] == 360


def test_a_viewer_takes_a_video_along(site: RunningServer, alice: Api, visit: Visit) -> None:
    """There is a button once the owner has ticked the box; the file comes by itself when it has been put together."""
    video_id = alice.upload(copied_clip(), title="To go", visibility="public")
    alice.wait_until(video_id, "ready")
    bob = visit(site.url).sign_in("bob@example.org")
    page = bob.page(f"/watch/{video_id}")
    expect(page.get_by_role("button", name="Share", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
    owner = visit(site.url).sign_in("alice@example.org").page(f"/studio/{video_id}/file")
    owner.get_by_label("Viewers may download it").check()
    owner.get_by_label("How long the uploaded file is kept").select_option("days:")
    owner.get_by_label("Days").fill("7")
    owner.get_by_role("button", name="Save changes").click()
    expect(owner.get_by_text("Your changes are saved.")).to_be_visible()
    assert alice.video(video_id)["keep_source"] == "days:7"
    page.reload()
    with page.expect_download(timeout=PATIENCE) as coming:
        page.get_by_role("link", name="Download").click()
    assert coming.value.suggested_filename == "To go.mp4"
    assert Path(coming.value.path()).read_bytes()[4:8] == b"ftyp"
