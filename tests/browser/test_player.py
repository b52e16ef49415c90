"""The player as people use it: by keys alone, from a place in a link, on a phone, to its end and beyond."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.support import (
    current_time,
    press_tab,
    profile,
    ready,
    stand_still,
    until,
    wait_for_beginning,
    wait_for_place,
    wait_for_time,
)
from tests.support.axe import complaints
from tests.support.clips import copied_clip
from tests.support.server import RunningServer

CHAPTERS = [{"start": 0, "title": "Dawn"}, {"start": 8, "title": "Noon"}, {"start": 16, "title": "Dusk"}]

PACE = """([timer, times]) => {
    const real = (window[`real ${timer}`] ??= window[timer]);
    window[timer] = (does, ms, ...more) => real(does, ms < 1000 ? ms : ms * times, ...more);
}"""


@pytest.fixture(scope="module")
def video(site: RunningServer) -> Iterator[str]:
    """A public video of 24 seconds with three chapters and captions."""
    alice = site.client("alice@example.org")
    made = alice.upload(copied_clip(), title="Bars & tones", visibility="public")
    alice.wait_until(made, "ready")
    alice.patch(f"/api/v1/videos/{made}", json={"chapters": CHAPTERS}).raise_for_status()
    words = b"00:00:00,000 --> 00:00:24,000\nThe words\n"
    path = f"/api/v1/videos/{made}/captions"
    alice.post(path, data={"language": "en"}, files={"file": ("a.srt", words)}).raise_for_status()
    yield made


def opened(visit: Visit, site: RunningServer, path: str, **looks: int) -> Page:
    """The page at `path`, ready to play."""
    page = visit(site.url, **looks).page(path)
    ready(page)
    return page


def play_the_end(page: Page) -> None:
    """Begin to play what is left after a jump near the end."""
    page.evaluate("document.querySelector('video').currentTime = 23.5")
    wait_for_place(page, 23.5)
    page.keyboard.press("k")


def pace(page: Page, timer: str, times: float) -> None:
    """Have the seconds of timers that start from now on take so many times as long: what a viewer has seconds for may
    take a slow machine more."""
    page.evaluate(PACE, [timer, times])


def test_the_picture_leaves_its_page_and_comes_back(site: RunningServer, visit: Visit, video: str) -> None:
    """By the key and by the button, into the browser's own small window."""
    page = opened(visit, site, f"/watch/{video}")
    page.locator("[data-start]").click()
    wait_for_time(page, 0.2)
    for away in (True, False):
        page.keyboard.press("i")
        until(page, "(away) => (document.pictureInPictureElement !== null) === away", away)
    stand_still(page)
    page.get_by_role("button", name="Picture in picture").click()
    until(page, "document.pictureInPictureElement === document.querySelector('video')")
    page.evaluate("document.exitPictureInPicture()")


def test_speed_sound_and_the_whole_screen(site: RunningServer, visit: Visit, video: str) -> None:
    """Speed is chosen among radio buttons, by mouse and by keys; `m` makes silent, `f` fills the screen, and back."""
    page = opened(visit, site, f"/watch/{video}")
    page.locator("[data-start]").click()
    wait_for_time(page, 0.1)
    stand_still(page)
    page.get_by_role("button", name="Quality and speed").click()
    speeds = page.get_by_role("group", name="Speed")
    expect(speeds.get_by_role("radio")).to_have_count(7)
    expect(speeds.get_by_role("radio", checked=True)).to_have_attribute("value", "1")
    speeds.get_by_role("radio", name="1.5").check()
    until(page, "document.querySelector('video').playbackRate === 1.5")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('video').playbackRate === 1.75")
    expect(speeds.get_by_role("radio", checked=True)).to_have_attribute("value", "1.75")
    page.keyboard.press("Escape")
    page.keyboard.press("<")
    until(page, "document.querySelector('video').playbackRate === 1.5")
    for silent, then in ((True, "Unmute"), (False, "Mute")):
        page.keyboard.press("m")
        until(page, "(silent) => document.querySelector('video').muted === silent", silent)
        expect(page.get_by_role("button", name=then, exact=True)).to_have_count(1)
    for filled, then in ((True, "Leave full screen"), (False, "Full screen")):
        page.keyboard.press("f")
        until(page, "(filled) => (document.fullscreenElement?.dataset.player !== undefined) === filled", filled)
        expect(page.get_by_role("button", name=then, exact=True)).to_have_count(1)


