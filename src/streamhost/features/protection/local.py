"""The built-in source of content keys: random ones, wrapped, in the catalog."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from streamhost.db import content_keys as rows
from streamhost.db.core import Connection, Database
from streamhost.features.protection.wrapping import KeyUnreadable, unwrap, wrap
from streamhost.keyrings import Keyring, Keyrings, Ring
from streamhost.model.clock import Clock
from streamhost.model.ids import PackageId
from streamhost.model.protection import BLOCK, ContentKey


@dataclass(frozen=True, slots=True)
class Wrapping:
    """One wrapping key as `streamhost keys list` shows it: what it wraps, and whether it is the one in use."""

    id: int
    keys: int
    packages: int
    current: bool


class LocalKeySource:
    """Keeps keys in the catalog, wrapped with a key of the instance. See `streamhost.ports.KeySource`."""

    def __init__(self, db: Database, keyrings: Keyrings, clock: Clock) -> None:
        self._db = db
        self._keyrings = keyrings
        self._clock = clock
        self._known: tuple[object, Keyring] | None = None

    async def make(self, package_id: PackageId, count: int) -> tuple[ContentKey, ...]:
        """The keys of the package, made now if it has none."""
        async with self._db.write() as conn:
            if not (found := await self._read(conn, package_id)):
                # The file is read inside the transaction: whoever replaces the wrapping key wraps all rows anew after
                # it.
                current = self._ring().current
                for place in range(count):
                    key = ContentKey(*(secrets.token_hex(BLOCK) for _ in range(3)))
                    sealed = wrap(current.secret, package_id, key)
                    row = rows.KeyRow(key.kid, package_id, place, current.id, sealed, self._clock())
                    await rows.insert(conn, row)
                found = await self._read(conn, package_id)
        return found

    async def of(self, package_id: PackageId) -> tuple[ContentKey, ...]:
        """The keys of the package, none if it has none."""
        async with self._db.read() as conn:
            try:
                return await self._read(conn, package_id)
            except KeyUnreadable:
                # Wrapped anew by another process between the look at the rows and the look at the file.
                return await self._read(conn, package_id)

    async def wrappings(self) -> list[Wrapping]:
        """Every wrapping key that is known or in use."""
        ring = self._ring()
        async with self._db.read() as conn:
            used = {number: (keys, packages) for number, keys, packages in await rows.counts(conn)}
        numbers = sorted({*used, *(key.id for key in ring.keys)})
        return [Wrapping(n, *used.get(n, (0, 0)), current=n == ring.current.id) for n in numbers]

    async def check(self) -> int:
        """Unwrap every key that the catalog has; how many. Raises `KeyUnreadable` for the first that cannot be."""
        ring = self._ring()
        async with self._db.read() as conn:
            found = await rows.all_of(conn)
        for row in found:
            self._unwrap(ring, row)
        return len(found)

    async def replace_wrapping(self) -> tuple[int, int]:
        """Make a new wrapping key and wrap every content key with it, in one transaction; the old ones are forgotten.

        Answers the id of the key that wraps now and how many content keys were wrapped anew. Ended anywhere, it can be
        done again. Two at once may both make a key: all is wrapped with the newest, never with one that the other
        forgets."""
        self._keyrings.replace(Ring.WRAPPING, self._clock())
        async with self._db.write() as conn:
            ring = self._ring()
            fresh = ring.current
            old = await rows.wrapped_otherwise(conn, fresh.id)
            for row in old:
                sealed = wrap(fresh.secret, row.package_id, self._unwrap(ring, row))
                await rows.rewrap(conn, row.kid, fresh.id, sealed)
        for key in ring.keys[:-1]:
            self._keyrings.forget(Ring.WRAPPING, key.id)
        return fresh.id, len(old)

    async def _read(self, conn: Connection, package_id: PackageId) -> tuple[ContentKey, ...]:
        found = await rows.of_package(conn, package_id)
        return tuple(self._unwrap(self._ring(), row) for row in found)

    def _unwrap(self, ring: Keyring, row: rows.KeyRow) -> ContentKey:
        secret = next((key.secret for key in ring.keys if key.id == row.wrapping_key), None)
        if secret is None:
            raise KeyUnreadable(f"Key {row.kid} is wrapped by key {row.wrapping_key}, which is not here.")
        return unwrap(secret, row.package_id, row.kid, row.wrapped)

    def _ring(self) -> Keyring:
        """The wrapping keys as they are now; the file is read again only when it has changed."""
        version = self._keyrings.version()
        if self._known is None or self._known[0] != version:
            self._known = (version, self._keyrings.ring(Ring.WRAPPING))
        return self._known[1]
