"""Uploading by the page, as people do it: drop, watch it go, lose the connection, come back."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.browser.conftest import Visit
from tests.browser.support import PATIENCE, bunny, ready, stand_still, until, wait_for_place, wait_for_time
from tests.support.clips import copied_clip
from tests.support.server import RunningServer

SLOW = 400_000
"""Bytes per second of the throttled connection."""
SIZE = 12_000_000
"""Bytes of a file that takes half a minute by it, so that no machine is too slow to interrupt it."""

REMEMBER = """
window.statesSeen = new Set();
window.sharesSeen = new Set();
new MutationObserver(() => {
  const upload = document.querySelector('.upload');
  const state = upload?.querySelector('[role=status]').innerText;
  if (state) window.statesSeen.add(state);
  if (upload?.dataset.phase === 'processing') window.sharesSeen.add(upload.querySelector('progress').value);
}).observe(document.body, { attributes: true, childList: true, subtree: true, characterData: true });
"""
"""Words, and how far the bar is while the film is made: both are gone before anybody has looked."""


def throttle(page: Page, upload: int = SLOW) -> None:
    """Make the page's connection slow on the way up; -1 lifts it."""
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": upload},
    )


def row(page: Page) -> Locator:
    """The only upload in the list."""
    return page.get_by_role("region", name="Uploads").get_by_role("listitem").first


def phase(page: Page, *wanted: str) -> None:
    """Wait until the upload is in one of these phases."""
    expect(page.locator(".upload")).to_have_attribute("data-phase", re.compile("|".join(wanted)), timeout=2 * PATIENCE)


def wait_for_share(page: Page, share: float) -> None:
    """Wait until that share of the file is sent."""
    until(page, "share => document.querySelector('.upload progress')?.value > share", share)


def big_clip(tmp_path: Path) -> Path:
    """A real video with so much padding behind it that its upload can be interrupted."""
    clip = tmp_path / "padded.mp4"
    content = copied_clip().read_bytes()
    padding = SIZE - len(content)
    # A `free` box at the end (ISO/IEC 14496-12, 8.1.2) is skipped by every reader.
    clip.write_bytes(content + (padding + 8).to_bytes(4, "big") + b"free" + bytes(padding))
    return clip


def is_made_public(answer: Response) -> bool:
    """Whether the server has answered to the choice of who may watch."""
    request = answer.request
    return (
        request.method == "PATCH"
        and "/api/v1/videos/" in answer.url
        and (request.post_data_json or {}).get("visibility") == "public"
    )


def drop(page: Page, file: Path) -> None:
    """Drag a file out of a folder of the machine over the box, which shows that it would take it, and let go."""
    target = page.locator("[data-drop]")
    box = target.bounding_box()
    assert box
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    carried = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver"):
        browser.send("Input.dispatchDragEvent", {"type": kind, **place, "data": carried})
    expect(target).to_have_class(re.compile("drop--over"))
    browser.send("Input.dispatchDragEvent", {"type": "drop", **place, "data": carried})
    expect(target).not_to_have_class(re.compile("drop--over"))


def plays(page: Page, manifest: str) -> None:
    """Time goes on, a seek lands, time goes on from there; and it is this kind of manifest that was loaded."""
    ready(page)
    page.locator("[data-start]").click()
    wait_for_time(page, 0.5)
    stand_still(page)
    place = 0.6 * float(page.evaluate("document.querySelector('video').duration"))
    page.keyboard.press("6")
    wait_for_place(page, place)
    page.keyboard.press("k")
    wait_for_time(page, place + 0.5)
    loaded = page.evaluate("performance.getEntriesByType('resource').map(r => new URL(r.name).pathname)")
    assert any(path.endswith(manifest) for path in loaded)