def test_a_session_by_keyboard_alone(site: RunningServer, visit: Visit, video: str) -> None:
    """From the top of the page: play, leave by a chapter, choose captions and their look, share, theatre, help."""
    page = opened(visit, site, f"/watch/{video}")
    press_tab(page)
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'main'")
    for _ in range(2):
        press_tab(page)
    page.keyboard.press("Enter")
    wait_for_time(page, 0.2)
    expect(page.get_by_label("Bars & tones", exact=True)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("]")
    wait_for_place(page, 8)
    page.keyboard.press("]")
    wait_for_place(page, 16)
    page.keyboard.press("[")
    wait_for_place(page, 8)
    chapters = page.get_by_role("button", name="Chapters, now: Noon")
    chapters.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="0:08 Noon")).to_be_focused()
    press_tab(page)
    page.keyboard.press("Enter")
    wait_for_place(page, 16)
    expect(page.get_by_role("button", name="Chapters, now: Dusk")).to_be_focused()
    expect(page.get_by_role("slider", name="Position")).to_have_attribute("aria-valuetext", "0:16 of 0:24, Dusk")
    page.keyboard.press("c")
    expect(page.locator(".shaka-text-container").get_by_text("The words")).to_be_visible()
    page.get_by_role("button", name="Quality and speed").focus()
    page.keyboard.press("Enter")
    look = page.get_by_role("group", name="Caption style").get_by_label("Size")
    look.focus()
    before = page.locator(".shaka-text-container").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    look.press("l")
    expect(look).to_have_value("large")
    after = page.locator(".shaka-text-container").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert after > before * 1.2
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Quality and speed")).to_be_focused()
    theatre = page.get_by_role("button", name="Theatre")
    page.keyboard.press("t")
    expect(theatre).to_have_attribute("aria-pressed", "true")
    until(page, "Math.abs(document.querySelector('.watch__stage').clientWidth - document.body.clientWidth) < 20")
    page.reload()
    expect(theatre).to_have_attribute("aria-pressed", "true")
    ready(page)
    page.keyboard.press("t")
    expect(theatre).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Chapter before or after")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog", name="Share")).to_be_visible()


def test_a_link_leads_to_a_place(site: RunningServer, visit: Visit, video: str) -> None:
    """`?t=` is where it begins; sharing there gives such a link, and the code for a frame likewise."""
    page = opened(visit, site, f"/watch/{video}?t=0m9s")
    wait_for_place(page, 9)
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share")
    link, code = dialog.get_by_label("Link", exact=True), dialog.get_by_label("For a page of your own")
    expect(link).to_have_value(f"{site.url}/watch/{video}")
    dialog.get_by_label("Start at").check()
    expect(link).to_have_value(f"{site.url}/watch/{video}?t=9s")
    dialog.get_by_label("Start time").fill("1:05")
    expect(link).to_have_value(f"{site.url}/watch/{video}?t=1m5s")
    assert f'src="{site.url}/embed/{video}?t=1m5s"' in code.input_value()
    dialog.get_by_label("Start time").fill("soon")
    expect(dialog.get_by_label("Start time")).to_have_attribute("aria-invalid", "true")
    assert complaints(page) == []


def test_it_goes_on_where_somebody_left_off(site: RunningServer, visit: Visit, video: str) -> None:
    """Coming back, the player stands where it was and offers the beginning; a link's own place comes first."""
    page = opened(visit, site, f"/watch/{video}")
    page.keyboard.press("5")
    wait_for_place(page, 12)
    page.goto(f"{site.url}/watch/{video}")
    wait_for_place(page, 12)
    expect(page.get_by_text("Going on at 0:12")).to_be_visible()
    page.goto(f"{site.url}/watch/{video}?t=3")
    wait_for_place(page, 3)
    expect(page.get_by_text("Going on at")).to_be_hidden()
    page.goto(f"{site.url}/watch/{video}")
    page.get_by_role("button", name="From the beginning").click()
    wait_for_beginning(page)
    assert complaints(page) == []


def test_chapters_below_the_player_lead_to_places(site: RunningServer, visit: Visit, video: str) -> None:
    """A click goes there without a new page; the present one is marked; each is a link that can be handed on."""
    page = opened(visit, site, f"/watch/{video}")
    chapters = page.get_by_role("navigation", name="Chapters").filter(has=page.get_by_role("link"))
    page.evaluate("window.same = true")
    noon = chapters.get_by_role("link", name="0:08 Noon")
    assert noon.get_attribute("href") == f"/watch/{video}?t=8"
    for rate in (0.75, 0.5):  # so that the next chapter is far
        page.keyboard.press("<")
        until(page, "(rate) => document.querySelector('video').playbackRate === rate", rate)
    noon.click()
    wait_for_time(page, 8.05)
    expect(noon).to_have_attribute("aria-current", "true")
    assert page.evaluate("window.same")


