"""The contract of CDNs, run on the edge."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import httpx
import pytest

from edge_rig import SECRET, Edge
from streamhost.cdn.asking import Asking
from streamhost.model.cdn import Way
from streamhost.ports import Cdn
from streamhost.testing.cdn_contract import OBJECTS, OTHER_PREFIX, PREFIX, CdnContract, Fetch
from streamhost_nginx_edge.cdn import NginxEdgeCdn
from tests.support.tree import sizes
from tests.support.waiting import patience, until


class TestNginxEdgeCdn(CdnContract):
    """`NginxEdgeCdn`: nginx checks every link, and the purger drops what it is told to."""

    @pytest.fixture
    def cdn(self, edge: Edge) -> Cdn:
        """The edge, with the objects of the contract at the site."""
        for key, content in OBJECTS.items():
            edge.store(key, content)
        return NginxEdgeCdn(edge.url, SECRET)

    @pytest.fixture
    def fetch(self) -> Fetch:
        """As a browser would."""

        async def get(url: str) -> tuple[int, bytes]:
            async with httpx.AsyncClient() as client:
                answer = await client.get(url)
                return answer.status_code, answer.content

        return get

    @pytest.fixture
    def asking(self, request: pytest.FixtureRequest) -> Callable[[str], Cdn]:
        """One whose edge is elsewhere."""
        impatient = Asking(patience(request, 0.6), patience(request, 0.5))
        return lambda url: NginxEdgeCdn(url, SECRET, Way.GRANT, impatient)

    async def test_what_was_brought_is_there(self, cdn: Cdn, edge: Edge) -> None:
        """Brought without a byte sent back, all its slices; the first viewer is served from the copy."""
        key, content = f"{PREFIX}v720/large.m4s", bytes(range(256)) * 10_000
        edge.store(key, content)
        await cdn.push([key])
        answer = httpx.get(cdn.url(key, time.time() + 60))
        assert (answer.content, answer.headers["x-cache"]) == (content, "HIT")
        assert edge.fetched("v720/large.m4s") == 3

    def kept(self, edge: Edge) -> str:
        """What lies in the cache, the beginning of each copy."""
        found = []
        for name in sizes(edge.root / "cache" / "media"):
            with contextlib.suppress(FileNotFoundError):
                found.append((edge.root / "cache" / "media" / name).read_bytes()[:2000].decode("latin-1"))
        return "".join(found)

    async def test_what_was_dropped_is_gone(self, cdn: Cdn, edge: Edge) -> None:
        """From the disk, and only what lies in the folder; the next viewer's is fetched anew."""
        keys = list(OBJECTS)
        await cdn.push(keys)
        # What was asked for by HEAD may still be on its way; whoever gets it whole gets the copy.
        assert [httpx.get(cdn.url(key, time.time() + 60)).content for key in keys] == list(OBJECTS.values())
        await cdn.purge([PREFIX])
        await until(lambda: PREFIX not in self.kept(edge))
        assert OTHER_PREFIX in self.kept(edge)
        assert [httpx.get(cdn.url(key, time.time() + 60)).headers["x-cache"] for key in keys] == ["MISS", "MISS", "HIT"]
