"""Protected videos in a real browser: each protection plays, passwords and links open, streams are listed and
stopped."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from streamhost.testing.clips import Clip
from tests.browser.accounts import forgive
from tests.browser.conftest import Visit
from tests.browser.support import current_time, until, wait_for_time
from tests.support.clips import cached
from tests.support.server import RunningServer

CLIP = Clip(seconds=12, width=320, height=180, gop=50)
LONG = Clip(seconds=60, width=320, height=180, gop=50)
LOADED = "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)"
LATE = "403"
"""What a machine is told that stood still for so long that a grant has ended: it asks for another one, and goes on."""
MODES = [("cenc", "dash"), ("cenc", "hls"), ("cbcs", "dash"), ("cbcs", "hls"), ("aes-128", "dash")]


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site whose grants are good for 15 seconds, and alice."""
    data = tmp_path_factory.mktemp("brief") / "data"
    server = RunningServer(data, STREAMHOST_PLAYBACK_GRANT_MINUTES="0.25").start()
    server.add_user("alice@example.org", "creator")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def films(site: RunningServer) -> Iterator[dict[str, str]]:
    """A public video under each protection, ready."""
    alice = site.client("alice@example.org")
    ids = {
        protection: alice.upload(cached(CLIP, ".mp4"), title=protection, visibility="public", protection=protection)
        for protection in ("cenc", "cbcs", "aes-128")
    }
    for video in ids.values():
        alice.wait_until(video, "ready")
    yield ids


def play(page: Page) -> None:
    """Start, and see time go on."""
    expect(page.get_by_role("button", name="Play", exact=True).first).to_be_visible()
    page.locator("[data-start]").click()
    wait_for_time(page, 0.5)


@pytest.mark.parametrize(("protection", "stream_format"), MODES)
def test_each_protection_plays(
    site: RunningServer, visit: Visit, films: dict[str, str], protection: str, stream_format: str
) -> None:
    """In our player, with keys by licence or one by one; seeking lands; nothing was played in the clear."""
    page = visit(site.url).page(f"/watch/{films[protection]}?format={stream_format}")
    play(page)
    page.get_by_role("slider", name="Position").focus()
    page.keyboard.press("8")
    wait_for_time(page, 9.5)
    loaded = page.evaluate(LOADED)
    assert any("/license/clearkey" in path or "/key/" in path for path in loaded)
    if protection != "aes-128":
        assert page.evaluate("document.querySelector('video').mediaKeys !== null")
    wanted = ".mpd" if stream_format == "dash" and protection != "aes-128" else ".m3u8"
    assert any(path.endswith(wanted) for path in loaded)


def test_grants_are_renewed_without_a_break(brief: RunningServer, visit: Visit) -> None:
    """With grants of 15 seconds an encrypted video plays on across their ends, and asks for newer ones."""
    alice = brief.client("alice@example.org")
    video = alice.upload(cached(LONG, ".mp4"), title="Long", visibility="public", protection="cenc")
    alice.wait_until(video, "ready")
    guest = visit(brief.url)
    page = guest.page(f"/watch/{video}")
    play(page)
    first = page.evaluate(f"{LOADED}.find((path) => path.startsWith('/s/')).split('/')[2]")
    until(page, f"{LOADED}.filter((path) => path.startsWith('/api/v1/stream/')).length >= 2")
    page.get_by_role("slider", name="Position").focus()
    with page.expect_request(lambda request: ".m4s" in request.url and f"/s/{first}/" not in request.url):
        page.keyboard.press("9")
    wait_for_time(page, 54)
    expect(page.get_by_role("alert")).to_have_count(0)
    forgive(guest.troubles, LATE)


