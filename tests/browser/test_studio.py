"""Many videos in the studio: ticking, changing, throwing away and taking back; tags, times, many uploads."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from streamhost.db import videos as video_rows
from streamhost.db.core import Database
from streamhost.model.ids import UserId, VideoId, new_id
from streamhost.model.videos import Video, VideoState
from tests.browser.conftest import Visit
from tests.browser.support import sign_in_plainly, until
from tests.support.axe import complaints
from tests.support.server import RunningServer

TITLES = ("Waves", "Dunes", "Cliffs", "Harbour", "Lighthouse")


@pytest.fixture
def five_videos(site: RunningServer) -> Iterator[None]:
    """Five of Alice's; none are left afterwards."""
    client = site.client("alice@example.org")
    owner = UserId(client.get("/api/v1/me").json()["id"])

    async def fill() -> None:
        db = await Database.open(site.data / "catalog.sqlite3")
        async with db.write() as conn:
            for number, title in enumerate(TITLES):
                since = time.time() - number
                video = Video(VideoId(new_id()), owner, title, since, since, state=VideoState.READY, tags=("sea",))
                await video_rows.insert(conn, video)
        await db.close()

    with ThreadPoolExecutor(1) as pool:  # Playwright's loop runs in this thread
        pool.submit(asyncio.run, fill()).result()
    yield
    ids = [one["id"] for one in client.get("/api/v1/videos", params={"owner": "me"}).json()["items"]]
    if ids:
        client.post("/api/v1/videos/bulk", json={"videos": ids, "action": "delete"}).raise_for_status()
    client.delete("/api/v1/me/trash").raise_for_status()


@pytest.fixture
def studio(site: RunningServer, visit: Visit, five_videos: None) -> Page:
    """Alice's studio with five videos."""
    return visit(site.url).sign_in("alice@example.org").page("/studio")


def lists(page: Page, *titles: str) -> None:
    """Wait until these are the videos of the list."""
    expect(page.locator(".rows__title")).to_have_text(titles)


def is_gone(page: Page, title: str) -> None:
    """Wait until the page has come anew without a video."""
    expect(page.get_by_label(f"Select {title}")).to_have_count(0)


