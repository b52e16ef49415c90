"""A source of content keys for where there is no catalog: a package made by one process and kept by nobody."""

from __future__ import annotations

import hashlib
import hmac

from streamhost.model.ids import PackageId
from streamhost.model.protection import BLOCK, ContentKey


class DerivedKeySource:
    """A source that stores no keys: it derives them from one secret (HMAC-SHA256) and remembers who has how many.

    See `streamhost.ports.KeySource`. The same secret makes the same keys again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._counts: dict[PackageId, int] = {}

    async def make(self, package_id: PackageId, count: int) -> tuple[ContentKey, ...]:
        """The keys of the package."""
        self._counts.setdefault(package_id, count)
        return await self.of(package_id)

    async def of(self, package_id: PackageId) -> tuple[ContentKey, ...]:
        """The keys of the package, none if it has none."""
        return tuple(
            ContentKey(*(self._derive(package_id, place, use) for use in ("kid", "key", "iv")))
            for place in range(self._counts.get(package_id, 0))
        )

    def _derive(self, package_id: PackageId, place: int, use: str) -> str:
        return hmac.digest(self._secret, f"{package_id}/{place}/{use}".encode(), hashlib.sha256)[:BLOCK].hex()
