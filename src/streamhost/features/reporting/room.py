"""Takes reports by viewers, tells moderators of them, and those who reported of the end."""

from __future__ import annotations

import hmac
import math
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from streamhost.buckets import Buckets, Policy
from streamhost.config import ReportSettings
from streamhost.db import audit as audit_rows
from streamhost.db import reports as rows
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection, Database
from streamhost.features.reporting.errors import TooManyReports
from streamhost.jobs.announcing import announce
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Viewer
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import HOUR, Clock
from streamhost.model.cursors import by_number, one_more
from streamhost.model.errors import InvalidInput, NotFound, Unauthenticated
from streamhost.model.events import ReportAnswered, VideoReported
from streamhost.model.ids import ReportId, VideoId, new_id
from streamhost.model.reports import TELL_AT, URGENT, WORDS_LENGTH, Outcome, Report, ReportedVideo, reason_of
from streamhost.model.verdicts import Decision
from streamhost.model.videos import Video
from streamhost.model.words import tidied

MOST = 500
"""Reports of one video that are shown."""
MAX_PAGE = 100
CROWD = 20
"""How many networks the address of a proxy stands for that says nothing about its clients."""
AFTER_END = 1.0
"""Seconds that a place may lie behind the end of the video: players round."""
ANSWERS = {
    Outcome.UPHELD: "Somebody looked at it, and the video can no longer be watched.",
    Outcome.DISMISSED: "Somebody looked at it, and found that the video may stay.",
}


