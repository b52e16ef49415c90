"""A look at every video anew, after models or the policy have changed: first what would change, then, if wanted, so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.db import audit as audit_rows
from streamhost.db import rescreens as rows
from streamhost.db.core import Connection, Database
from streamhost.features.moderation.errors import RescreenBusy
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.cases import Change, Rescreen, RunState, Verdict
from streamhost.model.clock import Clock
from streamhost.model.cursors import InvalidCursor, one_more
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import RescreenId, VideoId, is_id, new_id
from streamhost.model.tasks import Job, RescreenVideos, ScreenVideo
from streamhost.model.videos import Clearance, Video

AT_ONCE = 100
"""Videos that are ordered in one transaction."""
MAX_PAGE = 200
UNDERWAY = (RunState.LOOKING, RunState.APPLYING)
LATER = -10
"""Priority: what was uploaded just now goes first."""


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of what a run would change, and where the next begins."""

    items: Sequence[Change]
    next_cursor: str | None


class Rescreening:
    """Orders looks at every video as jobs, counts what they find, and has it put into effect."""

    def __init__(self, db: Database, queue: Queue, clock: Clock) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock

    async def begin(self, by: Actor) -> Rescreen:
        """Find out what would change if every video were looked at now: nothing is changed. Raises `RescreenBusy`."""
        async with self._db.write() as conn:
            last = await rows.newest(conn)
            if last is not None and last.state in UNDERWAY:
                raise RescreenBusy(f"It was begun by {last.started_by}.")
            total = await rows.count_videos(conn)
            run = Rescreen(RescreenId(new_id()), RunState.LOOKING, self._clock(), by.words, total)
            await rows.insert(conn, run)
            await rows.forget_others(conn, run.id)
            await self._order(conn, RescreenVideos(run.id))
            await audit_rows.insert(conn, AuditEntry(run.started_at, Act.RESCREEN_STARTED, by, details={"run": run.id}))
        return run

    async def newest(self) -> Rescreen | None:
        """The run that was begun last."""
        async with self._db.read() as conn:
            return await rows.newest(conn)

    async def get(self, run_id: RescreenId) -> Rescreen:
        """How far a run is. Raises `NotFound`."""
        async with self._db.read() as conn:
            return await self._known(conn, run_id)

    async def changes(self, run_id: RescreenId, cursor: str | None = None, limit: int = 50) -> ChangePage:
        """What a run would change, or has changed. Raises `NotFound`, `InvalidInput`."""
        rows_asked = one_more(limit, MAX_PAGE)
        if cursor and not is_id(cursor):
            raise InvalidCursor
        async with self._db.read() as conn:
            await self._known(conn, run_id)
            found = await rows.changes(conn, run_id, VideoId(cursor) if cursor else None, rows_asked)
        return ChangePage(found[:limit], found[limit - 1].video_id if len(found) > limit else None)

    async def apply(self, run_id: RescreenId, by: Actor) -> Rescreen:
        """Make it so what a finished look has found. Raises `NotFound`, `RescreenBusy`."""
        async with self._db.write() as conn:
            run = await self._known(conn, run_id)
            if run.state is not RunState.LOOKED:
                raise RescreenBusy(f"It is {run.state.value}.")
            await rows.change(conn, run_id, RunState.APPLYING)
            await self._order(conn, RescreenVideos(run_id, apply=True))
            details = {"run": run_id, "changes": str(run.changed)}
            await audit_rows.insert(conn, AuditEntry(self._clock(), Act.RESCREEN_APPLIED, by, details=details))
            return await self._known(conn, run_id)

    async def cancel(self, run_id: RescreenId, by: Actor) -> Rescreen:
        """End a run; what was put into effect stays so. Raises `NotFound`."""
        async with self._db.write() as conn:
            run = await self._known(conn, run_id)
            if run.state in (*UNDERWAY, RunState.LOOKED):
                now = self._clock()
                await rows.change(conn, run_id, RunState.CANCELLED, now)
                await self._queue.cancel_subject(conn, _subject(run_id))
                await audit_rows.insert(conn, AuditEntry(now, Act.RESCREEN_ENDED, by, details={"run": run_id}))
            return await self._known(conn, run_id)

    async def go_on(self, task: RescreenVideos, job: JobContext) -> None:
        """The job: order the next few videos, and itself once more if there are others."""
        wanted = RunState.APPLYING if task.apply else RunState.LOOKING
        async with self._db.write() as conn:
            run = await rows.get(conn, task.rescreen_id)
            if run is not None and run.state is wanted:
                if task.apply:
                    found = await rows.to_apply(conn, run.id, task.after, AT_ONCE)
                else:
                    found = await rows.following(conn, task.after, AT_ONCE)
                for video_id in found:
                    if not task.apply:
                        await rows.expect(conn, run.id, video_id)
                    await self._have_looked_at(conn, run.id, video_id)
                if len(found) == AT_ONCE:
                    await self._order(conn, RescreenVideos(run.id, task.apply, found[-1]))
                else:
                    await self._look_for_end(conn, run.id, last=job.job)
            await job.complete(conn)

    # For the room of screenings, in its transactions

    async def of(self, conn: Connection, run_id: RescreenId | None) -> Rescreen | None:
        """The run that a screening is a part of, None for one that is none, or whose run has ended."""
        run = await rows.get(conn, run_id) if run_id else None
        return run if run is not None and run.state in UNDERWAY else None

    async def note(self, conn: Connection, task: ScreenVideo, video: Video, after: Clearance, verdict: Verdict) -> None:
        """Keep what would follow for a video."""
        if task.rescreen_id is None:
            return
        change = Change(video.id, video.title, video.clearance, after, verdict.judgement.risk, verdict.decision)
        await rows.note(conn, task.rescreen_id, change)
        await self._look_for_end(conn, task.rescreen_id)

    async def applied(self, conn: Connection, task: ScreenVideo) -> None:
        """What a run found of a video was put into effect."""
        if task.rescreen_id is not None:
            await rows.applied(conn, task.rescreen_id, task.video_id)
            await self._look_for_end(conn, task.rescreen_id)

    async def leave_out(self, conn: Connection, task: ScreenVideo) -> None:
        """There is nothing to look at in a video."""
        if task.rescreen_id is not None:
            await rows.leave_out(conn, task.rescreen_id, task.video_id)
            await self._look_for_end(conn, task.rescreen_id)

    async def once_more(self, conn: Connection, task: ScreenVideo) -> None:
        """A video was changed while it was looked at: what was found says nothing, so it is looked at again."""
        if task.rescreen_id is not None:
            await self._have_looked_at(conn, task.rescreen_id, task.video_id)

    async def failed(self, conn: Connection, task: ScreenVideo) -> None:
        """Nobody could look at a video."""
        if task.rescreen_id is not None:
            await rows.fail(conn, task.rescreen_id, task.video_id)
            await self._look_for_end(conn, task.rescreen_id)

    async def gave_up(self, conn: Connection, job: Job, _error: StreamhostError) -> None:
        """Not all videos could be ordered: the run ends."""
        run = await self.of(conn, RescreenId(job.payload["rescreen_id"]))
        if run is not None:
            await rows.change(conn, run.id, RunState.CANCELLED, self._clock())

    async def _look_for_end(self, conn: Connection, run_id: RescreenId, last: Job | None = None) -> None:
        """Note that a run is over when nothing is left of it. `last`: a job that is coming to its end."""
        run = await rows.get(conn, run_id)
        if run is None or run.state not in UNDERWAY:
            return
        left = await (rows.open_changes if run.state is RunState.APPLYING else rows.open_looks)(conn, run_id)
        orders = [
            job
            for job in await self._queue.unfinished(conn, _subject(run_id))
            if job.kind == RescreenVideos.kind and (last is None or job.id != last.id)
        ]
        if left or orders:
            return
        state = RunState.LOOKED if run.state is RunState.LOOKING else RunState.APPLIED
        await rows.change(conn, run_id, state, self._clock())

    async def _have_looked_at(self, conn: Connection, run_id: RescreenId, video_id: VideoId) -> None:
        task, about = ScreenVideo(video_id, rescreen_id=run_id), _subject(run_id)
        await self._queue.add(conn, task, priority=LATER, lock=f"screen:{video_id}", subject=about)

    async def _order(self, conn: Connection, task: RescreenVideos) -> None:
        about = _subject(task.rescreen_id)
        await self._queue.add(conn, task, priority=LATER, lock=about, subject=about)

    async def _known(self, conn: Connection, run_id: RescreenId) -> Rescreen:
        run = await rows.get(conn, run_id) if is_id(run_id) else None
        if run is None:
            raise NotFound("There is no such re-screening.")
        return run


def _subject(run_id: RescreenId) -> str:
    """What all jobs of a run say that they are about."""
    return f"rescreen:{run_id}"
