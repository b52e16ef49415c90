"""The player inside a page of another site: frames, what its address asks for, and what may not be framed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.support import bunny
from tests.support.axe import complaints
from tests.support.server import RunningServer


class Blog:
    """A web site of somebody else, at another origin: it answers everything with `page`."""

    def __init__(self) -> None:
        blog = self
        self.page = ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = blog.page.encode() if self.path == "/" else b""
                self.send_response(200 if body else 204)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def blog() -> Iterator[Blog]:
    """A blog, on another host name than the site: another site for the browser."""
    running = Blog()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture(scope="module")
def video(site: RunningServer) -> str:
    """Big Buck Bunny, public, with captions."""
    alice = site.client("alice@example.org")
    made = alice.upload(bunny(), title="Big Buck Bunny", visibility="public")
    alice.wait_until(made, "ready")
    words = b"00:00:00,000 --> 00:00:05,000\nThe words\n"
    path = f"/api/v1/videos/{made}/captions"
    alice.post(path, data={"language": "en"}, files={"file": ("a.srt", words)}).raise_for_status()
    return made


def embedded(page: Page, blog: Blog, code: str) -> FrameLocator:
    """The frame in a page of the blog that has `code` in it."""
    blog.page = f"<!doctype html><title>Blog</title><h1>Blog</h1>{code}"
    page.goto(blog.url)
    return page.frame_locator("iframe")


def test_another_site_plays_it(site: RunningServer, visit: Visit, blog: Blog, video: str) -> None:
    """With the code that oEmbed gives and `?autoplay&muted&loop&cc&t`: it starts at the place, silent, with captions,
    begins again at its end, and its title leads to the site. Nothing is complained about, nor is a cookie set."""
    guest = visit(site.url)
    page = guest.page()
    answer = site.client().get("/oembed", params={"url": f"{site.url}/watch/{video}"})
    wishes = "?t=4s&amp;autoplay=1&amp;muted=1&amp;loop=1&amp;cc=en"
    code = answer.json()["html"].replace(f"/embed/{video}", f"/embed/{video}{wishes}").replace(' loading="lazy"', "")
    page.add_init_script(
        "window.begun = new Promise((done) => addEventListener('playing', (e) => done(e.target.currentTime), true))"
    )
    frame = embedded(page, blog, code)
    expect(frame.locator(".shaka-text-container").get_by_text("The words")).to_be_visible()
    player = frame.locator("video")
    assert player.evaluate("v => v.muted && v.loop")
    assert player.evaluate("() => window.begun") >= 3.9
    player.evaluate("v => new Promise(done => v.addEventListener('timeupdate', () => v.currentTime < 3 && done()))")
    link = frame.get_by_role("link", name="Big Buck Bunny")
    assert link.get_attribute("href") == f"{site.url}/watch/{video}"
    assert guest.context.cookies() == []


def test_keys_and_rules_hold_in_a_frame(site: RunningServer, visit: Visit, blog: Blog, video: str) -> None:
    """Space plays once the frame has the focus; what the list of keys offers is there; axe finds nothing, small or
    large."""
    page = visit(site.url).page()
    for width, height in ((320, 180), (960, 540)):
        code = f'<iframe src="{site.url}/embed/{video}" width="{width}" height="{height}" title="A film"></iframe>'
        frame = embedded(page, blog, code)
        expect(frame.get_by_role("button", name="Play", exact=True).first).to_be_visible()
        frame.locator("video").focus()
        page.keyboard.press(" ")
        played = "v => v.played.length > 0 || new Promise(done => v.addEventListener('timeupdate', done))"
        frame.locator("video").evaluate(played)
        page.keyboard.press("k")
        page.keyboard.press("?")
        expect(frame.get_by_role("dialog", name="Keyboard shortcuts")).not_to_contain_text("Theatre")
        page.keyboard.press("Escape")
        inner = page.frames[1]
        assert inner.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints_in(page, inner.url) == []


def complaints_in(page: Page, address: str) -> list[str]:
    """What axe-core finds wrong in the page that a frame shows, opened by itself."""
    alone = page.context.new_page()
    alone.goto(address)
    alone.wait_for_load_state("networkidle")
    found = complaints(alone)
    alone.close()
    return found


def test_what_may_not_be_framed_is_not(site: RunningServer, visit: Visit, blog: Blog, video: str) -> None:
    """The page of the video itself, and a video whose owner names other sites, stay out of the blog; a private one says
    that it is not available."""
    guest = visit(site.url)
    page = guest.page()
    alice = site.client("alice@example.org")
    path = f"/api/v1/videos/{video}"
    alice.patch(path, json={"embed_origins": ["https://other.example"]}).raise_for_status()
    for target in (f"/watch/{video}", f"/embed/{video}"):
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            embedded(page, blog, f'<iframe src="{site.url}{target}"></iframe>')
    alice.patch(path, json={"embed_origins": [blog.url.rstrip("/")], "visibility": "unlisted"}).raise_for_status()
    frame = embedded(page, blog, f'<iframe src="{site.url}/embed/{video}"></iframe>')
    expect(frame.get_by_role("button", name="Play", exact=True).first).to_be_visible()
    alice.patch(path, json={"embed_origins": [], "visibility": "private"}).raise_for_status()
    frame = embedded(page, blog, f'<iframe src="{site.url}/embed/{video}"></iframe>')
    expect(frame.get_by_role("heading", name="This video is not available")).to_be_visible()
    assert [t for t in guest.troubles if not re.search("frame-ancestors|403|404", t)] == []
    guest.troubles.clear()
