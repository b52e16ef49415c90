"""The contract of CDNs, run on every one that is built in: a real server behind a real nginx as the CDN."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx
import pytest

from streamhost.cdn.asking import Asking
from streamhost.cdn.caching import PullCdn, Purging, SecureLinkCdn
from streamhost.cdn.origin import OriginCdn
from streamhost.instance import Purpose, open_instance
from streamhost.model.clock import system_clock
from streamhost.model.tickets import Tickets
from streamhost.ports import Cdn
from streamhost.testing.cdn_contract import OBJECTS, PREFIX, CdnContract, Fetch
from tests.support.nginx import LINK_SECRET, SIGNED_LINKS, nginx
from tests.support.ports import free_port
from tests.support.server import RunningServer
from tests.support.waiting import patience

PULL_SECRET = "the-secret-of-the-edge"
WINDOW = 600.0
# What nginx's own manual shows, with a cache.
CACHES = """
  proxy_cache_path {root}/pull keys_zone=pull:1m;
  proxy_cache_path {root}/link keys_zone=link:1m;
  server {{
    listen 127.0.0.1:{pull};
    location / {{ proxy_pass {origin}; proxy_cache pull; add_header X-Cache $upstream_cache_status; }}
  }}
  server {{
    listen 127.0.0.1:{link};
    location /media/ {{
      {signed}
      proxy_pass {origin}/o/;
      proxy_set_header Streamhost-Edge {secret};
      proxy_cache link;
      proxy_cache_key $uri;
      add_header X-Cache $upstream_cache_status;
    }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A server with the objects of the contract, two caches in front of it, and its tickets."""

    server: RunningServer
    tickets: Tickets
    pull: str
    link: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("cdn")
    server = RunningServer(root / "data", STREAMHOST_CDN_PULL_SECRET=PULL_SECRET).start()
    for key, content in OBJECTS.items():
        path = server.data / "media" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    tickets = Tickets(open_instance(server.data).keys.derive(Purpose.CDN), system_clock)
    pull, link = free_port(), free_port()
    inside = CACHES.format(root=root, signed=SIGNED_LINKS, pull=pull, link=link, origin=server.url, secret=PULL_SECRET)
    with nginx(root, inside, pull, link):
        yield Place(server, tickets, f"http://127.0.0.1:{pull}", f"http://127.0.0.1:{link}/media")
    server.stop()


@pytest.fixture
def fetch(place: Place) -> Iterator[Fetch]:
    """As a browser would, without cookies."""

    async def get(url: str) -> tuple[int, bytes]:
        async with httpx.AsyncClient(base_url=place.server.url) as client:
            answer = await client.get(url)
            return answer.status_code, answer.content

    yield get


@pytest.fixture
def impatient(request: pytest.FixtureRequest) -> Asking:
    """With little patience for servers that never come to an end."""
    return Asking(seconds=patience(request, 0.6), step_seconds=patience(request, 0.5))


class TestOriginCdn(CdnContract):
    """`OriginCdn`."""

    @pytest.fixture
    def cdn(self, place: Place) -> Cdn:
        """One with the tickets of the server."""
        return OriginCdn(place.tickets)

    @pytest.fixture
    def asking(self, place: Place) -> Callable[[str], Cdn]:
        """It never asks anybody."""
        return lambda _url: OriginCdn(place.tickets)


class TestPullCdn(CdnContract):
    """`PullCdn`."""

    @pytest.fixture
    def cdn(self, place: Place) -> Cdn:
        """One at the nginx that knows nothing of tickets."""
        return PullCdn(place.pull, place.tickets, system_clock, WINDOW, Asking())

    @pytest.fixture
    def asking(self, place: Place, impatient: Asking) -> Callable[[str], Cdn]:
        """One that is told at the same place what to drop."""
        return lambda url: PullCdn(
            url, place.tickets, system_clock, WINDOW, impatient, Purging(f"{url}/purge", "a secret")
        )

    async def test_a_copy_serves_all(self, place: Place) -> None:
        """The second viewer within the window is served from the cache, which was told to keep it until the end."""
        cdn = PullCdn(place.pull, place.tickets, system_clock, WINDOW, Asking())
        until = time.time() + WINDOW
        first, second = (httpx.get(cdn.url(f"{PREFIX}v720/0.m4s", until)) for _ in range(2))
        assert second.headers["x-cache"] == "HIT"
        assert first.content == second.content
        rule = second.headers["cache-control"]
        assert rule.startswith("public, max-age=")
        # By the clock of whoever answered, which may have been set since `until` was reckoned.
        answered = parsedate_to_datetime(first.headers["date"]).timestamp()
        assert abs(until - answered - int(rule.partition("=")[2])) <= 2


class TestSecureLinkCdn(CdnContract):
    """`SecureLinkCdn`: nginx itself checks every signature."""

    @pytest.fixture
    def cdn(self, place: Place) -> Cdn:
        """One with the secret that stands in nginx's configuration."""
        return SecureLinkCdn(place.link, LINK_SECRET, system_clock, WINDOW, Asking())

    @pytest.fixture
    def asking(self, impatient: Asking) -> Callable[[str], Cdn]:
        """One that is told at the same place what to drop."""
        return lambda url: SecureLinkCdn(
            url, LINK_SECRET, system_clock, WINDOW, impatient, Purging(f"{url}/purge", "a secret")
        )

    def test_nginx_refuses_what_was_changed(self, place: Place) -> None:
        """Good: 200. Over: 410. Another moment, signature, file, video, or none of these: 403, also from the cache."""
        cdn = SecureLinkCdn(place.link, LINK_SECRET, system_clock, WINDOW, Asking())
        key, until = f"{PREFIX}v720/0.m4s", time.time() + 100
        good = cdn.url(key, until)
        assert httpx.get(good).status_code == 200
        assert httpx.get(cdn.url(key, time.time() - 5)).status_code == 410
        path, _, query = good.partition("?")
        moment = f"expires={int(until)}"
        wrong = (
            good.replace(moment, f"expires={int(until) + 1}"),
            good.replace("md5=", "md5=A"),
            good.replace("0.m4s", "init.mp4"),
            good.replace(
                "contractvideo001/contractpack0001/v720/0.m4s", "contractvideo002/contractpack0002/v720/0.m4s"
            ),
            path,
            f"{path}?{moment}",
            f"{path}?{query.partition('&')[0]}",
        )
        assert [httpx.get(url).status_code for url in wrong] == [403] * len(wrong)

    def test_one_copy_serves_every_signature(self, place: Place) -> None:
        """An address of the next window finds what one of this window has brought to the cache."""
        cdn = SecureLinkCdn(place.link, LINK_SECRET, system_clock, WINDOW, Asking())
        key = f"{PREFIX}v720/init.mp4"
        assert httpx.get(cdn.url(key, time.time() + 100)).status_code == 200
        assert httpx.get(cdn.url(key, time.time() + 700)).headers["x-cache"] == "HIT"