def test_many_are_changed_by_keyboard(studio: Page) -> None:
    """Tick one, reach to another with Shift, change both and what is between: audience and tags; Escape ticks none."""
    page = studio
    expect(page.get_by_text("videos selected")).to_be_hidden()
    page.get_by_label("Select Dunes").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("1 video selected")).to_be_visible()
    page.get_by_label("Select Harbour").focus()
    page.keyboard.press("Shift+Space")
    expect(page.get_by_text("3 videos selected")).to_be_visible()
    expect(page.get_by_label("Select Cliffs")).to_be_checked()
    page.get_by_text("Change", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Who may watch").select_option("unlisted")
    page.get_by_label("Add tags").press_sequentially("Sand,")
    page.get_by_label("Remove tags").press_sequentially("se")
    page.get_by_role("option", name="sea").click()
    assert complaints(page) == []
    page.get_by_role("button", name="Change them").press("Enter")
    expect(page.get_by_text("3 videos are changed.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Unlisted")).to_have_count(3)
    expect(page.get_by_role("listitem").filter(has_text="sand")).to_have_count(3)
    expect(page.locator(".tags__one")).to_have_text(["sea", "sand", "sand", "sand", "sea"])
    page.get_by_label("Select all").check()
    expect(page.get_by_text("5 videos selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Select all")).not_to_be_checked()
    expect(page.get_by_text("videos selected")).to_be_hidden()


def test_thrown_away_and_taken_back(studio: Page) -> None:
    """Undo brings back what one has just deleted; the trash says since when and until when, and restores or deletes."""
    page = studio
    page.get_by_label("Select Waves").check()
    page.get_by_label("Select Cliffs").check()
    page.get_by_role("button", name="Delete them").click()
    expect(page.get_by_text("2 videos are in the trash.")).to_be_visible()
    lists(page, "Dunes", "Harbour", "Lighthouse")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 videos are back, as they were.")).to_be_visible()
    lists(page, *TITLES)
    page.get_by_role("button", name="Delete Dunes").click()
    expect(page.get_by_text("1 video is in the trash.")).to_be_visible()
    page.get_by_role("button", name="Delete Harbour").click()
    is_gone(page, "Harbour")
    page.get_by_role("link", name="Trash").click()
    lists(page, "Harbour", "Dunes")
    expect(page.get_by_text("Goes on").first).to_be_visible()
    page.get_by_role("button", name="Restore Harbour").click()
    expect(page.get_by_text("1 video is back, as it was.")).to_be_visible()
    page.wait_for_load_state()  # without its script a page leads to another one
    page.get_by_role("link", name="Empty the trash").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert complaints(page) == []
    page.get_by_role("link", name="My videos").first.click()
    lists(page, "Waves", "Cliffs", "Harbour", "Lighthouse")


def test_how_long_ago(studio: Page) -> None:
    """In words, and the moment itself for whoever points there."""
    time = studio.locator("time[data-ago]").first
    begun = datetime.fromisoformat(str(time.get_attribute("datetime")))
    for seconds, words in ((59, "just now"), (7201, "2 hours ago")):
        studio.clock.set_fixed_time(begun + timedelta(seconds=seconds))
        studio.reload()
        expect(time).to_have_text(words)
    time.hover()
    moment = studio.evaluate("at => new Date(at).toLocaleString()", time.get_attribute("datetime"))
    expect(time).to_have_attribute("title", moment)


@pytest.mark.usefixtures("five_videos")
def test_many_are_changed_without_script(site: RunningServer, browser_without_script: Page) -> None:
    """Boxes, bar and fields are plain forms: change several, throw them away, take them back, empty the trash."""
    page = sign_in_plainly(browser_without_script, site.url, "alice@example.org")
    page.goto(site.url + "/studio")
    expect(page.get_by_role("button", name="Delete them")).to_be_hidden()
    expect(page.get_by_label("Select all")).to_be_hidden()
    for title in ("Dunes", "Cliffs"):
        page.get_by_label(f"Select {title}").check()
    page.get_by_text("Change", exact=True).click()
    page.get_by_label("Who may watch").select_option("unlisted")
    page.get_by_label("Remove tags").fill("sea")
    page.get_by_label("Add tags").fill("Sand, two words")
    page.get_by_label("Add tags").press("Enter")
    expect(page.get_by_text("2 videos are changed.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Unlisted")).to_have_count(2)
    words = ["sand", "two words"]
    expect(page.locator(".tags__one")).to_have_text(["sea", *words, *words, "sea", "sea"])
    for title in ("Waves", "Cliffs"):
        page.get_by_label(f"Select {title}").check()
    page.get_by_role("button", name="Clear the selection").click()
    expect(page.get_by_role("button", name="Delete them")).to_be_hidden()
    for title in ("Waves", "Cliffs"):
        page.get_by_label(f"Select {title}").check()
    page.get_by_role("button", name="Delete them").click()
    expect(page.get_by_text("2 videos are in the trash.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 videos are back, as they were.")).to_be_visible()
    page.get_by_label("Select Harbour").check()
    page.get_by_role("button", name="Delete them").click()
    is_gone(page, "Harbour")
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("link", name="Empty the trash").click()
    expect(page.get_by_role("heading", name="Empty the trash?")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()


def test_tags_as_chips(studio: Page) -> None:
    """Enter and commas add, suggestions come from one's own tags, Backspace takes the last one away."""
    page = studio
    page.get_by_role("link", name="Edit Waves").click()
    field = page.get_by_role("combobox", name="Tags")
    chips = page.get_by_role("list", name="Chosen tags").get_by_role("listitem")
    expect(chips).to_have_text(["sea"])
    page.keyboard.press("Tab")
    field.press_sequentially("Blue, GREEN,")
    expect(chips).to_have_text(["sea", "blue", "green"])
    field.press("Backspace")
    expect(chips).to_have_text(["sea", "blue"])
    page.get_by_role("button", name="Remove the tag sea").click()
    expect(chips).to_have_text(["blue"])
    expect(field).to_be_focused()
    field.press_sequentially("s")
    expect(page.get_by_role("option", name="sea")).to_be_visible()
    field.press("ArrowDown")
    field.press("Enter")
    expect(chips).to_have_text(["blue", "sea"])
    field.press_sequentially("not finished")
    assert complaints(page) == []
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()
    waves = page.get_by_role("listitem").filter(has_text="Waves")
    expect(waves.locator(".tags__one")).to_have_text(["blue", "sea", "not finished"])


def test_a_time_in_ones_own_zone(site: RunningServer, studio: Page) -> None:
    """What is typed is the time of whoever types, and comes back as that; the list tells it, too."""
    page = studio
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    page.get_by_role("link", name="Edit Dunes").click()
    expect(page.get_by_label("Public from")).to_be_hidden()
    page.get_by_label("Scheduled").check()
    expect(page.get_by_text(f"In your time zone, {zone}.")).to_be_visible()
    page.get_by_label("Public from").fill("2099-01-31T18:30")
    assert complaints(page) == []
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("listitem").filter(has_text="Dunes")).to_contain_text(
        re.compile(r"Public from January 31, 2099.* 6:30.PM")
    )
    wanted = page.evaluate("new Date('2099-01-31T18:30').toISOString()")
    found = site.client("alice@example.org").get("/api/v1/videos", params={"owner": "me"}).json()["items"]
    assert [one["publish_at"] for one in found if one["title"] == "Dunes"] == [wanted]
    page.get_by_role("link", name="Edit Dunes").click()
    expect(page.get_by_label("Public from")).to_have_value("2099-01-31T18:30")


def test_many_uploads_are_held_and_released(site: RunningServer, studio: Page, tmp_path: Path) -> None:
    """What waits can be put in another order; everything is held, also what waits, and goes on."""
    page = studio
    page.goto(site.url + "/upload")
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 30_000},
    )
    files = [tmp_path / f"{name}.mp4" for name in ("one", "two", "three", "four")]
    for path in files:
        path.touch()
        os.truncate(path, 12_000_000)
    page.locator("[data-files]").set_input_files(files)
    rows = page.locator(".upload")
    expect(rows).to_have_count(4)
    until(page, "document.querySelectorAll('.upload[data-phase=uploading]').length === 2")
    expect(page.get_by_text("0 of 4 files sent")).to_be_visible()
    up = page.get_by_role("button", name="Send sooner: four.mp4")
    up.focus()
    page.keyboard.press("Enter")
    expect(rows.locator(".upload__file")).to_contain_text(["one", "two", "four", "three"])
    expect(up).to_be_focused()
    assert complaints(page) == []
    page.get_by_role("button", name="Pause all").click()
    until(page, "document.querySelectorAll('.upload[data-phase=paused]').length === 4")
    expect(page.get_by_role("button", name="Pause all")).to_be_hidden()
    page.get_by_role("button", name="Go on with all").click()
    until(page, "document.querySelectorAll('.upload[data-phase=uploading]').length === 2")
    until(page, "document.querySelectorAll('.upload[data-phase=queued]').length === 2")
    for _ in range(4):
        rows.first.get_by_role("button", name=re.compile("^(Cancel|Remove)")).click()
    expect(rows).to_have_count(0)
    expect(page.get_by_role("button", name="Pause all")).to_be_hidden()
