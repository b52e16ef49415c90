"""Playing by way of each kind of CDN, and of the port for media: pages come from the site, segments from elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, expect

from cloudfront_rig import PAIR, make_pair, standin
from streamhost_nginx_edge.edge import Purger, configuration
from tests.browser.conftest import Visit
from tests.browser.support import until, wait_for_time
from tests.support.clips import small_clip
from tests.support.installed import plugin_path
from tests.support.nginx import nginx
from tests.support.ports import free_port
from tests.support.server import RunningServer

SECRET, PULL_SECRET = "s" * 32, "p" * 32
PLUGINS = ("streamhost-nginx-edge", "streamhost-cloudfront")
PULL = """
  proxy_cache_path {root}/cache keys_zone=pull:1m;
  server {{
    listen 127.0.0.1:{port};
    access_log {root}/cdn.log;
    location / {{ proxy_pass {site}; proxy_cache pull; }}
  }}
"""
LINK = """
  proxy_cache_path {root}/cache keys_zone=link:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$uri {secret}";
      if ($secure_link = "") {{ return 403; }}
      if ($secure_link = "0") {{ return 410; }}
      proxy_pass {site}/o/;
      proxy_set_header Streamhost-Edge {pull_secret};
      proxy_cache link;
      proxy_cache_key $uri;
    }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Film:
    """A data directory with one public video that is ready, the port of its site, and plugins to be found there."""

    data: Path
    video: str
    port: int
    plugins: str

    @contextmanager
    def site(self, settings: Mapping[str, str]) -> Iterator[RunningServer]:
        """The site, with these settings."""
        server = RunningServer(self.data, PYTHONPATH=self.plugins, **settings)
        server.port = self.port
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    root = tmp_path_factory.mktemp("cdn")
    server = RunningServer(root / "data").start()
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    video = alice.upload(small_clip(), title="Bars and tones", visibility="public")
    alice.wait_until(video, "ready")
    server.stop()
    return Film(server.data, video, free_port(), plugin_path(root / "plugins", *PLUGINS))


