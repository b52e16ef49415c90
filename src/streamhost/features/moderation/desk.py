"""The reviewers' desk: what waits for a person, whose it is, decisions and taking them back, history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from streamhost.db import audit as audit_rows
from streamhost.db import review_cases as case_rows
from streamhost.db import users as user_rows
from streamhost.db import verdicts as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.db.review_cases import Place, Wanted
from streamhost.features.moderation.errors import ChangedMeanwhile, ClaimedByOther, NoCase, NothingToUndo, OwnVideo
from streamhost.features.moderation.material import content_of
from streamhost.features.moderation.new_files import NewFiles, made_beside
from streamhost.features.moderation.policies import Policies
from streamhost.features.moderation.settling import Settling
from streamhost.model.accounts import User, Viewer
from streamhost.model.audit import Act, Actor
from streamhost.model.cases import CLAIM_SECONDS, REASON_LENGTH, By, Case, Cause, Verdict
from streamhost.model.clock import Clock
from streamhost.model.cursors import InvalidCursor, by_number, decoded, encoded, one_more
from streamhost.model.errors import InvalidInput, NotFound
from streamhost.model.ids import VerdictId, VideoId, is_id, new_id
from streamhost.model.moderation import Category, Findings
from streamhost.model.verdicts import Decision, Judgement, Risk
from streamhost.model.videos import Video, may_view
from streamhost.model.words import tidied

MAX_PAGE = 100
EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A video that waits for a person, and the newest verdict of models about it (None: none has looked)."""

    video: Video
    case: Case
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of what waits, the highest risk first, among equals the oldest; and where the next page begins."""

    items: Sequence[Waiting]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything that there is to decide about a video. `case` is None where nobody need look.

    `verdict` is the newest of models, `standing` the newest of all; `findings` are what models found last, with scores
    over time; `history` all verdicts, newest first. `changed`: the video is not what models have looked at any more.
    `version` names what is to be decided about. `new_file`: all this is about the file that is to take the place of the
    one that plays; `new_file_waits`: there is such a file, and nothing was decided about it yet."""

    video: Video
    case: Case | None
    verdict: Verdict | None
    standing: Verdict | None
    findings: Findings
    history: Sequence[Verdict]
    changed: bool = False
    version: str = ""
    new_file: bool = False
    new_file_waits: bool = False


@dataclass(frozen=True, slots=True)
class VerdictPage:
    """One page of decisions, newest first."""

    items: Sequence[Verdict]
    next_cursor: str | None


