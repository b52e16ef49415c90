"""Captions, sounds and chapters in the player, by DASH and HLS; captions in another player."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.browser.conftest import Visit
from tests.browser.others import HLS_JS, bare_page, load_hls_js
from tests.browser.support import play_at, ready, until, wait_for_place, wait_for_time
from tests.support.films import film
from tests.support.server import RunningServer
from tests.support.server import until as wait

CHAPTERS = ((0, "The beginning"), (4, "In the middle"), (9, "The end"))


@pytest.fixture(scope="module")
def video(site: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Twelve seconds in two languages, French subtitles, uploaded German captions, three chapters."""
    alice = site.client("alice@example.org")
    made = alice.upload(film(tmp_path_factory.mktemp("film"), 12, CHAPTERS), title="A film", visibility="public")
    alice.wait_until(made, "ready")
    file = b"00:00:06,000 --> 00:00:08,000\nIn der Mitte\n"
    path = f"/api/v1/videos/{made}/captions"
    alice.post(path, data={"language": "de"}, files={"file": ("a.srt", file)}).raise_for_status()
    wait(lambda: len(alice.stream(made)["captions"]) == 2)
    yield made


def opened(site: RunningServer, visit: Visit, video: str, query: str = "") -> Page:
    """The watch page, ready to play, standing still at second 7."""
    page = visit(site.url).page(f"/watch/{video}{query}")
    ready(page)
    page.evaluate("document.querySelector('video').currentTime = 7")
    wait_for_place(page, 7)
    return page


def choose(page: Page, group: str, name: str) -> None:
    """Take something in the settings."""
    page.get_by_role("button", name="Quality and speed").click()
    page.get_by_role("group", name=group).get_by_label(name, exact=True).check()
    page.keyboard.press("Escape")


@pytest.mark.parametrize("stream_format", ["dash", "hls"])
def test_captions_are_shown_when_asked_for(site: RunningServer, visit: Visit, video: str, stream_format: str) -> None:
    """None at first; by the menu and by `c`; at their time and no other; the choice holds for the next page."""
    page = opened(site, visit, video, f"?format={stream_format}")
    box = page.locator(".shaka-text-container")
    button = page.get_by_role("button", name="Captions")
    german, french = box.get_by_text("In der Mitte"), box.get_by_text("Au milieu")
    expect(button).to_have_attribute("aria-pressed", "false")
    choose(page, "Captions", "Deutsch")
    expect(german).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "true")
    choose(page, "Captions", "Français")
    expect(french).to_be_visible()
    expect(german).to_have_count(0)
    page.evaluate("document.querySelector('video').currentTime = 5")
    expect(french).to_have_count(0)
    page.evaluate("document.querySelector('video').currentTime = 1")
    expect(box.get_by_text("Bonjour")).to_be_visible()
    page.keyboard.press("c")
    expect(box.get_by_text("Bonjour")).to_have_count(0)
    expect(page.locator("[data-echo]")).to_have_text("Captions off")  # for a moment
    choose(page, "Captions", "Français")
    page.reload()
    ready(page)
    page.evaluate("document.querySelector('video').currentTime = 7")
    expect(french).to_be_visible()
    page.keyboard.press("c")
    expect(french).to_have_count(0)
    page.keyboard.press("c")
    expect(button).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("stream_format", ["dash", "hls"])
def test_another_sound_can_be_chosen(site: RunningServer, visit: Visit, video: str, stream_format: str) -> None:
    """Both languages are offered by name; the chosen one is fetched, and remembered."""
    page = opened(site, visit, video, f"?format={stream_format}")
    page.get_by_role("button", name="Quality and speed").click()
    sounds = page.get_by_role("group", name="Sound")
    expect(sounds.get_by_label("English")).to_be_checked()
    with page.expect_request(lambda request: "/a-de/" in request.url):
        sounds.get_by_label("Deutsch").check()
    expect(sounds.get_by_label("Deutsch")).to_be_checked()
    with page.expect_request(lambda request: "/a-de/" in request.url):
        page.reload()


