"""What follows from a verdict: who may watch, which links end, who waits for a person, who is told. One transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from streamhost.db import audit as audit_rows
from streamhost.db import replacements, videos
from streamhost.db import review_cases as case_rows
from streamhost.db import verdicts as rows
from streamhost.db.core import Connection
from streamhost.jobs.announcing import announce
from streamhost.jobs.queue import Queue
from streamhost.jobs.withdrawing import Withdrawn, withdraw
from streamhost.model.audit import SYSTEM, Act, Actor
from streamhost.model.cases import By, Case, Cause, Verdict
from streamhost.model.clock import Clock
from streamhost.model.events import Event, VideoApproved, VideoHeld, VideoPublished, VideoRejected
from streamhost.model.ids import VideoId
from streamhost.model.moderation import Category
from streamhost.model.verdicts import Decision, Judgement, Policy, Publish, Risk
from streamhost.model.videos import Clearance, Video, Visibility

WORDS: dict[Category, str] = {
    Category.NUDITY: "nudity",
    Category.VIOLENCE: "violence",
    Category.TEXT: "insulting words",
}
ACTS = {
    Clearance.OPEN: Act.VIDEO_APPROVED,
    Clearance.REVIEW: Act.VIDEO_HELD,
    Clearance.REJECTED: Act.VIDEO_REJECTED,
}

Decided = Callable[[Connection, Video, Decision, Actor], Awaitable[object]]
"""Hears, in the same transaction, that a person has decided about a video."""


class Settling:
    """Puts verdicts into effect."""

    def __init__(self, queue: Queue, clock: Clock, withdrawn: Withdrawn) -> None:
        """`withdrawn` hears of each video whose links must end, and since when."""
        self._queue = queue
        self._clock = clock
        self._withdrawn = withdrawn
        self._decided: list[Decided] = []

    def on_decided(self, hear: Decided) -> None:
        """Have `hear` called when a person has decided."""
        self._decided.append(hear)

    async def by_models(self, conn: Connection, video: Video, verdict: Verdict, policy: Policy) -> Verdict:
        """Settle what models found; the verdict as it is kept."""
        person = await rows.standing_by_person(conn, video.id)
        after, cause = target(video, verdict, policy, person, rejected=await rows.rejected(conn, video.id))
        reason = reason_of(verdict.judgement)
        if person is not None and person.decision is Decision.REJECT:
            # What its owner was told is still why.
            reason = person.reason
        kept = replace(verdict, before=video.clearance, after=after, reason=reason)
        await rows.insert(conn, kept)
        await self._move(conn, video, kept, SYSTEM)
        if cause is not None:
            await self.raise_for(conn, kept, cause)
        elif after is not Clearance.REVIEW:
            await self.close_case(conn, video.id, Cause.SCREENING)
        return kept

    async def by_trust(self, conn: Connection, video: Video, verdict: Verdict) -> None:
        """Approve unseen what somebody trusted has uploaded."""
        kept = replace(verdict, before=video.clearance, after=Clearance.OPEN, by=By.TRUST, decision=Decision.APPROVE)
        await rows.insert(conn, kept)
        await self._move(conn, video, kept, SYSTEM)
        await self.close_case(conn, video.id, Cause.SCREENING)

    async def by_person(self, conn: Connection, video: Video, verdict: Verdict, by: Actor) -> Verdict:
        """Settle what a person has decided: that counts, whatever models say of the same content."""
        after = Clearance.OPEN if verdict.decision is Decision.APPROVE else Clearance.REJECTED
        kept = replace(verdict, before=video.clearance, after=after)
        await rows.insert(conn, kept)
        await self._move(conn, video, kept, by)
        await self._close(conn, video.id)
        for hear in self._decided:
            await hear(conn, video, verdict.decision, by)
        return kept

    async def undone(self, conn: Connection, video: Video, back: Verdict, verdict: Verdict, by: Actor) -> None:
        """Take a person's decision back: what was before it counts again, and somebody is to look once more. Nothing is
        opened by that which was changed since, or which models have rejected meanwhile."""
        await rows.undo(conn, back.id, self._clock())
        same = (back.package_id, back.mark) == (verdict.package_id, verdict.mark)
        after = back.before if back.before is not Clearance.PENDING else Clearance.REVIEW
        opens = after is Clearance.OPEN and video.clearance is not Clearance.OPEN
        if opens and (not same or await rows.rejected(conn, video.id)):
            after = Clearance.REVIEW
        kept = replace(verdict, before=video.clearance, after=after, by=By.UNDONE, decision=Decision.REVIEW)
        await rows.insert(conn, kept)
        await self._move(conn, video, kept, by, Act.DECISION_UNDONE)
        await self.raise_for(conn, kept, Cause.UNDONE)

    async def raise_case(self, conn: Connection, video_id: VideoId, cause: Cause, risk: Risk) -> None:
        """Have a person look at a video, in the caller's transaction; a higher risk comes first."""
        await case_rows.put(conn, Case(video_id, cause, risk, self._clock()))

    async def raise_for(self, conn: Connection, verdict: Verdict, cause: Cause) -> None:
        """Have a person look because of a verdict."""
        judgement = verdict.judgement
        await case_rows.put(conn, Case(verdict.video_id, cause, judgement.risk, verdict.at, judgement.against))

    async def close_case(self, conn: Connection, video_id: VideoId, cause: Cause) -> None:
        """Close the case of a video if that is its cause."""
        case = await case_rows.get(conn, video_id)
        if case is not None and case.cause is cause:
            await self._close(conn, video_id)

    async def _close(self, conn: Connection, video_id: VideoId) -> None:
        """Nobody need look any more, unless at a new file."""
        await case_rows.close(conn, video_id)
        new = await replacements.get(conn, video_id)
        waits = await rows.of_new_file(conn, new.package_id) if new is not None and new.made else None
        if waits is not None and waits.decision is Decision.REVIEW:
            await self.raise_for(conn, waits, Cause.NEW_FILE)

    async def _move(self, conn: Connection, video: Video, verdict: Verdict, by: Actor, act: Act | None = None) -> None:
        """Make the video's clearance that of the verdict, with all that follows."""
        before, after, now = verdict.before, verdict.after, verdict.at
        trusted = verdict.by is By.TRUST
        if before is not after:
            columns: dict[str, object] = {"clearance": after.value}
            opened = after is Clearance.OPEN and video.playable
            first = opened and not await rows.was_open(conn, verdict)
            if first and video.published_at is not None:
                columns["published_at"] = now
            await videos.change(conn, video.id, now, **columns)
            if after is Clearance.REJECTED or (after is Clearance.REVIEW and before is Clearance.OPEN):
                await withdraw(conn, self._queue, self._clock, video.id, self._withdrawn)
            for event in _events(video, verdict, first=first):
                await announce(conn, self._queue, event)
        changed_or_decided = before is not after or verdict.by in (By.PERSON, By.UNDONE)
        if changed_or_decided and not trusted:
            await self.note(conn, act or ACTS[after], video, verdict, by)

    async def note(self, conn: Connection, act: Act, video: Video, verdict: Verdict, by: Actor) -> None:
        """Write a decision into the audit log."""
        details = {"verdict": verdict.id, "decision": verdict.decision.value}
        details["risk"] = verdict.judgement.risk.value
        if verdict.new_file:
            details["new_file"] = "yes"
        await audit_rows.about_video(conn, verdict.at, act, video, by, details)