def test_at_the_end_others_follow(site: RunningServer, visit: Visit, video: str) -> None:
    """What is related stands over the last picture, and with the box ticked the first of it starts by itself, unless
    somebody stays. By a key it starts at any time."""
    page = visit(site.url).page()
    related = [{"id": f"next{n}", "title": f"Next {n}", "duration": 61.0, "poster": None} for n in range(3)]
    items = [{"video": one | {"owner": {"name": "Bob"}}, "score": 1, "reason": ""} for one in related]

    def answer(route: Route) -> None:
        route.fulfill(body=json.dumps({"items": items}), content_type="application/json")

    page.route("**/api/v1/videos/*/related*", answer)
    page.route("**/watch/next0*", lambda route: route.fulfill(body="arrived", content_type="text/html"))
    page.goto(f"{site.url}/watch/{video}")
    ready(page)
    play_the_end(page)
    after = page.get_by_role("region", name="After this video")
    expect(after.get_by_role("link")).to_have_count(3)
    expect(after.get_by_role("timer")).to_have_count(0)
    assert complaints(page) == []
    page.get_by_role("button", name="Play again").click()
    expect(after).to_be_hidden()
    wait_for_beginning(page)
    stand_still(page)
    page.get_by_role("button", name="Quality and speed").click()
    page.get_by_label("Go on with the next video").check()
    page.keyboard.press("Escape")
    pace(page, "setInterval", 100)
    play_the_end(page)
    expect(after.get_by_role("timer")).to_be_visible()
    after.get_by_role("button", name="Stay here").click()
    expect(after.get_by_role("timer")).to_have_count(0)
    pace(page, "setInterval", 0.1)
    play_the_end(page)
    page.wait_for_url("**/watch/next0?autoplay=1")
    page.goto(f"{site.url}/watch/{video}")
    ready(page)
    page.keyboard.press("Shift+N")
    page.wait_for_url("**/watch/next0?autoplay=1")


def test_thumbs_rule_the_player_on_a_phone(site: RunningServer, browser: Browser, video: str) -> None:
    """One tap shows the controls, another pauses; two on a side skip, a third one further; settings come up from below,
    360 px wide."""
    context = profile(browser, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{site.url}/watch/{video}")
    ready(page)
    page.locator("[data-start]").tap()
    wait_for_time(page, 0.1)
    page.evaluate("document.querySelector('video').loop = true")
    player = page.locator("[data-player]")
    expect(player).to_contain_class("player--idle")
    pace(page, "setTimeout", 100)
    player.locator("video").tap()
    expect(player).not_to_contain_class("player--idle")
    page.get_by_role("button", name="Pause").tap()
    until(page, "document.querySelector('video').paused")
    page.evaluate("document.querySelector('video').loop = false")
    box = player.bounding_box()
    assert box is not None
    before = current_time(page)
    right, middle = box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.4
    page.evaluate(
        """([x, y]) => {
            const video = document.querySelector('video');
            const tap = () => video.dispatchEvent(new PointerEvent('click', {
              bubbles: true, clientX: x, clientY: y, pointerType: 'touch' }));
            tap(); tap(); tap();
        }""",
        [right, middle],
    )
    wait_for_place(page, min(24, before + 20))
    expect(page.locator("[data-skip=on]")).to_have_text("+20 s")
    page.get_by_role("button", name="Quality and speed").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    panel = page.locator("[data-settings]").bounding_box()
    assert panel is not None
    assert (panel["x"], panel["width"]) == (0, 360)
    assert complaints(page) == []
    context.close()


def test_the_connection_comes_back(site: RunningServer, visit: Visit, video: str) -> None:
    """What failed for want of a network is tried again once there is one, without a click."""
    guest = visit(site.url)
    page = guest.page()
    page.route("**/s/**/manifest.mpd", lambda route: route.abort())
    page.goto(f"{site.url}/watch/{video}")
    expect(page.get_by_role("alert")).to_have_text("The stream broke off")
    page.unroute("**/s/**/manifest.mpd")
    page.evaluate("dispatchEvent(new Event('online'))")
    ready(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    guest.troubles.clear()