def test_chapters_are_marked_and_named(site: RunningServer, visit: Visit, video: str) -> None:
    """Two marks on the bar, the name of the present chapter, and the name under the pointer."""
    page = opened(site, visit, video)
    expect(page.locator(".seek__mark")).to_have_count(2)
    expect(page.locator("[data-chapter]")).to_have_text("In the middle")
    page.evaluate("document.querySelector('video').currentTime = 10")
    expect(page.locator("[data-chapter]")).to_have_text("The end")
    box = page.locator("[data-seek]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] / 2)
    expect(page.locator("[data-tip]")).to_contain_text("The beginning")


def test_nothing_is_offered_where_there_is_no_choice(
    site: RunningServer, visit: Visit, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A song: its waveform is the poster, and there are neither captions nor a choice of sounds; it plays."""
    alice = site.client("alice@example.org")
    song = clips.make(tmp_path_factory.mktemp("song") / "song.m4a", Clip(seconds=4, video=False))
    made = alice.upload(song, title="A song", visibility="public")
    assert alice.wait_until(made, "ready")["poster"]
    page = visit(site.url).page(f"/watch/{made}")
    until(page, "document.querySelector('[data-poster]').naturalWidth === 1280")
    ready(page)
    expect(page.get_by_role("button", name="Captions")).to_be_hidden()
    page.get_by_role("button", name="Quality and speed").click()
    expect(page.get_by_role("group", name="Speed")).to_be_visible()
    expect(page.get_by_role("group", name="Sound")).to_be_hidden()
    expect(page.get_by_role("group", name="Captions")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    until(page, "document.querySelector('video').currentTime > 0.3")


@pytest.fixture(scope="module")
def radio(site: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A sound of four seconds in two languages, without pictures."""
    alice = site.client("alice@example.org")
    clip = Clip(seconds=4, video=False, languages=("eng", "ger"))
    sound = clips.make(tmp_path_factory.mktemp("radio") / "radio.mka", clip)
    made = alice.upload(sound, title="Radio", visibility="public")
    alice.wait_until(made, "ready")
    return made


@pytest.mark.parametrize("stream_format", ["dash", "hls"])
def test_a_sound_without_pictures_has_its_languages(
    site: RunningServer, visit: Visit, radio: str, stream_format: str
) -> None:
    """It plays, and the other language can be chosen."""
    page = visit(site.url).page(f"/watch/{radio}?format={stream_format}")
    ready(page)
    with page.expect_request(lambda request: "/a-de/" in request.url):
        choose(page, "Sound", "Deutsch")
    page.keyboard.press("k")
    until(page, "document.querySelector('video').currentTime > 0.3")


def test_another_player_has_the_languages_of_a_sound(site: RunningServer, visit: Visit, radio: str) -> None:
    """hls.js plays it, lists both, and changes to the other one."""
    stream = httpx.get(f"{site.url}/api/v1/stream/{radio}").json()
    page = visit(site.url).page()
    bare_page(page, site.url, HLS_JS)
    load_hls_js(page, stream["hls"], "AUDIO_TRACKS_UPDATED")
    assert page.evaluate("hls.audioTracks.map(t => t.name)") == ["English", "Deutsch"]
    page.evaluate("document.querySelector('video').play()")
    until(page, "document.querySelector('video').currentTime > 0.3")
    page.evaluate("document.querySelector('video').pause()")
    with page.expect_request(lambda request: "/a-de/" in request.url):
        page.evaluate("hls.audioTrack = 1")
    play_at(page, 0)
    wait_for_time(page, 0.3)


def test_another_player_shows_captions(site: RunningServer, visit: Visit, video: str) -> None:
    """hls.js lists the tracks and has the cues at their times, also when it begins in the middle."""
    stream = httpx.get(f"{site.url}/api/v1/stream/{video}").json()
    page = visit(site.url).page()
    bare_page(page, site.url, HLS_JS)
    load_hls_js(page, stream["hls"], "SUBTITLE_TRACKS_UPDATED", startPosition=6.5)
    assert page.evaluate("hls.subtitleTracks.map(t => [t.name, t.lang])") == [["Deutsch", "de"], ["Français", "fr"]]
    page.evaluate("hls.subtitleTrack = 1")
    cues = "[...document.querySelector('video').textTracks].flatMap(t => [...(t.cues ?? [])])"
    until(page, f"{cues}.length === 2")
    found = page.evaluate(f"{cues}.map(c => [c.startTime, c.endTime, c.text])")
    assert [text for _, _, text in found] == ["<i>Bonjour</i>", "Au milieu"]
    assert [time for start, end, _ in found for time in (start, end)] == pytest.approx([0.5, 2.5, 6, 8], abs=0.06)