def target(
    video: Video, verdict: Verdict, policy: Policy, person: Verdict | None, *, rejected: bool = False
) -> tuple[Clearance, Cause | None]:
    """What a video is cleared for after models have looked, and why a person is to look, if one is. Pure.

    What a person has rejected stays so until a person says otherwise, and what models have rejected is opened by none
    but a person, so that nobody finds by trying what gets past them. `rejected`: somebody has, and no person has
    approved it since."""
    now, decision = video.clearance, verdict.decision
    if person is not None and person.decision is Decision.REJECT:
        same = person.package_id == verdict.package_id and person.mark == verdict.mark
        return now, None if same or now is not Clearance.REJECTED else Cause.CHANGED
    if decision is Decision.REJECT:
        return Clearance.REJECTED, None
    tried = now is Clearance.REJECTED or (rejected and now is not Clearance.OPEN)
    if decision is Decision.APPROVE and not tried:
        return Clearance.OPEN, None
    if now is Clearance.REJECTED or decision is Decision.APPROVE:
        return Clearance.REVIEW, Cause.CHANGED
    nothing_found = verdict.judgement.risk is Risk.UNKNOWN
    if policy.publish is Publish.PUBLISH_FIRST and nothing_found and now is Clearance.OPEN:
        return Clearance.OPEN, Cause.SCREENING
    return Clearance.REVIEW, Cause.SCREENING


def reason_of(judgement: Judgement) -> str:
    """What the owner is told, in a sentence; empty if nothing speaks against the video."""
    if judgement.against:
        return f"It seems to show or say this: {', '.join(WORDS[category] for category in judgement.against)}."
    if judgement.unlooked:
        return "Not everything could be looked at by itself."
    return ""


def _events(video: Video, verdict: Verdict, *, first: bool) -> list[Event]:
    """What is announced of a changed clearance."""
    named = (video.id, video.owner_id, video.title)
    match verdict.after:
        case Clearance.REJECTED:
            return [VideoRejected(*named, verdict.reason or "It does not fit this site.", at=verdict.at)]
        case Clearance.REVIEW:
            return [VideoHeld(*named, verdict.reason, at=verdict.at)]
        case Clearance.OPEN if replace(video, clearance=Clearance.OPEN).shown:
            events: list[Event] = [] if verdict.by is By.TRUST else [VideoApproved(*named, at=verdict.at)]
            if first and video.visibility is not Visibility.PRIVATE:
                events.append(VideoPublished(*named, at=verdict.at))
            return events
    return []