def test_a_dropped_film_becomes_a_stream(site: RunningServer, visit: Visit) -> None:
    """Big Buck Bunny is dropped on the page; progress is live; it plays by DASH and by HLS, and ends as ready in the
    studio."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/upload")
    page.get_by_label("Unlisted").first.check()
    page.evaluate(REMEMBER)
    drop(page, bunny())
    phase(page, "processing", "ready")
    title = row(page).get_by_label("Title")
    title.fill("The big rabbit")
    title.blur()
    with page.expect_response(is_made_public):
        row(page).get_by_label("Who may watch").select_option("public")
    expect(row(page).get_by_role("link", name="Watch")).to_be_visible()
    phase(page, "ready")
    assert len(page.evaluate("[...window.statesSeen]")) > 1, "no state was shown on the way"
    shares = page.evaluate("[...window.sharesSeen]")
    assert any(0 < share < 1 for share in shares), f"the bar did not move while the film was made: {shares}"
    row(page).get_by_role("link", name="Watch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The big rabbit")
    expect(page.get_by_text("Public").first).to_be_visible()
    address = page.url
    for stream_format, manifest in (("dash", ".mpd"), ("hls", ".m3u8")):
        page.goto(f"{address}?format={stream_format}")
        plays(page, manifest)
    page.goto(site.url + "/studio")
    expect(page.get_by_role("listitem").filter(has_text="The big rabbit")).to_contain_text("Ready")


def test_files_dropped_anywhere_on_the_page_are_taken(site: RunningServer, visit: Visit) -> None:
    """A file that misses the box does not replace the page, and what is no video says so in words."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/upload")
    transfer = page.evaluate_handle(
        "() => { const t = new DataTransfer(); t.items.add(new File(['no video at all'], 'notes.mp4')); return t }"
    )
    page.dispatch_event("footer", "drop", {"dataTransfer": transfer})
    phase(page, "failed")
    expect(row(page).get_by_role("alert")).to_contain_text(re.compile("not a video|no video|cannot be read", re.I))
    row(page).get_by_role("button", name="Remove").click()
    expect(page.locator(".upload")).to_have_count(0)


def test_an_empty_file_is_refused_at_once(site: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """What cannot work is said before anything is sent."""
    empty = tmp_path / "empty.mp4"
    empty.touch()
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/upload")
    page.locator("[data-files]").set_input_files(empty)
    expect(row(page).get_by_role("alert")).to_contain_text("empty")


def test_a_file_chosen_before_the_script_came_is_taken(site: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """Whoever is quicker than a slow line is not made to choose again."""
    empty = tmp_path / "empty.mp4"
    empty.touch()
    page = visit(site.url).sign_in("alice@example.org").page()
    held: list[Route] = []
    page.route("**/upload-*.js", lambda route: held.append(route))
    page.goto(site.url + "/upload", wait_until="commit")
    page.locator("[data-files]").set_input_files(empty)
    until(page, "document.querySelector('[data-files]').files.length === 1")
    held[0].continue_()
    expect(row(page).get_by_role("alert")).to_contain_text("empty")


def test_pause_resume_and_cancel(site: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """A paused upload stands still and goes on where it was; a cancelled one leaves nothing behind."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/upload")
    throttle(page)
    page.locator("[data-files]").set_input_files(big_clip(tmp_path))
    wait_for_share(page, 0.03)
    row(page).get_by_role("button", name="Pause").click()
    phase(page, "paused")
    share = page.locator(".upload progress").evaluate("bar => bar.value")
    time.sleep(0.5)
    assert page.locator(".upload progress").evaluate("bar => bar.value") == share
    row(page).get_by_role("button", name="Resume").click()
    wait_for_share(page, share + 0.02)
    with page.expect_response(lambda response: response.request.method == "DELETE") as dropped:
        row(page).get_by_role("button", name="Cancel").click()
    assert dropped.value.status == 204
    expect(page.locator(".upload")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_hidden()


def test_an_upload_survives_a_reload(site: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """After a reload the page names what is unfinished; the same file goes on from the byte the server has."""
    clip = big_clip(tmp_path)
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/upload")
    throttle(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-files]").set_input_files(clip)
    wait_for_share(page, 0.1)
    page.reload()
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_visible()
    throttle(page, -1)
    sent: list[int] = []
    page.on("request", lambda r: sent.append(int(r.headers["upload-offset"])) if r.method == "PATCH" else None)
    page.locator("[data-unfinished] input[type=file]").set_input_files(clip)
    phase(page, "processing", "ready")
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_hidden()
    assert sent[0] > SIZE * 0.03, "the upload began anew instead of going on"
    phase(page, "ready")
    alice.troubles.clear()


@pytest.mark.slow
def test_an_upload_survives_a_killed_server(server: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """kill -9 of the server in mid-upload: the page waits, says so, and goes on by itself once it is back."""
    server.add_user("alice@example.org")
    clip = big_clip(tmp_path)
    alice = visit(server.url).sign_in("alice@example.org")
    page = alice.page("/upload")
    throttle(page)
    page.locator("[data-files]").set_input_files(clip)
    wait_for_share(page, 0.1)
    server.kill()
    phase(page, "retrying")
    expect(row(page)).to_contain_text("Trying again by itself")
    server.restart()
    phase(page, "uploading", "processing")
    throttle(page, -1)
    phase(page, "processing", "ready")
    videos = server.client("alice@example.org").get("/api/v1/videos?owner=me").json()["items"]
    assert [video["title"] for video in videos] == ["padded"]
    alice.troubles.clear()