@dataclass(frozen=True, slots=True)
class NewReport:
    """What is said. `reason`: one of the list, or words of one's own; `at`: seconds into the video; `notify`: whether
    the one who reports is to be told how it ended."""

    reason: str
    words: str = ""
    at: float | None = None
    notify: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """Who reports: the viewer, and for those without an account their network and what their browser calls itself."""

    viewer: Viewer
    network: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Videos with open reports, and where the next page begins."""

    items: Sequence[ReportedVideo]
    next_cursor: str | None


class Reporting:
    """Takes reports, groups them by video, and closes them.

    Of one person (or one browser without an account) a video has one open report: what they say later counts."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        clock: Clock,
        key: bytes,
        finds: Callable[[VideoId, Viewer], Awaitable[Video]],
        raises: Callable[[Connection, VideoId, bool], Awaitable[object]],
        settings: ReportSettings,
    ) -> None:
        """`key`: 32 secret bytes, so that who reports without an account cannot be told from what is stored. `finds`
        gives a video that somebody may see, or raises. `raises` has a person look at a video, in the same transaction
        as the report; True for the worst kind."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._key = key
        self._finds = finds
        self._raises = raises
        self.anonymous = settings.anonymous
        """Whether one may report without an account."""
        self._policy = Policy("reports", settings.per_hour, HOUR)
        self._of_crowd = Policy("reports-crowd", settings.per_hour * CROWD, HOUR)
        self._buckets = Buckets(clock)

    async def may_report(self, video_id: VideoId, viewer: Viewer) -> Video:
        """The video, if `viewer` may report it. Raises `NotFound`, `Unauthenticated`, what opens it otherwise."""
        video = await self._finds(video_id, viewer)
        if viewer.user is None and not self.anonymous:
            raise Unauthenticated(hint="Sign in to report a video.")
        return video

    async def report(self, video_id: VideoId, sender: Sender, said: NewReport) -> Report:
        """Take a report. Raises as `may_report`, `InvalidInput`, `TooManyReports`."""
        viewer = sender.viewer
        video = await self.may_report(video_id, viewer)
        reason, own_words = reason_of(said.reason)
        words = tidied(" ".join(filter(None, (own_words, said.words))))
        wrong = {}
        if not said.reason.strip():
            wrong["reason"] = "Choose what is wrong."
        if len(words) > WORDS_LENGTH:
            wrong["text"] = f"At most {WORDS_LENGTH} characters."
        if said.at is not None and not _within(said.at, video.duration):
            wrong["at"] = "A place in the video, in seconds."
        if wrong:
            raise InvalidInput(fields=wrong)
        self._count(sender)
        report = Report(
            ReportId(new_id()),
            video.id,
            self._reporter(sender),
            reason,
            self._clock(),
            words,
            said.at,
            viewer.id,
            wants_answer=said.notify and viewer.user is not None,
        )
        async with self._db.write() as conn:
            if await video_rows.get(conn, video.id) is None:
                raise NotFound
            new = await rows.put(conn, report)
            await self._raises(conn, video.id, report.reason in URGENT)
            if new:
                await self._tell(conn, video, report, await rows.count_open(conn, video.id))
        return report

    # For moderators

    async def listed(self, cursor: str | None = None, limit: int = 24) -> ReportPage:
        """Videos with open reports, those first that wait longest. Raises `InvalidInput`."""
        rows_asked, offset = one_more(limit, MAX_PAGE), by_number(cursor) or 0
        async with self._db.read() as conn:
            found = await rows.grouped(conn, rows_asked, offset)
        return ReportPage(found[:limit], str(offset + limit) if len(found) > limit else None)

    async def of_video(self, video_id: VideoId, viewer: Viewer) -> list[Report]:
        """The reports of a video, open ones first; whoever owns it learns from none who sent it. Raises `NotFound`."""
        async with self._db.read() as conn:
            video = await video_rows.get(conn, video_id)
            if video is None:
                raise NotFound
            found = await rows.of_video(conn, video_id, MOST)
        return [one.unsigned() for one in found] if video.owner_id == viewer.id else found

    async def counts(self, video_ids: Collection[VideoId]) -> dict[VideoId, int]:
        """How many reports are open, by video; of those that have none, nothing."""
        async with self._db.read() as conn:
            return await rows.counts(conn, video_ids)

    async def decided(self, conn: Connection, video: Video, decision: Decision, by: Actor) -> None:
        """A person has decided about a video: its reports end with that, in the same transaction."""
        outcome = Outcome.UPHELD if decision is Decision.REJECT else Outcome.DISMISSED
        await self.close(conn, video, outcome, by)

    async def close(self, conn: Connection, video: Video, outcome: Outcome, by: Actor) -> int:
        """Close the open reports of a video in the transaction of whoever has decided about it; how many there were."""
        now = self._clock()
        closed = await rows.close(conn, video.id, outcome, now)
        for report in closed:
            if report.wants_answer and report.user_id is not None:
                answer = ReportAnswered(report.user_id, video.id, video.title, outcome.value, ANSWERS[outcome], at=now)
                await announce(conn, self._queue, answer)
        if closed:
            details = {"outcome": outcome.value, "reports": str(len(closed))}
            await audit_rows.about_video(conn, now, Act.REPORTS_CLOSED, video, by, details)
        return len(closed)

    async def _tell(self, conn: Connection, video: Video, report: Report, count: int) -> None:
        if count in TELL_AT:
            news = VideoReported(
                video.id, video.owner_id, video.title, report.reason.value, count, at=report.created_at
            )
            await announce(conn, self._queue, news)

    def _count(self, sender: Sender) -> None:
        """Raise `TooManyReports` for whoever sends too many."""
        if sender.viewer.id is not None:
            count = self._buckets.take(self._policy, f"account {sender.viewer.id}")
        elif sender.network:
            count = self._buckets.take(self._policy, sender.network)
        else:
            count = self._buckets.take(self._of_crowd, "crowd")
        if not count.granted:
            raise TooManyReports(count.wait)

    def _reporter(self, sender: Sender) -> str:
        """A name for the one who reports, the same every time."""
        if sender.viewer.id is not None:
            return f"u:{sender.viewer.id}"
        seen = f"{sender.network}\n{sender.device}".encode()
        return f"s:{hmac.new(self._key, seen, sha256).hexdigest()[:32]}"


def _within(at: float, duration: float | None) -> bool:
    return math.isfinite(at) and 0 <= at <= (duration + AFTER_END if duration else math.inf)