def test_a_switch_does_not_stop_who_is_watching(brief: RunningServer, visit: Visit) -> None:
    """A clear video is encrypted while it plays: with the next grant the player takes up the new package and plays
    on."""
    alice = brief.client("alice@example.org")
    video = alice.upload(cached(LONG, ".mp4"), title="Long", visibility="public")
    alice.wait_until(video, "ready")
    guest = visit(brief.url)
    page = guest.page(f"/watch/{video}")
    play(page)
    page.evaluate("document.querySelector('video').currentTime = 10")
    wait_for_time(page, 10.5)
    assert alice.patch(f"/api/v1/videos/{video}", json={"protection": "cenc"}).status_code == 200
    # A player that is being loaded stands at 0 for a moment.
    until(page, "(video => video.mediaKeys !== null && video.currentTime > 0)(document.querySelector('video'))")
    at = current_time(page)
    assert at > 10, "it goes on where it was"
    wait_for_time(page, at + 1)
    expect(page.get_by_role("alert")).to_have_count(0)
    forgive(guest.troubles, LATE)


def test_a_password_is_asked_for(site: RunningServer, visit: Visit, films: dict[str, str]) -> None:
    """The owner sets it by the edit page; a guest is asked, hears of a wrong one, and watches after the right one."""
    video = films["cenc"]
    owner = visit(site.url).sign_in("alice@example.org")
    page = owner.page(f"/studio/{video}")
    form = page.locator(f"form[action='/studio/{video}']")
    expect(form.get_by_label("Password of the video")).to_be_hidden()
    form.get_by_role("radio", name="Password").check()
    form.get_by_label("Password of the video").fill("open sesame")
    form.get_by_role("button", name="Save changes").click()
    page.wait_for_url("**/studio?done=saved")
    guest = visit(site.url)
    page = guest.page(f"/watch/{video}")
    expect(page.get_by_role("heading", name="cenc")).to_have_count(0)
    page.get_by_label("Password of the video").fill("open barley")
    page.get_by_role("button", name="Open the video").click()
    expect(page.get_by_text("That is not the password of this video.")).to_be_visible()
    page.get_by_label("Password of the video").fill("open sesame")
    page.get_by_role("button", name="Open the video").click()
    play(page)
    assert page.url.endswith(f"/watch/{video}")
    guest.troubles = [one for one in guest.troubles if "403" not in one and "422" not in one]
    alice = site.client("alice@example.org")
    alice.patch(f"/api/v1/videos/{video}", json={"visibility": "public"})


def test_a_link_opens_once(site: RunningServer, visit: Visit, films: dict[str, str]) -> None:
    """Made on the edit page; the one who opens it is asked, watches, and keeps watching; the next one is too late."""
    video = films["cbcs"]
    alice = site.client("alice@example.org")
    alice.patch(f"/api/v1/videos/{video}", json={"visibility": "private"})
    owner = visit(site.url).sign_in("alice@example.org")
    page = owner.page(f"/studio/{video}")
    page.get_by_label("For whom").fill("grandma")
    page.get_by_label("How often").fill("1")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("heading", name="grandma")).to_be_visible()
    address = page.locator("#links code").first.inner_text()
    assert httpx.get(address).status_code == 200, "a preview uses nothing up"
    guest = visit(site.url)
    page = guest.page(address.removeprefix(site.url))
    page.get_by_role("button", name="Open it").click()
    play(page)
    assert "link=" not in page.url
    assert httpx.get(address).status_code == 410
    page = owner.page(f"/studio/{video}")
    expect(page.get_by_text("Used up")).to_be_visible()
    alice.patch(f"/api/v1/videos/{video}", json={"visibility": "public"})


def test_active_streams_are_listed_and_stopped(site: RunningServer, visit: Visit, films: dict[str, str]) -> None:
    """On the page of the account, with a button that ends them."""
    bob = visit(site.url).sign_in("bob@example.org")
    playing = bob.page(f"/watch/{films['aes-128']}")
    play(playing)
    page = bob.page("/account/streams")
    expect(page.get_by_role("link", name="aes-128")).to_be_visible()
    expect(page.get_by_text("This browser")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("That stream is stopped.")).to_be_visible()
    root = visit(site.url).sign_in("root@example.org")
    expect(root.page("/admin/streams").get_by_text("Nothing at the moment.")).to_be_visible()
    bob.troubles = [one for one in bob.troubles if "403" not in one]
