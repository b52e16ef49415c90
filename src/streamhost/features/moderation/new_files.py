"""What follows from a verdict about a new file: it takes the place of the one that plays, waits beside it, or goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from streamhost.db import replacements
from streamhost.db import verdicts as rows
from streamhost.db.core import Connection
from streamhost.features.moderation.settling import Settling, reason_of
from streamhost.jobs.announcing import announce
from streamhost.jobs.queue import Queue
from streamhost.model.audit import SYSTEM, Act, Actor
from streamhost.model.cases import Cause, Verdict
from streamhost.model.events import ReplacementHeld
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.verdicts import Decision
from streamhost.model.videos import REVIEWING, Clearance, Replacement, Video

ACTS = {
    Decision.APPROVE: Act.VIDEO_APPROVED,
    Decision.REVIEW: Act.VIDEO_HELD,
    Decision.REJECT: Act.VIDEO_REJECTED,
}


class PutsFiles(Protocol):
    """Puts new files in the place of old ones, or lets them go; in the caller's transaction."""

    async def let_in(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
        """Have what was made of a new file take the place of what plays."""
        ...

    async def refuse(self, conn: Connection, video_id: VideoId, package_id: PackageId, reason: str) -> None:
        """Let it go, and tell its owner why."""
        ...


async def made_beside(conn: Connection, video_id: VideoId) -> Replacement | None:
    """The new file that stands beside what plays, and is to be looked at first; None if there is none."""
    new = await replacements.get(conn, video_id)
    return new if new is not None and new.made else None


class NewFiles:
    """Puts verdicts about new files into effect. Of the video that plays nothing changes before one is let in."""

    def __init__(self, queue: Queue, settling: Settling) -> None:
        self._queue = queue
        self._settling = settling
        self._puts: PutsFiles | None = None

    def joins(self, puts: PutsFiles) -> None:
        """Have `puts` do what is decided."""
        self._puts = puts

    async def let_in(self, conn: Connection, video_id: VideoId, package_id: PackageId | None) -> None:
        """Have a new file take its place without a verdict: whoever uploaded it is trusted, or nothing plays that it
        could close."""
        if self._puts is not None and package_id is not None:
            await self._puts.let_in(conn, video_id, package_id)

    async def by_models(self, conn: Connection, video: Video, verdict: Verdict) -> Verdict:
        """Settle what models found in the new file of a video; the verdict as it is kept.

        Where the video itself is closed by now, the file takes its place and is judged there. After a file that was
        rejected models let no other in, so that nobody finds by trying what gets past them."""
        if video.clearance is not Clearance.OPEN:
            await self.let_in(conn, video.id, verdict.package_id)
            return verdict
        if verdict.decision is Decision.APPROVE and await rows.rejected(conn, video.id, new_file=True):
            verdict = replace(verdict, decision=Decision.REVIEW)
        return await self._settle(conn, video, replace(verdict, reason=reason_of(verdict.judgement)), SYSTEM)

    async def by_person(self, conn: Connection, video: Video, verdict: Verdict, by: Actor) -> Verdict:
        """Settle what a person has decided about the new file of a video."""
        return await self._settle(conn, video, verdict, by)

    async def _settle(self, conn: Connection, video: Video, verdict: Verdict, by: Actor) -> Verdict:
        kept = replace(verdict, before=video.clearance, after=video.clearance, new_file=True)
        await rows.insert(conn, kept)
        await self._settling.note(conn, ACTS[kept.decision], video, kept, by)
        if self._puts is None or kept.package_id is None:
            return kept
        match kept.decision:
            case Decision.APPROVE:
                await self._puts.let_in(conn, video.id, kept.package_id)
                await self._settling.close_case(conn, video.id, Cause.NEW_FILE)
            case Decision.REJECT:
                await self._puts.refuse(conn, video.id, kept.package_id, kept.reason)
            case Decision.REVIEW:
                await replacements.progress(conn, kept.package_id, 1.0, REVIEWING)
                await self._settling.raise_for(conn, kept, Cause.NEW_FILE)
                held = ReplacementHeld(video.id, video.owner_id, video.title, kept.reason, at=kept.at)
                await announce(conn, self._queue, held)
        return kept