class Desk:
    """What moderators do. Who may is checked at the doors; here it is only asked whose a case is."""

    def __init__(self, db: Database, clock: Clock, policies: Policies, settling: Settling, new_files: NewFiles) -> None:
        self._db = db
        self._clock = clock
        self._policies = policies
        self._settling = settling
        self._new_files = new_files

    async def queue(self, wanted: Wanted = EVERYTHING, cursor: str | None = None, limit: int = 24) -> QueuePage:
        """What waits for a person. Raises `InvalidInput`."""
        rows_asked = one_more(limit, MAX_PAGE)
        async with self._db.read() as conn:
            found = await case_rows.listed(conn, wanted, self._clock(), _place(cursor), rows_asked)
            items = await self._waiting(conn, found[:limit])
        return QueuePage(items, _encode(found[limit - 1]) if len(found) > limit else None)

    async def counts(self) -> dict[Risk, int]:
        """How many videos wait, by risk."""
        async with self._db.read() as conn:
            return await case_rows.counts(conn)

    async def decisions(
        self, decision: Decision | None = None, by: By | None = None, cursor: str | None = None, limit: int = 50
    ) -> VerdictPage:
        """Decisions about all videos, newest first; `reject` with `models` lists what nobody but models rejected."""
        rows_asked = one_more(limit, MAX_PAGE)
        before = by_number(cursor)
        async with self._db.read() as conn:
            found = await rows.listed(conn, decision, by, before, rows_asked)
        return VerdictPage(found[:limit], str(found[limit - 1].number) if len(found) > limit else None)

    async def file(self, video_id: VideoId, *, new_file: bool | None = False) -> CaseFile:
        """Everything about one video, or about the `new_file` that stands beside it (None: about that if there is one).

        Raises `NotFound`."""
        async with self._db.read() as conn:
            video = await self._video(conn, video_id)
            if new_file is None:
                new_file = await made_beside(conn, video_id) is not None
            return await self._file(conn, video, new_file=new_file)

    async def check(self, video_id: VideoId, viewer: Viewer) -> None:
        """Raise `NotFound` for a video that is none of a moderator's business: others may not see it, and neither
        models nor people have ever had to do with it."""
        async with self._db.read() as conn:
            if not await _business(conn, [await self._video(conn, video_id)], viewer):
                raise NotFound

    async def titles(self, video_ids: Collection[VideoId], viewer: Viewer) -> dict[VideoId, str]:
        """What videos are called; those that are gone, or no business of a moderator's (see `check`), are left out."""
        async with self._db.read() as conn:
            known = [one for one in await videos.of_ids(conn, video_ids) if one.deleted_at is None]
            return {one.id: one.title for one in await _business(conn, known, viewer)}

    async def reasons(self, video_ids: Collection[VideoId]) -> dict[VideoId, str]:
        """What the owners of videos were told by the newest verdict about each; nothing where there was none."""
        async with self._db.read() as conn:
            return {name: one.reason for name, one in (await rows.newest(conn, video_ids)).items()}

    async def claim(self, video_id: VideoId, reviewer: User, *, over: Actor | None = None) -> Case:
        """Take a case for ten minutes, or prolong that. `over`: take it from whoever has it, and note who did so.

        Raises `NotFound`, `NoCase`, `ClaimedByOther`."""
        async with self._db.write() as conn:
            case, now = await self._case(conn, video_id), self._clock()
            holder = case.held_by(now)
            if over is not None and holder not in (None, reviewer.id):
                await case_rows.release(conn, video_id, holder)
                video = await self._video(conn, video_id)
                await audit_rows.about_video(conn, now, Act.CASE_TAKEN_OVER, video, over, {"from": holder})
            if not await case_rows.claim(conn, video_id, reviewer.id, now, now + CLAIM_SECONDS):
                raise ClaimedByOther(f"{case.reviewer} has it.")
            return await self._case(conn, video_id)

    async def claim_next(self, reviewer: User, wanted: Wanted = EVERYTHING) -> Waiting | None:
        """Take the first case that nobody has; None if there is none. Two who ask at once get two."""
        now = self._clock()
        async with self._db.write() as conn:
            found = await case_rows.listed(conn, replace(wanted, free_for=reviewer.id), now, None, 1)
            if not found:
                return None
            await case_rows.claim(conn, found[0].video_id, reviewer.id, now, now + CLAIM_SECONDS)
            return (await self._waiting(conn, [await self._case(conn, found[0].video_id)]))[0]

    async def take_next(self, reviewer: User, wanted: Wanted = EVERYTHING) -> Waiting:
        """As `claim_next`. Raises `NoCase` where nothing waits."""
        found = await self.claim_next(reviewer, wanted)
        if found is None:
            raise NoCase("Nothing waits.")
        return found

    async def release(self, video_id: VideoId, reviewer: User) -> None:
        """Let go of a case; of one that is not the reviewer's nothing changes. Raises `NotFound`."""
        async with self._db.write() as conn:
            await self._video(conn, video_id)
            await case_rows.release(conn, video_id, reviewer.id)

    async def decide(
        self,
        video_id: VideoId,
        decision: Decision,
        reason: str,
        by: Actor,
        *,
        note: str = "",
        seen: str = "",
        new_file: bool = False,
    ) -> CaseFile:
        """Approve or reject a video; that may also be one that nobody had to look at. `reason` is for its owner.
        `seen`: the version of the case file that was looked at; nothing is approved that was changed since. `new_file`:
        it is about the file that is to take the place of the one that plays, which stays as it is.

        Raises `NotFound`, `InvalidInput`, `ClaimedByOther`, `OwnVideo`, `ChangedMeanwhile`."""
        said, noted = tidied(reason), tidied(note)
        wrong = {}
        if decision is Decision.REVIEW:
            wrong["decision"] = "approve or reject."
        if decision is Decision.REJECT and not said:
            wrong["reason"] = "Tell its owner why."
        for name, text in (("reason", said), ("note", noted)):
            if len(text) > REASON_LENGTH:
                wrong[name] = f"At most {REASON_LENGTH} characters."
        if wrong:
            raise InvalidInput(fields=wrong)
        async with self._db.write() as conn:
            video = await self._video(conn, video_id)
            await self._check_free(conn, video_id, by)
            await self._check_own(conn, video, by)
            shown = await self._shown(conn, video, new_file=new_file)
            if decision is Decision.APPROVE and seen and seen != (await content_of(conn, shown)).version:
                raise ChangedMeanwhile
            verdict = await self._verdict(conn, shown, decision, by, new_file=new_file)
            verdict = replace(verdict, reason=said, note=noted)
            if new_file:
                await self._new_files.by_person(conn, video, verdict, by)
            else:
                await self._settling.by_person(conn, video, verdict, by)
            return await self._file(conn, await self._video(conn, video_id))

    async def undo(self, video_id: VideoId, by: Actor) -> CaseFile:
        """Take the newest decision of a person back: what was before counts again, and the video waits once more.

        Raises `NotFound`, `NothingToUndo`, `ClaimedByOther`, `OwnVideo`."""
        async with self._db.write() as conn:
            video = await self._video(conn, video_id)
            await self._check_free(conn, video_id, by)
            await self._check_own(conn, video, by)
            back = await rows.standing_by_person(conn, video_id)
            if back is None:
                raise NothingToUndo
            verdict = await self._verdict(conn, video, Decision.REVIEW, by)
            await self._settling.undone(conn, video, back, verdict, by)
            return await self._file(conn, await self._video(conn, video_id))

    async def _verdict(
        self, conn: Connection, video: Video, decision: Decision, by: Actor, *, new_file: bool = False
    ) -> Verdict:
        """A person's verdict about the video as it is, on the ground of what models last said."""
        content = await content_of(conn, video)
        newest = _by_models(await rows.of_video(conn, video.id), new_file=new_file)
        return Verdict(
            VerdictId(new_id()),
            video.id,
            self._clock(),
            By.PERSON,
            decision,
            before=video.clearance,
            after=video.clearance,
            person_id=by.id,
            person=by.words,
            package_id=content.package_id,
            mark=content.mark,
            judgement=newest.judgement if newest else Judgement(Risk.UNKNOWN, decision),
            policy=await self._policies.current(conn),
        )

    async def _check_free(self, conn: Connection, video_id: VideoId, by: Actor) -> None:
        case = await case_rows.get(conn, video_id)
        holder = case.held_by(self._clock()) if case else None
        if case is not None and holder is not None and holder != by.id:
            raise ClaimedByOther(f"{case.reviewer} has it.")

    async def _check_own(self, conn: Connection, video: Video, by: Actor) -> None:
        """Whoever is not trusted to have their uploads approved unseen does not approve them, whatever their role."""
        owner = await user_rows.get(conn, video.owner_id) if by.id == video.owner_id else None
        if owner is not None and not (await self._policies.current(conn)).trusts(owner.role):
            raise OwnVideo

    async def _file(self, conn: Connection, video: Video, *, new_file: bool = False) -> CaseFile:
        history = await rows.of_video(conn, video.id)
        content = await content_of(conn, await self._shown(conn, video, new_file=new_file))
        found = await rows.screening(conn, content.package_id)
        verdict = _by_models(history, new_file=new_file)
        last = found or verdict
        changed = last is not None and (last.package_id, last.mark) != (content.package_id, content.mark)
        return CaseFile(
            video,
            await case_rows.get(conn, video.id),
            verdict,
            next((one for one in history if not one.new_file), None),
            found.findings if found else Findings(),
            history,
            changed,
            content.version,
            new_file,
            await made_beside(conn, video.id) is not None,
        )

    async def _shown(self, conn: Connection, video: Video, *, new_file: bool) -> Video:
        """What is looked at: a video as it is, or as it would be with its new file. Raises `NotFound`."""
        if not new_file:
            return video
        new = await made_beside(conn, video.id)
        if new is None:
            raise NotFound("No new file waits beside this video.")
        return new.shown_in(video)

    async def _waiting(self, conn: Connection, cases: Sequence[Case]) -> list[Waiting]:
        newest = await rows.newest(conn, [case.video_id for case in cases], grounded=True)
        known = {video.id: video for video in await videos.of_ids(conn, [case.video_id for case in cases])}
        there = [case for case in cases if case.video_id in known]
        return [Waiting(known[case.video_id], case, newest.get(case.video_id)) for case in there]

    async def _video(self, conn: Connection, video_id: VideoId) -> Video:
        video = await videos.get(conn, video_id)
        if video is None or video.deleted_at is not None:
            raise NotFound
        return video

    async def _case(self, conn: Connection, video_id: VideoId) -> Case:
        await self._video(conn, video_id)
        case = await case_rows.get(conn, video_id)
        if case is None:
            raise NoCase
        return case


