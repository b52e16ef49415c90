"""All key sources of a house as one: the chosen one makes keys, and each package keeps the one that made its own."""

from __future__ import annotations

from collections.abc import Mapping

from streamhost.db import key_sources as rows
from streamhost.db.core import Database
from streamhost.features.protection.errors import KeySourceGone
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId
from streamhost.model.protection import ContentKey
from streamhost.ports import KeySource


class KeySources:
    """The `KeySource` port on several of them. A source that nobody has chosen is asked for nothing that it has not
    made: one that was installed and is not set up, or is away, keeps nobody from anything."""

    def __init__(self, db: Database, chosen: str, known: Mapping[str, KeySource]) -> None:
        self._db = db
        self._chosen = chosen
        self._known = known

    async def make(self, package_id: PackageId, count: int) -> tuple[ContentKey, ...]:
        """The keys of the package, of the chosen source if it has none yet."""
        noted = await self._noted(package_id)
        keys = await self._named(noted or self._chosen).make(package_id, count)
        if noted is None:
            async with self._db.write() as conn:
                await rows.note(conn, package_id, self._chosen)
        return keys

    async def of(self, package_id: PackageId) -> tuple[ContentKey, ...]:
        """The keys of the package, none if it has none."""
        noted = await self._noted(package_id)
        return await (self._named(noted).of(package_id) if noted else self._looked_for(package_id))

    async def _looked_for(self, package_id: PackageId) -> tuple[ContentKey, ...]:
        """As before sources were noted: of whichever has them, the chosen one first. That one cannot be asked is not
        that it has none."""
        trouble: StreamhostError | None = None
        for name in dict.fromkeys((self._chosen, *self._known)):
            try:
                if keys := await self._known[name].of(package_id):
                    return keys
            except StreamhostError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return ()

    async def _noted(self, package_id: PackageId) -> str | None:
        async with self._db.read() as conn:
            return await rows.get(conn, package_id)

    def _named(self, name: str) -> KeySource:
        if name not in self._known:
            raise KeySourceGone(f"Nothing that is installed brings {name}.")
        return self._known[name]
