"""Playing: by DASH and HLS in our player, and by another one; seeking, qualities, keys, what goes wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accounts import forgive
from tests.browser.conftest import Visit
from tests.browser.others import HLS_JS, bare_page, load_hls_js
from tests.browser.support import (
    PATIENCE,
    bunny,
    current_time,
    play_at,
    ready,
    stand_still,
    until,
    wait_for_place,
    wait_for_time,
)
from tests.support.clips import copied_clip
from tests.support.server import RunningServer

EXPIRY = re.compile(r'"grant_expires_at": "[^"]+"')

AWAY = [
    "net::ERR_CONNECTION_",  # refused, reset, closed
    "net::ERR_EMPTY_RESPONSE",
    "net::ERR_CONTENT_LENGTH_MISMATCH",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
    "net::ERR_SOCKET_NOT_CONNECTED",
]
"""What a browser says of a server that is killed before an answer, in the middle of one, or that is gone."""


@pytest.fixture(scope="module")
def videos(site: RunningServer) -> Iterator[dict[str, str]]:
    """Two public videos that are ready: real content of 5 seconds, and a generated clip of 24."""
    alice = site.client("alice@example.org")
    ids = {
        "bunny": alice.upload(bunny(), title="Big Buck Bunny", visibility="public"),
        "long": alice.upload(copied_clip(), title="Bars and tones", visibility="public"),
    }
    for video in ids.values():
        alice.wait_until(video, "ready")
    yield ids


def choose_quality(page: Page, name: str) -> None:
    """Open the settings and take a quality, after another one: what the player had chosen by itself already, as it does
    on a slow machine, would change nothing, and what is loaded would stay. By a key, for controls fade from pointers
    while it plays."""
    page.get_by_role("button", name="Quality and speed").press("Enter")
    group = page.get_by_role("group", name="Quality")
    group.get_by_label(re.compile(rf"^(?!{name}$)\d+p$")).first.check()
    group.get_by_label(name, exact=True).check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Quality and speed")).to_be_focused()


@pytest.mark.parametrize("stream_format", ["dash", "hls"])
@pytest.mark.parametrize("name", ["bunny", "long"])
def test_it_plays(site: RunningServer, visit: Visit, videos: dict[str, str], name: str, stream_format: str) -> None:
    """Time goes on, seeks land, renditions switch, and the browser has nothing to complain about."""
    page = visit(site.url).page(f"/watch/{videos[name]}?format={stream_format}")
    ready(page)
    page.locator("[data-start]").click()
    wait_for_time(page, 0.5)
    length = float(page.evaluate("document.querySelector('video').duration"))
    page.get_by_role("slider", name="Position").focus()
    page.keyboard.press("6")
    wait_for_time(page, length * 0.6 - 0.1)
    stand_still(page)
    page.keyboard.press("1")
    wait_for_place(page, length * 0.1)
    best = site.client().video(videos[name])["height"]
    choose_quality(page, "240p")
    until(page, "document.querySelector('video').videoHeight === 240")
    choose_quality(page, f"{best}p")
    until(page, f"document.querySelector('video').videoHeight === {best}")
    page.keyboard.press("9")
    page.keyboard.press("k")
    until(page, "document.querySelector('video').ended")
    expect(page.get_by_role("button", name="Play again")).to_be_visible()
    wanted = ".mpd" if stream_format == "dash" else ".m3u8"
    loaded = page.evaluate("performance.getEntriesByType('resource').map(r => new URL(r.name).pathname)")
    assert any(path.endswith(wanted) for path in loaded)


@pytest.mark.parametrize("stream_format", ["dash", "hls"])
def test_what_is_asked_for_early_is_what_plays(
    site: RunningServer, visit: Visit, videos: dict[str, str], stream_format: str
) -> None:
    """The manifest that the page names in its head is asked for once: the player takes that answer, and no other."""
    page = visit(site.url).page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/watch/{videos['long']}?format={stream_format}")
    ready(page)
    early = str(page.evaluate("document.querySelector('link[rel=preload]').href"))
    assert early.endswith("/manifest.mpd" if stream_format == "dash" else "/master.m3u8")
    assert asked.count(early) == 1


@pytest.mark.parametrize("name", ["bunny", "long"])
def test_another_player_plays_it(site: RunningServer, visit: Visit, videos: dict[str, str], name: str) -> None:
    """hls.js plays the HLS stream: time goes on, seeks land, renditions switch."""
    stream = httpx.get(f"{site.url}/api/v1/stream/{videos[name]}").json()
    page = visit(site.url).page()
    bare_page(page, site.url, HLS_JS)
    load_hls_js(page, stream["hls"])
    page.evaluate("document.querySelector('video').play()")
    wait_for_time(page, 0.5)
    length = float(page.evaluate("document.querySelector('video').duration"))
    for level in page.evaluate("hls.levels.map(level => level.height)"):
        page.evaluate("height => { hls.currentLevel = hls.levels.findIndex(l => l.height === height) }", level)
        play_at(page, length * 0.4)
        until(page, f"document.querySelector('video').videoHeight === {level}")
        wait_for_time(page, length * 0.4)


def test_the_keyboard_rules_the_player(site: RunningServer, visit: Visit, videos: dict[str, str]) -> None:
    """Every shortcut of the list does what the list says, and typing elsewhere is left alone."""
    page = visit(site.url).page(f"/watch/{videos['long']}")
    ready(page)
    page.keyboard.press("k")
    wait_for_time(page, 0.3)
    page.keyboard.press(" ")
    until(page, "document.querySelector('video').paused")
    page.keyboard.press("5")
    wait_for_place(page, 12)
    for key, moved in (("l", 10), ("j", -10), ("ArrowRight", 5), ("ArrowLeft", -5)):
        before = current_time(page)
        page.keyboard.press(key)
        wait_for_place(page, before + moved, 0.1)
    before = current_time(page)
    page.keyboard.press(".")
    wait_for_time(page, before)
    assert current_time(page) - before < 0.1
    page.keyboard.press("m")
    until(page, "document.querySelector('video').muted")
    page.keyboard.press("m")
    until(page, "!document.querySelector('video').muted")
    page.keyboard.press("ArrowDown")
    until(page, "Math.abs(document.querySelector('video').volume - 0.95) < 0.001")
    page.keyboard.press(">")
    until(page, "document.querySelector('video').playbackRate === 1.25")
    page.keyboard.press("f")
    until(page, "document.fullscreenElement !== null")
    page.keyboard.press("f")
    until(page, "document.fullscreenElement === null")
    page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_be_visible()
    page.get_by_label("They work anywhere").uncheck()
    page.keyboard.press("Escape")
    expect(shortcuts).to_be_hidden()
    page.get_by_role("combobox", name="Search videos").focus()
    page.keyboard.press("k")
    expect(page.get_by_role("combobox", name="Search videos")).to_have_value("k")
    page.get_by_role("link", name="streamhost", exact=True).focus()
    page.keyboard.press("k")
    assert page.evaluate("document.querySelector('video').paused"), "shortcuts were limited to the player"


def test_a_grant_is_renewed_while_playing(site: RunningServer, visit: Visit, videos: dict[str, str]) -> None:
    """Segments that an old manifest names are fetched with the newest grant, and playing does not stop."""
    page = visit(site.url).page()
    grants: list[str] = []

    def age(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=EXPIRY.sub('"grant_expires_at": "2020-01-01T00:00:00Z"', answer.text()))

    def shorten(route: Route) -> None:
        answer = route.fetch()
        document = answer.json()
        if not grants:
            document["grant_expires_at"] = "2020-01-01T00:00:00Z"
        route.fulfill(response=answer, json=document)
        grants.append(document["dash"].split("/")[2])

    page.route("**/watch/*", age)  # as if it came out of the browser's history
    page.route("**/api/v1/stream/*", shorten)
    page.goto(f"{site.url}/watch/{videos['long']}")
    ready(page)
    deadline = time.monotonic() + PATIENCE / 1000
    while len(grants) < 2:
        assert time.monotonic() < deadline, grants
        page.wait_for_timeout(50)
    with page.expect_request(lambda request: f"/s/{grants[1]}/" in request.url):
        choose_quality(page, "240p")
    page.keyboard.press("9")
    page.keyboard.press("k")
    wait_for_time(page, 21.7)


def test_play_is_heard_while_the_stream_is_loaded_anew(
    site: RunningServer, visit: Visit, videos: dict[str, str]
) -> None:
    """A video that was packaged anew is taken up by itself; who presses play in that moment has pressed play."""
    guest = visit(site.url)
    page = guest.page()
    held: list[Route] = []

    def other_package(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"package": "another"})

    page.goto(f"{site.url}/watch/{videos['long']}")
    ready(page)
    page.get_by_role("button", name="Quality and speed").press("Enter")
    expect(page.get_by_role("group", name="Quality").get_by_label("240p", exact=True)).to_be_visible()
    page.route("**/api/v1/stream/*", other_package)
    page.route("**/s/**/manifest.mpd", lambda route: held.append(route))
    page.route("**/s/**/*.m4s", lambda route: route.fulfill(status=403, body=""), times=1)
    # All in one moment: once a segment is refused, there is nothing to choose from until the manifest is there.
    page.evaluate("document.querySelectorAll('[data-qualities] input').forEach((one) => one.click())")
    page.keyboard.press("Escape")
    deadline = time.monotonic() + PATIENCE / 1000
    while not held:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    page.keyboard.press("k")
    until(page, "document.querySelector('[data-start]').hidden")
    held[0].continue_()
    wait_for_time(page, 0.3)
    forgive(guest.troubles, "403")


def test_a_refused_segment_is_rescued_by_a_new_grant(site: RunningServer, visit: Visit, videos: dict[str, str]) -> None:
    """After the machine slept past the end of the grant, playing goes on by itself."""
    guest = visit(site.url)
    page = guest.page()
    refused = {"on": False, "times": 0}

    def refuse(route: Route) -> None:
        if refused["on"]:
            refused["times"] += 1
            route.fulfill(status=403, body="")
        else:
            route.continue_()

    def grant(route: Route) -> None:
        refused["on"] = False
        route.continue_()

    page.route("**/s/**/*.m4s", refuse)
    page.goto(f"{site.url}/watch/{videos['long']}")
    ready(page)
    page.route("**/api/v1/stream/*", grant)
    refused["on"] = True
    choose_quality(page, "240p")
    page.keyboard.press("k")
    page.keyboard.press("9")
    wait_for_time(page, 21.7)
    assert refused["times"] > 0
    assert [t for t in guest.troubles if "403" not in t] == []
    guest.troubles.clear()


def test_a_broken_connection_is_said_in_words(site: RunningServer, visit: Visit, videos: dict[str, str]) -> None:
    """When the stream cannot be had the player says so, and its button tries again."""
    guest = visit(site.url)
    page = guest.page()
    page.route("**/s/**/manifest.mpd", lambda route: route.abort())
    page.goto(f"{site.url}/watch/{videos['bunny']}")
    expect(page.get_by_role("alert")).to_have_text("The stream broke off")
    page.unroute("**/s/**/manifest.mpd")
    page.get_by_role("button", name="Try again").click()
    ready(page)
    page.keyboard.press("k")
    wait_for_time(page, 0.3)
    guest.troubles.clear()


def test_the_watch_page_waits_for_its_video(site: RunningServer, visit: Visit) -> None:
    """Opened while the video is being made, the page shows how far it is and starts the player by itself."""
    alice = visit(site.url).sign_in("alice@example.org")
    video = site.client("alice@example.org").upload(bunny(), title="Fresh", visibility="private")
    page = alice.page(f"/watch/{video}")
    ready(page)
    page.keyboard.press("k")
    wait_for_time(page, 0.3)
    site.client("alice@example.org").wait_until(video, "ready")
    expect(page.locator("[data-processing]")).to_be_hidden()


def test_a_private_video_does_not_exist_for_others(site: RunningServer, visit: Visit) -> None:
    """A stranger gets the page for what is not there, with a way to sign in."""
    video = site.client("alice@example.org").upload(bunny(), title="Hers", visibility="private")
    guest = visit(site.url)
    page = guest.page(f"/watch/{video}")
    expect(page.get_by_text("There is nothing here")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    assert [t for t in guest.troubles if "404" not in t] == []
    guest.troubles.clear()


def test_a_seek_while_it_is_loaded_counts(server: RunningServer, visit: Visit) -> None:
    """Who asks for a place before anything is loaded gets there, and not to where the page's address leads."""
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    video = alice.upload(copied_clip(), visibility="public")
    alice.wait_until(video, "ready")
    page = visit(server.url).page(f"/watch/{video}?t=2")
    page.evaluate("document.querySelector('video').currentTime = 12")
    ready(page)
    wait_for_place(page, 12)


@pytest.mark.slow
def test_playing_survives_a_restart_of_the_server(server: RunningServer, visit: Visit) -> None:
    """kill -9 of the server while a video plays: the picture waits at most, and goes on once the server is back."""
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    video = alice.upload(copied_clip(), visibility="public")
    alice.wait_until(video, "ready")
    guest = visit(server.url)
    page = guest.page(f"/watch/{video}")
    ready(page)
    page.keyboard.press("k")
    wait_for_time(page, 0.3)
    server.kill()
    choose_quality(page, "240p")
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.keyboard.press("8")
    # It tries again and again, for half a minute: what fails while nobody looks counts too. Which piece of the other
    # quality it asks for first, its beginning or a segment, is a matter of moments.
    while sum(url.endswith((".m4s", "/v240/init.mp4")) for url in failed) < 3:
        page.wait_for_event("requestfailed")
    expect(page.get_by_role("alert")).to_have_count(0)
    server.restart()
    until(page, "document.querySelector('video').videoHeight === 240")
    wait_for_time(page, 20)
    forgive(guest.troubles, *AWAY, "503")
