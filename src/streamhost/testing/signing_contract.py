"""What every implementation of the `SignsUrls` port must do: anybody with an address reads one object, for a while.

Subclass `SignsUrlsContract`, override the fixtures `storage` and `signs`, and run pytest (with
`asyncio_mode = "auto"`).
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from streamhost.ports import InvalidKey, SignsUrls, Storage

CONTENT = bytes(range(256)) * 40
REFUSED = (400, 401, 403, 404, 405)
KEY, OTHER = "videos/a/v720/0.m4s", "videos/a/v720/1.m4s"


class SignsUrlsContract:
    """The suite."""

    @pytest.fixture
    def storage(self) -> Storage:
        """A fresh storage, for whose objects addresses are signed."""
        raise pytest.UsageError("override the fixture `storage`")

    @pytest.fixture
    def signs(self, storage: Storage) -> SignsUrls:
        """What signs them."""
        raise pytest.UsageError("override the fixture `signs`")

    async def test_it_reads_the_object(self, storage: Storage, signs: SignsUrls) -> None:
        """Whoever has the address gets the bytes, whole and in part, by GET and without any credentials."""
        await storage.put_bytes(KEY, CONTENT)
        url = await signs.sign_get(KEY, 60)
        async with httpx.AsyncClient() as client:
            assert (await client.get(url)).content == CONTENT
            part = await client.get(url, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, CONTENT[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(CONTENT)}"

    async def test_it_is_for_nothing_else(self, storage: Storage, signs: SignsUrls) -> None:
        """An address does not become one for another object or another method, and nothing is read without it."""
        for key in (KEY, OTHER):
            await storage.put_bytes(key, CONTENT)
        url = await signs.sign_get(KEY, 60)
        parts = urlsplit(url)
        async with httpx.AsyncClient() as client:
            for wrong in (url.replace("/0.m4s", "/1.m4s"), urlunsplit(parts._replace(query="")), f"{url}0"):
                assert (await client.get(wrong)).status_code in REFUSED
            for method in ("PUT", "DELETE"):
                assert (await client.request(method, url)).status_code in REFUSED
        assert (await storage.stat(KEY)).size == len(CONTENT)

    async def test_it_ends(self, storage: Storage, signs: SignsUrls) -> None:
        """After its time the address is worth nothing."""
        await storage.put_bytes(KEY, CONTENT)
        url = await signs.sign_get(KEY, 1)
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while (await client.get(url)).status_code not in REFUSED:  # noqa: ASYNC110  # no event: another's clock
                await asyncio.sleep(0.2)

    @pytest.mark.parametrize("key", ["", "/a", "../a", "a/../b", "a b", "a?b=c", "a#b"])
    async def test_bad_keys(self, signs: SignsUrls, key: str) -> None:
        """What is no key is never signed."""
        with pytest.raises(InvalidKey):
            await signs.sign_get(key, 60)
