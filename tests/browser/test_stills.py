"""Pictures over the seek bar, thumbnails as another player reads them from the manifest, and picking a poster."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from av.container import InputContainer
from playwright.sync_api import Locator, Page, expect

from streamhost.testing import clips
from tests.browser.conftest import Visit
from tests.browser.others import SHAKA, bare_page
from tests.browser.support import ready, stand_still, until
from tests.support.clips import cached
from tests.support.server import RunningServer
from tests.support.server import until as wait_until

CLIP = clips.Clip(seconds=8.0, width=192, height=108, fps=Fraction(25), gop=25)


@pytest.fixture(scope="module")
def video(site: RunningServer) -> Iterator[str]:
    """A public video of eight seconds whose pictures are numbered, as small as its previews."""
    alice = site.client("alice@example.org")
    video_id = alice.upload(cached(CLIP, ".mp4"), title="Bars", visibility="public")
    alice.wait_until(video_id, "ready")
    yield video_id


def counter(picture: bytes) -> int | None:
    """The number that a picture file shows."""
    with av.open(BytesIO(picture)) as container:
        assert isinstance(container, InputContainer)
        return clips.read_counter(next(container.decode(video=0)))


def shows(element: Locator, number: int) -> bool:
    """Whether a picture with this number is to be seen."""
    return counter(element.screenshot()) == number


def loaded(page: Page, address: str) -> None:
    """Wait until the browser has the picture at an address."""
    page.evaluate("address => { const i = new Image(); i.src = address; return i.decode() }", address)


@pytest.mark.parametrize("stream_format", ["dash", "hls"])
def test_the_seek_bar_shows_the_picture_of_its_place(
    site: RunningServer, visit: Visit, video: str, stream_format: str
) -> None:
    """Whoever points at the bar sees the moment there; away from it, nothing."""
    page = visit(site.url).page(f"/watch/{video}?format={stream_format}")
    ready(page)
    page.locator("[data-start]").click()
    until(page, "document.querySelector('video').currentTime > 0")
    stand_still(page)
    preview = page.locator("[data-preview]")
    bar = page.get_by_role("slider", name="Position")
    box = bar.bounding_box()
    assert box is not None
    for share, number in ((0.55, 4), (0.8, 6)):
        x, y = box["x"] + box["width"] * share, box["y"] + box["height"] / 2
        # The first look asks for the list of pictures, and shows one once that is there, without another move.
        page.mouse.move(x, y)
        expect(preview).to_be_visible()
        expect(page.locator("[data-tip-time]")).to_have_text(f"0:0{int(share * 8)}")
        address = str(preview.evaluate("e => getComputedStyle(e).backgroundImage.slice(5, -2)"))
        assert address.endswith("/storyboard/1.jpg")
        loaded(page, address)
        # A browser may draw a sheet a moment after it has it.
        wait_until(partial(shows, preview, number * 25))
    page.mouse.move(10, 10)
    expect(preview).to_be_hidden()


def test_another_player_reads_the_thumbnails_of_the_manifest(site: RunningServer, visit: Visit, video: str) -> None:
    """Shaka Player, by itself: the DASH manifest's image set gives the sheet and the place of each moment's picture."""
    stream = site.client("alice@example.org").stream(video)
    page = visit(site.url).page()
    bare_page(page, site.url, SHAKA)
    found: list[dict[str, Any]] = page.evaluate(
        """async url => {
            const player = new shaka.Player();
            await player.attach(document.querySelector('video'));
            await player.load(url);
            const [track] = player.getImageTracks();
            const all = [];
            for (const at of [0.5, 3.5, 7.2]) all.push(await player.getThumbnails(track.id, at));
            return all.map(t => ({start: t.startTime, x: t.positionX, y: t.positionY, w: t.width, h: t.height,
                                  url: t.uris[0]}));
        }""",
        stream["dash"],
    )
    sheet = site.client().get(found[0]["url"]).raise_for_status().content
    with av.open(BytesIO(sheet)) as container:
        assert isinstance(container, InputContainer)
        luma = next(container.decode(video=0)).to_ndarray(format="gray")
    for one, start in zip(found, (0, 3, 7), strict=True):
        assert one["start"] == pytest.approx(start, abs=0.01)
        x, y, w, h = (round(one[name]) for name in "xywh")
        tile = av.VideoFrame.from_ndarray(luma[y : y + h, x : x + w].copy(), "gray")
        assert clips.read_counter(tile) == start * 25


def test_a_poster_is_picked_by_keys_and_sent_by_file(
    site: RunningServer, visit: Visit, video: str, tmp_path: Path
) -> None:
    """The edit page shows the candidates; arrows and Enter choose one, a file of one's own replaces it."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page(f"/studio/{video}")
    choices = page.get_by_role("group", name="The picture that stands for this video").get_by_role("radio")
    expect(choices).to_have_count(6)
    api = site.client("alice@example.org")
    automatic = api.get(f"/api/v1/videos/{video}/posters").json()["automatic"]
    expect(choices.nth(automatic)).to_be_checked()
    choices.nth(automatic).focus()
    page.keyboard.press("ArrowRight")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    picked = (automatic + 1) % 6
    expect(choices.nth(picked)).to_be_checked()
    assert api.get(f"/api/v1/videos/{video}/posters").json()["chosen"] == picked
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    page.locator("[data-poster-file]").set_input_files(broken)
    expect(page.get_by_role("alert")).to_contain_text("not a picture")
    alice.troubles.clear()  # the browser notes the refusal
    sent = tmp_path / "sent.jpg"
    candidate = api.get(f"/api/v1/videos/{video}/posters/0").content
    sent.write_bytes(candidate)
    with page.expect_navigation():
        page.locator("[data-poster-file]").set_input_files(sent)
    expect(choices).to_have_count(7)
    expect(page.get_by_label("Your picture")).to_be_checked()
