"""Playing from a bucket, by both ways and in both players: redirects, the rules for other origins, ranges."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from streamhost.testing import clips
from tests.browser.conftest import Visit
from tests.browser.others import HLS_JS, load_hls_js
from tests.browser.support import play_at, ready, stand_still, wait_for_time
from tests.support.s3 import S3Server, s3_server
from tests.support.server import RunningServer


@dataclass
class Bucketed:
    """A site with a public video, all of it in a bucket."""

    server: RunningServer
    video: str
    delivery: str
    bucket: S3Server


@pytest.fixture(scope="module", params=["redirect", "proxy"])
def bucketed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucketed]:
    """By redirect, and through the site."""
    delivery: str = request.param
    folder = tmp_path_factory.mktemp(delivery)
    with s3_server("-s3.allowedOrigins=http://nobody.example") as bucket:
        bucket.allow_origins("*")
        server = RunningServer(folder / "data", **bucket.settings(STREAMHOST_STORAGE_DELIVERY=delivery)).start()
        server.add_user("alice@example.org")
        alice = server.client("alice@example.org")
        clip = clips.make(folder / "a.mp4", clips.Clip(seconds=6, width=640, height=360))
        video = alice.upload(clip, visibility="public", title="In a bucket")
        alice.wait_until(video, "ready")
        yield Bucketed(server, video, delivery, bucket)
        server.stop()


def came_from(urls: list[str], site: Bucketed) -> None:
    """Segments came from where the settings say; everything else from the site."""
    segments = [url for url in urls if ".m4s" in url]
    assert segments
    if site.delivery == "redirect":
        assert any(url.startswith(f"{site.bucket.url}/") and "X-Amz-Signature" in url for url in segments)
    assert [url for url in urls if ".m4s" not in url and ".mp4" not in url and url.startswith(site.bucket.url)] == []
    if site.delivery == "proxy":
        assert [url for url in urls if url.startswith(site.bucket.url)] == []


@pytest.mark.parametrize("stream_format", ["dash", "hls"])
def test_our_player(bucketed: Bucketed, visit: Visit, stream_format: str) -> None:
    """Shaka plays it, seeks, and the browser has nothing to complain about."""
    guest = visit(bucketed.server.url)
    page = guest.page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{bucketed.server.url}/watch/{bucketed.video}?format={stream_format}")
    ready(page)
    page.keyboard.press("k")
    wait_for_time(page, 0.5)
    stand_still(page)
    page.keyboard.press("7")
    page.keyboard.press("k")
    wait_for_time(page, 4.3)
    came_from(urls, bucketed)


@pytest.fixture(scope="module")
def other_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of somebody else's page with hls.js on it."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "page.html").write_text("<!doctype html><video muted></video><script src=hls.js></script>")
    shutil.copyfile(HLS_JS, folder / "hls.js")
    (folder / "favicon.ico").write_bytes(b"")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_another_player_on_another_site(bucketed: Bucketed, visit: Visit, other_site: str) -> None:
    """hls.js on a page of somebody else plays it: after the redirect its browser says that it has no origin."""
    stream = httpx.get(f"{bucketed.server.url}/api/v1/stream/{bucketed.video}").json()
    page = visit(bucketed.server.url).page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{other_site}/page.html")
    load_hls_js(page, str(httpx.URL(bucketed.server.url).join(stream["hls"])))
    page.evaluate("document.querySelector('video').play()")
    wait_for_time(page, 1)
    play_at(page, 4)
    wait_for_time(page, 4.2)
    came_from(urls, bucketed)


def test_answers(bucketed: Bucketed) -> None:
    """Grants are checked first; a redirect is kept for less time than its address works; ranges, HEAD and conditions
    are answered either way."""
    base = bucketed.server.url
    stream = httpx.get(f"{base}/api/v1/stream/{bucketed.video}").json()
    master = httpx.URL(base).join(stream["hls"])
    lines = [line for line in httpx.get(master).text.splitlines() if line and line[0] != "#"]
    playlist = master.join(lines[0])
    name = next(line for line in httpx.get(playlist).text.splitlines() if line and line[0] != "#")
    segment = str(playlist.join(name))
    head = httpx.head(segment)
    assert head.status_code == 200
    whole = httpx.get(segment, follow_redirects=True)
    assert len(whole.content) == int(head.headers["content-length"])
    assert whole.headers["content-type"] == "video/iso.segment"
    part = httpx.get(segment, headers={"Range": "bytes=4-7"}, follow_redirects=True)
    assert (part.status_code, part.content) == (206, b"styp")
    answer = httpx.get(segment)
    if bucketed.delivery == "proxy":
        assert httpx.get(segment, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    else:
        assert answer.status_code == 302
        life = int(httpx.URL(answer.headers["location"]).params["X-Amz-Expires"])
        kept = int(answer.headers["cache-control"].removeprefix("private, max-age="))
        assert 0 < kept <= life / 2
        # Everybody who asks within one window gets the same; one may just have ended, but hardly two.
        places = [httpx.get(segment).headers["location"] for _ in range(2)]
        assert places[0] in (answer.headers["location"], places[1])
    wrong = segment.replace("/s/", "/s/A")
    assert httpx.get(wrong).status_code == 403
    assert httpx.get(f"{base}/readyz").status_code == 200