@contextmanager
def pull(film: Film, root: Path) -> Iterator[dict[str, str]]:
    """Any CDN with the site as its origin."""
    port = free_port()
    with nginx(root, PULL.format(root=root, port=port, site=f"http://127.0.0.1:{film.port}"), port):
        yield {"STREAMHOST_CDN_KIND": "pull", "STREAMHOST_CDN_BASE_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def secure_link(film: Film, root: Path) -> Iterator[dict[str, str]]:
    """nginx that checks signatures by itself."""
    port = free_port()
    site = f"http://127.0.0.1:{film.port}"
    inside = LINK.format(root=root, port=port, site=site, secret=SECRET, pull_secret=PULL_SECRET)
    with nginx(root, inside, port):
        yield {
            "STREAMHOST_CDN_KIND": "secure_link",
            "STREAMHOST_CDN_BASE_URL": f"http://127.0.0.1:{port}",
            "STREAMHOST_CDN_LINK_SECRET": SECRET,
            "STREAMHOST_CDN_PULL_SECRET": PULL_SECRET,
        }


@contextmanager
def cloudfront(film: Film, root: Path) -> Iterator[dict[str, str]]:
    """What checks signatures as CloudFront does, before the files themselves."""
    pair = make_pair(root)
    media = film.data / "media"
    objects = {str(path.relative_to(media)): path.read_bytes() for path in media.rglob("*") if path.is_file()}
    with standin(pair, objects) as made:
        yield {
            "STREAMHOST_CDN_KIND": "cloudfront",
            "STREAMHOST_PLUGINS_CLOUDFRONT_BASE_URL": made.url,
            "STREAMHOST_PLUGINS_CLOUDFRONT_KEY_PAIR_ID": PAIR,
            "STREAMHOST_PLUGINS_CLOUDFRONT_PRIVATE_KEY_FILE": str(pair.private),
        }


@contextmanager
def own_edge(film: Film, root: Path) -> Iterator[dict[str, str]]:
    """The edge of one's own, to which players go with their permission."""
    port, cache, socket = free_port(), root / "cache", str(root / "purger.sock")
    cache.mkdir()
    config = configuration(
        f"http://127.0.0.1:{film.port}",
        "127.0.0.1",
        SECRET,
        PULL_SECRET,
        listen=f"127.0.0.1:{port}",
        cache=str(cache),
        log=str(root / "edge.log"),
        purger=socket,
    )
    with nginx(root, config, port), Purger(socket, cache, SECRET) as purger:
        threading.Thread(target=purger.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        yield {
            "STREAMHOST_CDN_KIND": "nginx-edge",
            "STREAMHOST_CDN_PULL_SECRET": PULL_SECRET,
            "STREAMHOST_PLUGINS_NGINX_EDGE_BASE_URL": f"http://127.0.0.1:{port}",
            "STREAMHOST_PLUGINS_NGINX_EDGE_SECRET": SECRET,
        }
        purger.shutdown()


@contextmanager
def media_port(_film: Film, _root: Path) -> Iterator[dict[str, str]]:
    """No CDN: the site's own port for media."""
    port = free_port()
    yield {
        "STREAMHOST_SERVER_MEDIA_PORT": str(port),
        "STREAMHOST_SERVER_MEDIA_URL": f"http://127.0.0.1:{port}",
    }


def arrivals(page: Page) -> list[str]:
    """Where everything came from in the end, growing."""
    came: list[str] = []

    def note(answer: Response) -> None:
        if answer.status in (200, 206):
            came.append(answer.url)

    page.on("response", note)
    return came


def play(page: Page, address: str) -> None:
    """Start the video there, and see time go on."""
    page.goto(address)
    expect(page.get_by_role("button", name="Play", exact=True).first).to_be_visible()
    page.locator("[data-start]").click()
    wait_for_time(page, 0.5)


@pytest.mark.parametrize(
    ("way", "formats"),
    [
        (pull, ("dash", "hls")),
        (secure_link, ("dash",)),
        (cloudfront, ("hls",)),
        (own_edge, ("dash", "hls")),
        (media_port, ("dash", "hls")),
    ],
    ids=["pull", "secure_link", "cloudfront", "own edge", "media port"],
)
def test_it_plays(
    film: Film,
    visit: Visit,
    tmp_path: Path,
    way: Callable[[Film, Path], AbstractContextManager[dict[str, str]]],
    formats: tuple[str, ...],
) -> None:
    """Time goes on, a seek lands, every segment has come from the CDN, and the browser complains of nothing."""
    with ExitStack() as stack:
        settings = stack.enter_context(way(film, tmp_path))
        site = stack.enter_context(film.site(settings))
        cdn = next(value for name, value in settings.items() if name.endswith(("_BASE_URL", "MEDIA_URL")))
        for stream_format in formats:
            page = visit(site.url).page()
            came = arrivals(page)
            play(page, f"{site.url}/watch/{film.video}?format={stream_format}")
            page.get_by_role("slider", name="Position").focus()
            page.keyboard.press("7")
            wait_for_time(page, 12 * 0.7)
            until(page, "!document.querySelector('video').seeking")
            segments = [url for url in came if urlsplit(url).path.endswith((".m4s", ".mp4"))]
            assert len(segments) >= 4
            assert all(url.startswith(f"{cdn}/") for url in segments)


@pytest.mark.parametrize("protection", ["cenc", "aes-128"])
def test_what_is_protected_plays_by_the_port_for_media(
    film: Film, visit: Visit, tmp_path: Path, protection: str
) -> None:
    """Its licences and keys come from there too."""
    with ExitStack() as stack:
        settings = stack.enter_context(media_port(film, tmp_path))
        site = stack.enter_context(film.site(settings))
        alice = site.client("alice@example.org")
        video = alice.upload(small_clip(), title="Sealed", visibility="public", protection=protection)
        alice.wait_until(video, "ready")
        page = visit(site.url).page()
        came = arrivals(page)
        play(page, f"{site.url}/watch/{video}")
        keys = [url for url in came if "/license/" in url or "/key/" in url]
        assert keys
        assert all(url.startswith(f"{settings['STREAMHOST_SERVER_MEDIA_URL']}/s/") for url in keys)
