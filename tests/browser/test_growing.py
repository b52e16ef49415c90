"""A film is watched while it is made: in players that we did not write, and on the page, with a pause in its making."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from streamhost.media import dash, hls, timeline
from streamhost.model.streaming import MANIFEST, Growth
from streamhost.testing import clips
from tests.browser.conftest import Visit
from tests.browser.support import until
from tests.browser.test_every_source import WAYS, Handler
from tests.support.clips import cached
from tests.support.server import Api, RunningServer
from tests.support.steered import steer
from tests.unit.media import workshop

LENGTH = 16
FIRST = 8
CHUNK = 8
SEGMENT = 4

CLOCK_GOES_ON = "(() => { const now = Date.now; Date.now = () => now() + 60_000; })()"
"""A minute goes by for whoever reckons with the clock."""

ASKED = "performance.getEntries().map((entry) => entry.name).filter((name) => name.includes('/api/v1/stream/'))"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """A film of sixteen seconds as a package."""
    folder = tmp_path_factory.mktemp("growing")
    return workshop.package(clips.make(folder / "film.mp4", clips.Clip(seconds=LENGTH, gop=25)), folder / "package")


class Unkept(Handler):
    """Hands out files that change: nobody keeps them. Times of files in headers know whole seconds only, so a player
    that asks whether one has changed could be told no."""

    def end_headers(self) -> None:
        """Say so."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


@pytest.fixture
def site(made: workshop.Package) -> Iterator[str]:
    """The address of a server with the package and the players."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Unkept, directory=str(made.out)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def show(made: workshop.Package, seconds: int) -> None:
    """Write the manifests as they are while so much stands; each is replaced at one moment."""
    shown = made.presentation
    growth = Growth(shown.duration, 1, time.time() - 60, time.time(), over=seconds == LENGTH)
    renditions = shown.renditions if growth.over else [timeline.until(r, Fraction(seconds)) for r in shown.renditions]
    grown = timeline.presentation(renditions, growth=growth)
    for name, text in {**hls.playlists(grown), MANIFEST: dash.manifest(grown)}.items():
        fresh = made.out / f"{name}.new"
        fresh.write_text(text)
        fresh.replace(made.out / name)


@pytest.mark.parametrize(("player", "manifest"), WAYS, ids=["shaka-dash", "shaka-hls", "hls.js"])
def test_it_begins_at_the_beginning_and_goes_on_to_the_end(
    player: str, manifest: str, made: workshop.Package, site: str, visit: Visit
) -> None:
    """Half of the film plays from 0 on; when the other half stands the player finds it by itself, up to the end."""
    show(made, FIRST)
    # DASH has no word for where to begin, and players begin what is unfinished at its end.
    page = visit(site).page(f"/{player}{'?start=0' if manifest == MANIFEST else ''}#/{manifest}")
    until(page, "advanced > 0.3")
    assert page.evaluate("video.played.start(0)") < 1
    if manifest == MANIFEST:
        assert page.evaluate("video.duration") == pytest.approx(LENGTH, abs=0.1)
    show(made, LENGTH)
    until(page, "(length) => Math.abs(video.duration - length) < 0.1 && video.seekable.length > 0", LENGTH)
    until(page, "(length) => { video.currentTime = length - 1; return video.currentTime > length - 1.5; }", LENGTH)
    until(page, "video.ended")
    page.close()


def film() -> Path:
    """Small MPEG-4 part 2, twenty chunks long: made much faster than it plays on any machine."""
    film = clips.Clip(seconds=160.0, width=320, height=180, codec="mpeg4", gop=50, languages=("eng",))
    return cached(film, ".mp4")


def listed_to(api: Api, video_id: str) -> float:
    """Where the track ends that is listed least far, in seconds."""
    document = ElementTree.fromstring(api.get(api.stream(video_id)["dash"]).raise_for_status().content)
    ends = []
    for template in document.iter(f"{{{dash.NAMESPACE}}}SegmentTemplate"):
        runs = template.findall("*/*")
        ticks = sum(int(run.get("d", "0")) * (int(run.get("r", "0")) + 1) for run in runs)
        ends += [ticks / int(template.get("timescale", "1"))] if runs else []
    assert len(ends) == 2
    return min(ends)


def test_a_film_is_watched_on_its_page_while_it_is_made(tmp_path: Path, visit: Visit) -> None:
    """The player starts with the first pieces, says what is still being made, and plays on into what comes later."""
    settings = {"STREAMHOST_MEDIA_CHUNK_SECONDS": str(CHUNK), "STREAMHOST_JOBS_MEDIA_WORKERS": "1"}
    site = RunningServer(tmp_path / "data", **settings).start()
    try:
        site.add_user("alice@example.org", "creator")
        alice = site.client("alice@example.org")
        video_id = alice.upload(film(), title="Long film")
        while not alice.video(video_id)["playable"]:
            time.sleep(0.02)
        steer(alice, video_id, "pause")
        page = visit(site.url).sign_in("alice@example.org").page(f"/watch/{video_id}")
        until(page, "document.querySelector('video').readyState > 1")
        assert page.evaluate("document.querySelector('video').duration") == pytest.approx(160, abs=0.2)
        expect(page.locator("[data-missing]")).to_be_visible()
        expect(page.locator("[data-seek] input")).to_have_attribute(
            "aria-valuetext", re.compile("plays up to .+ so far")
        )
        expect(page.get_by_text("still being made")).to_have_count(0)
        made = listed_to(alice, video_id)
        # Only a clock goes on while it stands still: no place becomes one that can be played by that.
        page.evaluate(CLOCK_GOES_ON)
        bar = page.locator("[data-seek]").bounding_box()
        assert bar is not None
        page.mouse.move(bar["x"] + bar["width"] * 0.98, bar["y"] + bar["height"] / 2)
        expect(page.locator("[data-tip-time]")).to_contain_text("still being made")
        page.mouse.click(bar["x"] + bar["width"] * 0.98, bar["y"] + bar["height"] / 2)
        until(page, "!document.querySelector('video').seeking")
        place = page.evaluate("document.querySelector('video').currentTime")
        assert made - SEGMENT < place < made
        # It was loaded once, with the permission that the page came with, also by who hears at once how far it is.
        assert page.evaluate(ASKED) == []
        other = page.context.new_page()
        other.goto(f"{site.url}/watch/{video_id}?t=100")
        until(other, "document.querySelector('video').readyState > 1")
        assert made - SEGMENT < other.evaluate("document.querySelector('video').currentTime") < made
        other.close()
        # Nobody waits for the promise of it: how much can be played from there is not said.
        page.evaluate("void document.querySelector('video').play()")
        steer(alice, video_id, "resume")
        alice.wait_until(video_id, "ready")
        expect(page.locator("[data-missing]")).to_be_hidden()
        expect(page.locator("[data-seek] input")).to_have_attribute("aria-valuetext", re.compile("of 2:40$"))
        page.evaluate("document.querySelector('video').currentTime = 158.5")
        until(page, "document.querySelector('video').ended")
    finally:
        site.stop()
