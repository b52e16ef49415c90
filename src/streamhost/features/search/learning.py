"""Learns the words of titles and tags, a little behind the catalog, so that typing errors can be put right to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

from streamhost import log
from streamhost.db import search as rows
from streamhost.db.core import Database
from streamhost.jobs.background import Background
from streamhost.model.errors import StreamhostError
from streamhost.model.search import words_in

BREATH = 0.02
"""Seconds between two transactions of learning, so that nobody else who writes waits for it."""
LOOK_SECONDS = 30.0
"""After so long it looks by itself: commands beside the server change titles, too."""
TABLE = "videos"

_logger = log.get("search")


class Learner:
    """One task. What there is to learn stands in the catalog, so nothing is missed by a crash."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._due = asyncio.Event()
        self._task = Background("search-words", self._run)
        db.on_write(self._wrote)

    async def start(self) -> None:
        """Begin with what an earlier run left."""
        self._due.set()
        self._task.start()

    async def stop(self) -> None:
        """End; what is left is learnt by the next run. Safe to call twice."""
        await self._task.stop()

    async def learn(self) -> bool:
        """Take in some changes; whether there were any."""
        async with self._db.read() as conn:
            changes = await rows.changes(conn)
        if not changes:
            return False
        counts: Counter[str] = Counter()
        for change in changes:
            for word in words_in(change.text):
                counts[word] += change.by
        async with self._db.write() as conn:
            await rows.learn(conn, changes[-1].number, [(word, by) for word, by in counts.items() if by])
        return True

    def _wrote(self, tables: frozenset[str]) -> None:
        if TABLE in tables:
            self._due.set()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._due.wait()
            self._due.clear()
            try:
                if await self.learn():
                    self._due.set()
                    await asyncio.sleep(BREATH)
            except StreamhostError as error:
                _logger.warning("Words of titles could not be learnt; trying again later", error=str(error))
                await asyncio.sleep(LOOK_SECONDS)
                self._due.set()
