"""What every CDN must do: the contract of `streamhost.ports.Cdn` as a suite of tests.

class TestMyCdn(CdnContract):
    @pytest.fixture
    def cdn(self) -> Cdn:
        return MyCdn(...)

    @pytest.fixture
    def fetch(self) -> Fetch:
        ...  # how a viewer gets an address: (status, body); before it, the objects of `OBJECTS` are stored

    @pytest.fixture
    def asking(self) -> Callable[[str], Cdn]:
        ...  # one whose requests all go to the server at that address, with time-outs of about a second
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import pytest

from streamhost.model.cdn import Way
from streamhost.ports import Cdn, CdnRefused, CdnUnavailable
from streamhost.testing.misbehaving import AWAY, NEVER, misbehaving

Fetch = Callable[[str], Awaitable[tuple[int, bytes]]]
"""Gets an address as a viewer without any other credential would."""

PREFIX = "videos/contractvideo001/contractpack0001/"
OTHER_PREFIX = "videos/contractvideo002/contractpack0002/"
OBJECTS: Mapping[str, bytes] = {
    f"{PREFIX}v720/init.mp4": b"the init segment of one",
    f"{PREFIX}v720/0.m4s": bytes(range(256)) * 2000,
    f"{OTHER_PREFIX}v720/0.m4s": b"a segment of another",
}
"""What is in the storage: two files of one video, one of another."""
ONE, TWO, FOREIGN = OBJECTS
NO_OBJECTS = (
    "",
    "videos/contractvideo001/",
    "videos/contractvideo001/contractpack0001/../../other/pack/0.m4s",
    "videos/contractvideo001/contractpack0001/.hidden.mp4",
    "/videos/contractvideo001/contractpack0001/0.m4s",
    "stills/contractvideo001/contractpack0001/0.jpg",
    "videos/contractvideo001/contractpack0001/a b.m4s",
    "videos/contractvideo001/contractpack0001/0.m4s?x=1",
    "videos/contractvideo001/contractpack0001/0.m4s\n",
)
NO_FOLDERS = ("", "/", "videos/", "videos", "stills/x/", "videos/x/../", "videos/x")
PATIENCE = 60.0
"""Seconds after which a request that never ends must have been given up, with a slow machine's share."""


class CdnContract:
    """Inherit from it and provide `cdn`, `fetch` and `asking`."""

    def test_an_address_is_the_same_for_all(self, cdn: Cdn) -> None:
        """One object and moment, one address: else no cache would have anything twice. Another object, another one."""
        until = time.time() + 600
        assert cdn.url(TWO, until) == cdn.url(TWO, until)
        assert len({cdn.url(key, until) for key in OBJECTS}) == len(OBJECTS)
        assert cdn.url(TWO, until).startswith(f"{cdn.base_url}/")
        assert cdn.url(TWO, until).isascii()

    def test_its_place_is_said_plainly(self, cdn: Cdn) -> None:
        """`way` and `base_url` fit each other: nobody is sent to a place without an address."""
        parts = urlsplit(cdn.base_url)
        if cdn.way is Way.DIRECT:
            assert cdn.base_url == ""
        else:
            assert parts.scheme in ("http", "https")
            assert parts.netloc
            assert not parts.query
            assert not cdn.base_url.endswith("/")

    @pytest.mark.parametrize("key", NO_OBJECTS)
    def test_what_is_no_object_has_no_address(self, cdn: Cdn, key: str) -> None:
        """Nothing is ever signed but files of packaged sets, and nothing that leads out of them."""
        with pytest.raises(CdnRefused):
            cdn.url(key, time.time() + 600)

    async def test_an_address_opens_its_object(self, cdn: Cdn, fetch: Fetch) -> None:
        """Whoever has it gets exactly these bytes, the first time and from the cache."""
        until = time.time() + 600
        for key, content in (*OBJECTS.items(), *OBJECTS.items()):
            assert await fetch(cdn.url(key, until)) == (200, content)

    async def test_an_address_ends(self, cdn: Cdn, fetch: Fetch) -> None:
        """After its moment it opens nothing, although the object was fetched by a good one just before."""
        assert (await fetch(cdn.url(TWO, time.time() + 600)))[0] == 200
        status, body = await fetch(cdn.url(TWO, time.time() - 10))
        assert 400 <= status < 500
        assert OBJECTS[TWO] not in body

    async def test_an_address_opens_nothing_else(self, cdn: Cdn, fetch: Fetch) -> None:
        """Another video's object by the same signature: refused, also once it lies in the cache."""
        until = time.time() + 600
        assert (await fetch(cdn.url(FOREIGN, until)))[0] == 200
        foreign = cdn.url(TWO, until).replace(PREFIX, OTHER_PREFIX)
        assert foreign != cdn.url(FOREIGN, until)
        status, body = await fetch(foreign)
        assert 400 <= status < 500
        assert OBJECTS[FOREIGN] not in body

    async def test_bringing_and_dropping_may_be_repeated(self, cdn: Cdn, fetch: Fetch) -> None:
        """Twice, of nothing, of folders that have no copies, and all at once; the objects are there all the time."""
        await cdn.push([])
        await cdn.push([ONE, TWO])
        await cdn.push([ONE, TWO])
        await cdn.purge([])
        await asyncio.gather(cdn.purge([PREFIX]), cdn.purge([PREFIX, OTHER_PREFIX]), cdn.push([FOREIGN]))
        await cdn.purge(["videos/contractvideo009/"])
        assert await fetch(cdn.url(TWO, time.time() + 600)) == (200, OBJECTS[TWO])

    @pytest.mark.parametrize("prefix", NO_FOLDERS)
    async def test_nobody_drops_everything(self, cdn: Cdn, prefix: str) -> None:
        """A folder is one video's or lies in it; anything wider is a mistake, and refused."""
        if cdn.way is not Way.DIRECT:
            with pytest.raises(CdnRefused):
                await cdn.purge([prefix])

    @pytest.mark.parametrize(
        ("fault", "told"), [*((one, CdnUnavailable) for one in AWAY), *((one, CdnRefused) for one in NEVER)]
    )
    async def test_trouble(self, asking: Callable[[str], Cdn], fault: str, told: type[Exception]) -> None:
        """Time-outs, broken connections, 5xx and 429 are told as what may pass; refusals, and being sent elsewhere, as
        what will not: within bounds, and the words hold no secret."""
        async with misbehaving(fault) as server:
            troubled = asking(server.url)
            for work in (troubled.push([ONE]), troubled.purge([PREFIX])):
                async with asyncio.timeout(PATIENCE):
                    if troubled.way is Way.DIRECT:
                        await work
                        continue
                    with pytest.raises(told) as caught:
                        await work
                _plain(caught.value)

    async def test_nobody_there(self, asking: Callable[[str], Cdn]) -> None:
        """No server at all may pass."""
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            troubled = asking(f"http://127.0.0.1:{deaf.getsockname()[1]}")
            if troubled.way is not Way.DIRECT:
                with pytest.raises(CdnUnavailable):
                    await troubled.push([ONE])
                with pytest.raises(CdnUnavailable):
                    await troubled.purge([PREFIX])


def _plain(error: Exception) -> None:
    """What an error says is short, and has no signature in it."""
    words = str(error)
    assert len(words) < 1000
    assert "?" not in words
    assert "secret" not in words.lower()
