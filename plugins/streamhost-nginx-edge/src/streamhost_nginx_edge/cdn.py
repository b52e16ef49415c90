"""The edge as streamhost sees it: where viewers go, how copies get there, and how they are dropped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from streamhost.cdn.asking import Answer, Asking
from streamhost.cdn.caching import Purging, SecureLinkCdn
from streamhost.model.cdn import Way

SLICE = 1024 * 1024
"""Bytes of a slice, as in `edge.conf`."""
PUSH_SECONDS = 600.0
"""Life of the links by which objects are brought to the edge."""


class NginxEdgeCdn(SecureLinkCdn):
    """One edge, configured by `edge.py config` with the same secret: links, and requests to its purger, by that."""

    def __init__(self, base_url: str, secret: str, way: Way = Way.GRANT, asking: Asking | None = None) -> None:
        asks = asking or Asking()
        super().__init__(f"{base_url}/o", secret, time.time, PUSH_SECONDS, asks, Purging(f"{base_url}/-/purge", secret))
        self.base_url = base_url
        self.way = way

    async def push(self, keys: Sequence[str]) -> None:
        """Ask for each object by HEAD: nginx fetches it whole, and sends nothing back."""
        until = time.time() + PUSH_SECONDS
        addresses = [self.url(key, until) for key in keys]
        try:
            async with asyncio.TaskGroup() as group:
                for address in addresses:
                    group.create_task(self._bring(address))
        except ExceptionGroup as failures:
            # One tells enough; the others were given up when it failed.
            raise failures.exceptions[0] from None

    async def _bring(self, address: str) -> None:
        """One object, slice by slice: the first answer tells how long it is."""
        answer = await self._asking.ask("HEAD", address, {"Range": f"bytes=0-{SLICE - 1}"})
        for start in range(SLICE, _whole(answer), SLICE):
            await self._asking.ask("HEAD", address, {"Range": f"bytes={start}-{start + SLICE - 1}"})


def _whole(answer: Answer) -> int:
    """Bytes of the whole object, by `Content-Range` (RFC 9110, 14.4); 0 where it is not said."""
    size = answer.headers.get("content-range", "").rpartition("/")[2]
    return int(size) if size.isdecimal() else 0
