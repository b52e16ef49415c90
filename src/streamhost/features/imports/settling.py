"""Watches files until they are whole: unchanged for a while, and open for writing nowhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from streamhost.config import ImportSettings
from streamhost.db import imports as rows
from streamhost.db.core import Database
from streamhost.features.imports import contents
from streamhost.features.imports.comparing import failure
from streamhost.features.imports.errors import ImportChanged
from streamhost.features.imports.listing import look
from streamhost.model.clock import Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.imports import ImportFile, ImportState, Mark, Policy

AT_ONCE = 50
"""Files looked at in one go: each is read in three places."""


class Settling:
    """Lets files that have come to rest wait for their turn."""

    def __init__(self, db: Database, clock: Clock, settings: ImportSettings) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings

    async def step(self) -> int:
        """Look at the files whose time it is; how many there were."""
        async with self._db.read() as conn:
            due = await rows.settling(conn, self._clock() - self._settings.settle_seconds, AT_ONCE)
        for file in due:
            after = await self._looked_at(file)
            async with self._db.write() as conn:
                if await rows.get(conn, file.id) != file:
                    continue
                if after is None:
                    await rows.delete(conn, file.id)
                else:
                    await rows.put(conn, replace(after, updated_at=self._clock()))
        return len(due)

    async def _looked_at(self, file: ImportFile) -> ImportFile | None:
        """The row of a file as it is to be now; None where nothing is left of it."""
        assert file.path is not None, "what was moved away does not settle"
        try:
            mark = await asyncio.to_thread(look, file.path)
            if mark is None:
                return _gone(file)
            if not mark.same(file.mark):
                return replace(file, mark=mark)
            if await asyncio.to_thread(contents.being_written, file.path):
                return file
            content = await asyncio.to_thread(contents.fingerprint, file.path, mark)
        except ImportChanged:
            return file
        except StreamhostError as error:
            return replace(file, state=ImportState.FAILED, error=failure(error))
        return self._at_rest(file, mark, content)

    def _at_rest(self, file: ImportFile, mark: Mark, content: str) -> ImportFile:
        kept = file.imported_at is not None and file.policy is not Policy.MOVE
        if kept and (content == file.fingerprint or self._settings.on_change == "ignore"):
            return replace(file, state=ImportState.IMPORTED, mark=mark, fingerprint=content, error=None)
        return replace(file, state=ImportState.WAITING, mark=mark, fingerprint=content, error=None, retry_at=None)


def _gone(file: ImportFile) -> ImportFile | None:
    if file.imported_at is not None:
        return replace(file, state=ImportState.MISSING)
    # With a place in storage its content may be there already: whoever takes it in finds out.
    return replace(file, state=ImportState.WAITING) if file.staged_key else None