async def _business(conn: Connection, known: Sequence[Video], viewer: Viewer) -> list[Video]:
    """Those of the videos that a moderator may see, or that models or people have had to do with."""
    looked_at = await rows.looked_at(conn, [one.id for one in known])
    return [one for one in known if one.id in looked_at or may_view(one, viewer)]


def _by_models(history: Sequence[Verdict], *, new_file: bool) -> Verdict | None:
    """The newest verdict of models, about what plays or about a new file."""
    return next((one for one in history if one.by is By.MODELS and one.new_file is new_file), None)


def wanted_of(
    risks: Sequence[str] = (), category: str | None = None, cause: str | None = None, mine: User | None = None
) -> Wanted:
    """Which cases somebody wants to see, by what they typed. Raises `InvalidInput`."""
    wrong = {}
    if unknown := [risk for risk in risks if risk not in set(Risk)]:
        wrong["risk"] = f"Not {unknown[0]}: one of {', '.join(Risk)}."
    if category and category not in set(Category):
        wrong["category"] = f"One of {', '.join(Category)}."
    if cause and cause not in set(Cause):
        wrong["cause"] = f"One of {', '.join(Cause)}."
    if wrong:
        raise InvalidInput(fields=wrong)
    return Wanted(
        tuple(Risk(risk) for risk in risks),
        Category(category) if category else None,
        Cause(cause) if cause else None,
        mine.id if mine else None,
    )


def _encode(case: Case) -> str:
    return encoded([case.risk.rank, case.opened_at, case.video_id])


def _place(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    rank, opened, last = decoded(cursor, [int, float, str])
    if not is_id(last):
        raise InvalidCursor
    return Place(rank, opened, VideoId(last))
