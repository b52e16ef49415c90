"""Ends links that another process has withdrawn: a command on the data directory beside the running server."""

from __future__ import annotations

from streamhost.db import videos
from streamhost.db.core import Database
from streamhost.jobs.background import Watch
from streamhost.jobs.withdrawing import Withdrawn
from streamhost.model.clock import Clock

LOOK_EVERY = 3.0
"""Seconds between two looks: what was rejected must be gone within ten."""
OVERLAP = 30.0
"""How far back each look goes: another process may take a while from its decision to its commit."""


class WithdrawalWatch:
    """Looks now and then whether a video was withdrawn elsewhere."""

    def __init__(self, db: Database, clock: Clock, withdrawn: Withdrawn) -> None:
        """`withdrawn` hears of each video whose links must end, and since when; told twice, it does no harm."""
        self._db = db
        self._clock = clock
        self._withdrawn = withdrawn
        self._watching = Watch("withdrawals", self.look, LOOK_EVERY)

    async def look(self) -> None:
        """End what was withdrawn lately."""
        async with self._db.read() as conn:
            for video_id, moment in await videos.withdrawn_since(conn, self._clock() - OVERLAP):
                self._withdrawn(video_id, moment)

    async def start(self) -> None:
        """Look every few seconds."""
        self._watching.start()

    async def stop(self) -> None:
        """Stop looking. Safe to call twice."""
        await self._watching.stop()
