"""Has models look at videos: when one was made, when its words change, when somebody asks for it anew."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from streamhost import log
from streamhost.db import audit as audit_rows
from streamhost.db import users as user_rows
from streamhost.db import verdicts as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.db.verdicts import Screening as Found
from streamhost.features.moderation.errors import NotMade
from streamhost.features.moderation.evidence import EvidenceRoom
from streamhost.features.moderation.judging import judged, merged, pictures_stand, words_stand
from streamhost.features.moderation.material import Content, brought, content_of
from streamhost.features.moderation.new_files import NewFiles, made_beside
from streamhost.features.moderation.patience import screened
from streamhost.features.moderation.policies import Policies
from streamhost.features.moderation.rescreening import Rescreening
from streamhost.features.moderation.settling import Settling, target
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Role
from streamhost.model.audit import Act, Actor
from streamhost.model.cases import By, RunState, Verdict
from streamhost.model.clock import Clock
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import PackageId, UserId, VerdictId, VideoId, new_id
from streamhost.model.moderation import Findings, Gap, Material
from streamhost.model.tasks import Job, Lane, ScreenVideo
from streamhost.model.verdicts import Decision, Policy, Publish
from streamhost.model.videos import SCREENING, Clearance, Video, VideoState
from streamhost.ports import Classifier, Storage

URGENT = 10
"""Priority of a screening that somebody waits for, as of what somebody waits to watch."""


class Looks(Protocol):
    """The models of this instance."""

    @property
    def classifier(self) -> Classifier:
        """What asks all of them."""
        ...

    def mark(self) -> str:
        """The same as long as the same models look."""
        ...


def subject(video_id: VideoId) -> str:
    """What screenings of a video say that they are about."""
    return f"screen:{video_id}"


class Screening:
    """Orders screenings and carries them out; each may be killed anywhere and run again."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        storage: Storage,
        clock: Clock,
        looks: Looks,
        work: Path,
        *,
        policies: Policies,
        settling: Settling,
        evidence: EvidenceRoom,
        rescreening: Rescreening,
        new_files: NewFiles,
        most_frames: int,
    ) -> None:
        self._db = db
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._looks = looks
        self._work = work
        self._policies = policies
        self._settling = settling
        self._evidence = evidence
        self._rescreening = rescreening
        self._new_files = new_files
        self._most_frames = most_frames
        self._log = log.get("moderation")

    async def entering(self, conn: Connection, owner_id: UserId) -> Clearance:
        """What a video that somebody brings is cleared for before anybody has looked."""
        policy = await self._policies.current(conn)
        seen_later = policy.publish is Publish.PUBLISH_FIRST
        return Clearance.OPEN if seen_later or policy.trusts(await _role(conn, owner_id)) else Clearance.PENDING

    async def made(self, conn: Connection, video_id: VideoId) -> None:
        """A video was made, or made anew: have all of it looked at, in the transaction that says so."""
        await self._ask(conn, video_id, words_only=False)

    async def reworded(self, conn: Connection, video_id: VideoId) -> None:
        """What stands beside a video's pictures was changed: have that looked at, in the same transaction."""
        await self._ask(conn, video_id, words_only=True)

    async def again(self, video_id: VideoId, by: Actor) -> None:
        """Have all of a video looked at once more, whoever uploaded it. Raises `NotFound`, `NotMade`."""
        async with self._db.write() as conn:
            video = await videos.get(conn, video_id)
            if video is None:
                raise NotFound
            if video.state is not VideoState.READY:
                raise NotMade
            await self._add(conn, ScreenVideo(video_id, forced=True))
            await audit_rows.about_video(conn, self._clock(), Act.SCREENING_ORDERED, video, by, {})

    async def holds(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> bool:
        """Whether what was made of a new file waits beside what plays until it was looked at, which is then ordered.

        It does not where nothing is taken from anybody by looking afterwards: others cannot watch, or may at once."""
        video = await videos.get(conn, video_id)
        if video is None or video.clearance is not Clearance.OPEN:
            return False
        if await self.entering(conn, video.owner_id) is Clearance.OPEN:
            return False
        verdict = await rows.of_new_file(conn, package_id)
        if verdict is not None and verdict.decision is Decision.APPROVE:
            return False
        await self._add(conn, ScreenVideo(video_id, new_file=package_id))
        return True

    async def replaced(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
        """A new file takes the place of a video's, in this transaction. Where nobody has looked at it yet (nothing has
        played before), somebody does so before others see it."""
        video, verdict = await videos.get(conn, video_id), await rows.of_new_file(conn, package_id)
        await rows.adopt(conn, video_id, package_id)
        approved = verdict is not None and verdict.decision is Decision.APPROVE
        if approved or video is None or video.clearance is not Clearance.OPEN:
            return
        clearance = await self.entering(conn, video.owner_id)
        if clearance is not Clearance.OPEN:
            await videos.change(conn, video_id, self._clock(), clearance=clearance.value)

    async def _ask(self, conn: Connection, video_id: VideoId, *, words_only: bool) -> None:
        video = await videos.get(conn, video_id)
        if video is None:
            return
        quick = words_only and await rows.screening(conn, video.package_id) is not None
        if video.state is not VideoState.READY and not quick:
            # It is asked for again when the video is made.
            return
        policy = await self._policies.current(conn)
        if policy.trusts(await _role(conn, video.owner_id)):
            await self._trust(conn, video, policy)
            return
        await self._add(conn, ScreenVideo(video_id, words_only), quick=quick)

    async def _add(self, conn: Connection, task: ScreenVideo, *, quick: bool = False) -> None:
        """`quick`: there are no pictures to look at but a poster, so it does not wait until films are made."""
        about = subject(task.video_id)
        what = task.new_file or ("words" if task.words_only else "forced" if task.forced else "all")
        waiting = f"{about}:{what}"
        lane = Lane.LIGHT if quick else None
        await self._queue.add(conn, task, lane=lane, priority=URGENT, lock=about, queueing_lock=waiting, subject=about)

    async def _trust(self, conn: Connection, video: Video, policy: Policy) -> None:
        """Approve unseen; what was decided already stays."""
        known = await rows.newest(conn, [video.id])
        if video.clearance is Clearance.PENDING or (video.clearance is Clearance.OPEN and not known):
            content = await content_of(conn, video)
            await self._settling.by_trust(conn, video, self._verdict(content, policy))

    async def screen(self, task: ScreenVideo, job: JobContext) -> None:
        """The job: look at what was not looked at yet, and settle what follows."""
        async with self._db.read() as conn:
            video = await _looked_at(conn, task)
            run = await self._rescreening.of(conn, task.rescreen_id)
            if video is None or (task.rescreen_id and run is None):
                await self._nothing(task, job)
                return
            content = await content_of(conn, video)
            policy = await self._policies.current(conn)
            trusted = policy.trusts(await _role(conn, video.owner_id))
            known = await rows.screening(conn, video.package_id)
            person = await rows.standing_by_person(conn, video.id)
        if trusted and not task.forced:
            await self._trusted(task, job, policy)
            return
        found = await self._look(task, content, known, job)
        verdict = self._verdict(content, policy)
        verdict = replace(verdict, models=found.findings.models, gaps=found.findings.gaps)
        verdict = judged(verdict, content, found.findings, policy, person)
        dry = run is not None and run.state is RunState.LOOKING
        if verdict.decision is not Decision.APPROVE and not dry:
            verdict = await self._evidence.gather(content, found.findings, policy, verdict)
        async with self._db.write() as conn:
            await self._settle(conn, task, content, found, verdict, policy, dry=dry)
            await job.complete(conn)

    async def _settle(
        self,
        conn: Connection,
        task: ScreenVideo,
        content: Content,
        found: Found,
        verdict: Verdict,
        policy: Policy,
        *,
        dry: bool,
    ) -> None:
        video = await _looked_at(conn, task)
        if video is None:
            await self._rescreening.leave_out(conn, task)
            return
        current = await content_of(conn, video)
        if (current.package_id, current.mark) != (content.package_id, content.mark):
            # It was changed while it was looked at; that is looked at as well before anything follows.
            if task.new_file is not None:
                await self._add(conn, task)
            else:
                await self._ask(conn, video.id, words_only=current.package_id == content.package_id)
            await self._rescreening.once_more(conn, task)
            return
        await rows.save_screening(conn, found)
        # Somebody may have decided while models looked.
        person = await rows.standing_by_person(conn, video.id)
        verdict = judged(verdict, content, found.findings, policy, person)
        if dry:
            after, _ = target(video, verdict, policy, person, rejected=await rows.rejected(conn, video.id))
            await self._rescreening.note(conn, task, video, after, verdict)
            return
        if task.new_file is not None:
            kept = await self._new_files.by_models(conn, video, verdict)
        else:
            kept = await self._settling.by_models(conn, video, verdict, policy)
        await self._rescreening.applied(conn, task)
        self._log.info(
            "a video was screened", action="screened", video=video.id, risk=kept.judgement.risk.value,
            decision=kept.decision.value, clearance=kept.after.value,
        )  # fmt: skip

    async def _look(self, task: ScreenVideo, content: Content, known: Found | None, job: JobContext) -> Found:
        """What models find, with what they have found already where that still counts."""
        mark = self._looks.mark()
        known = None if task.forced else known
        seen = known is not None and pictures_stand(known, content, mark, words_only=task.words_only)
        read = known is not None and words_stand(known, content, mark)
        if known is not None and seen and read:
            return known
        room = self._work / f"screen-{content.video.id}"
        await asyncio.to_thread(_emptied, room)
        try:
            material, gaps = await brought(content, self._storage, room, self._most_frames, pictures=not seen)
            job.report(0.0, SCREENING)
            fresh = await screened(self._looks.classifier, material, lambda share: job.report(share, SCREENING))
        finally:
            await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)
        findings = merged(known.findings, fresh) if known is not None and seen else fresh
        findings = replace(findings, gaps=tuple(dict.fromkeys([*findings.gaps, *gaps, *content.missing])))
        self._note_length(content, material)
        models = known.models if known is not None and seen else mark
        return Found(
            content.video.id, content.package_id, content.mark, models, content.concerned, findings, self._clock()
        )

    def _note_length(self, content: Content, material: Material) -> None:
        self._log.debug(
            "models have looked", video=content.video.id, frames=len(material.frames), texts=len(material.texts)
        )

    async def _trusted(self, task: ScreenVideo, job: JobContext, policy: Policy) -> None:
        async with self._db.write() as conn:
            video = await _looked_at(conn, task)
            if video is None:
                await self._rescreening.leave_out(conn, task)
            elif task.new_file is not None:
                await self._new_files.let_in(conn, video.id, task.new_file)
            else:
                run = await self._rescreening.of(conn, task.rescreen_id)
                if run is not None and run.state is RunState.LOOKING:
                    after = Clearance.OPEN if video.clearance is Clearance.PENDING else video.clearance
                    content = await content_of(conn, video)
                    verdict = replace(self._verdict(content, policy), by=By.TRUST, decision=Decision.APPROVE)
                    await self._rescreening.note(conn, task, video, after, verdict)
                else:
                    await self._trust(conn, video, policy)
                    await self._rescreening.applied(conn, task)
            await job.complete(conn)

    async def _nothing(self, task: ScreenVideo, job: JobContext) -> None:
        """There is nothing to look at (any more)."""
        async with self._db.write() as conn:
            await self._rescreening.leave_out(conn, task)
            await job.complete(conn)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """Nobody could look: a person has to, and nothing is approved."""
        task = ScreenVideo(**job.payload)
        video = await _looked_at(conn, task)
        if task.rescreen_id is not None:
            await self._rescreening.failed(conn, task)
            return
        if video is None:
            return
        content = await content_of(conn, video)
        policy = await self._policies.current(conn)
        person = await rows.standing_by_person(conn, video.id)
        gaps = tuple(Gap(aspect, "", error.code, str(error)[:500]) for aspect in sorted(content.concerned))
        verdict = replace(self._verdict(content, policy), gaps=gaps)
        verdict = judged(verdict, content, Findings(gaps=gaps), policy, person)
        if task.new_file is not None:
            await self._new_files.by_models(conn, video, verdict)
        else:
            await self._settling.by_models(conn, video, verdict, policy)

    def _verdict(self, content: Content, policy: Policy) -> Verdict:
        """A verdict about the content as it is, nothing said in it yet."""
        video = content.video
        return Verdict(
            VerdictId(new_id()),
            video.id,
            self._clock(),
            By.MODELS,
            Decision.REVIEW,
            before=video.clearance,
            after=video.clearance,
            package_id=content.package_id,
            mark=content.mark,
            policy=policy,
        )


async def _looked_at(conn: Connection, task: ScreenVideo) -> Video | None:
    """What a screening is about: a video that is made (its words alone, also while more is made of it), or one as it
    would be with its new file; None if it is gone."""
    video = await videos.get(conn, task.video_id)
    if video is None or task.new_file is None:
        looked_at = video is not None and (task.words_only or video.state is VideoState.READY)
        return video if looked_at else None
    new = await made_beside(conn, video.id)
    return new.shown_in(video) if new is not None and new.package_id == task.new_file else None


async def _role(conn: Connection, owner_id: UserId) -> Role:
    owner = await user_rows.get(conn, owner_id)
    return owner.role if owner is not None else Role.VIEWER


def _emptied(room: Path) -> None:
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
