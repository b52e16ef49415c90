"""What is kept of what spoke against a video: the worst pictures and words, where no link to a video leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamhost.db import verdicts as rows
from streamhost.db.core import Connection, Database
from streamhost.features.moderation.material import Content
from streamhost.jobs.context import JobContext
from streamhost.model.cases import Evidence, Verdict
from streamhost.model.clock import DAY, Clock
from streamhost.model.errors import NotFound
from streamhost.model.ids import VerdictId, VideoId, is_id
from streamhost.model.moderation import OF_TEXTS, Aspect, Findings, FrameScores, Span, TextScores
from streamhost.model.stills import Still
from streamhost.model.tasks import SweepEvidence
from streamhost.model.verdicts import POSTER_AT, Policy
from streamhost.model.videos import evidence_prefix, package_stills
from streamhost.ports import NotStored, Storage

EVIDENCE = "evidence/"
"""The storage prefix of all of it."""
MOST_PICTURES = 12
"""Pictures of one aspect that are kept: enough to see what it is about."""
MOST_TEXTS = 12
APART = 1.0
"""Seconds between two of these pictures, while there are others."""
AROUND = 120
"""Characters that are kept before and after the words that stand out."""
LONGEST_PIECE = 600
KEPT_VERDICTS = 20
"""Verdicts of models about one video that are kept however old they are."""
MOST_VERDICTS = 1000
"""Verdicts about one video, people's aside, whatever happens: its owner may change its words as often as they like."""


def chosen(findings: Findings, policy: Policy) -> list[Evidence]:
    """What reaches a medium line: pictures without their place in a file yet, and pieces of texts. Pure."""
    found: list[Evidence] = []
    for aspect in Aspect:
        medium = policy.lines_of(aspect).medium
        if aspect in policy.ignored:
            continue
        if aspect in OF_TEXTS:
            found += _texts(aspect, findings.texts, medium)
        else:
            found += _pictures(aspect, findings.frames, medium)
    return found


def _pictures(aspect: Aspect, frames: Sequence[FrameScores], medium: float) -> list[Evidence]:
    over = [(_score(aspect, frame), frame.at) for frame in frames]
    worst = sorted((one for one in over if one[0] >= medium), key=lambda one: (-one[0], one[1]))
    kept: list[tuple[float, float]] = []
    for near in (False, True):
        for score, at in worst:
            apart = all(abs(at - other) >= APART for _, other in kept)
            if len(kept) < MOST_PICTURES and (score, at) not in kept and (apart or near):
                kept.append((score, at))
    return [Evidence(aspect, score, None if at == POSTER_AT else at) for score, at in sorted(kept, key=lambda o: o[1])]


def _texts(aspect: Aspect, texts: Sequence[TextScores], medium: float) -> list[Evidence]:
    over = [one for one in texts if _score(aspect, one) >= medium]
    worst = sorted(over, key=lambda one: -_score(aspect, one))[:MOST_TEXTS]
    return [_piece(aspect, one) for one in worst]


def _piece(aspect: Aspect, one: TextScores) -> Evidence:
    """The part of a text that stands out, with a little around it."""
    words, spans = one.text.words, one.spans
    start = max(0, spans[0].start - AROUND) if spans else 0
    end = min(len(words), (spans[-1].end if spans else len(words)) + AROUND, start + LONGEST_PIECE)
    moved = tuple(Span(s.start - start, min(s.end, end) - start, s.score) for s in spans if s.start < end)
    score = _score(aspect, one)
    return Evidence(aspect, score, one.text.at, source=one.text.source, words=words[start:end], spans=moved)


def _score(aspect: Aspect, one: FrameScores | TextScores) -> float:
    return max((score.possible for score in one.scores if score.aspect is aspect), default=0.0)


class EvidenceRoom:
    """Keeps evidence, shows its pictures to moderators, and lets it go when its time is up."""

    def __init__(self, db: Database, storage: Storage, clock: Clock, kept: float) -> None:
        """`kept`: for how long, in seconds."""
        self._db = db
        self._storage = storage
        self._clock = clock
        self._kept = kept

    async def gather(self, content: Content, findings: Findings, policy: Policy, verdict: Verdict) -> Verdict:
        """The verdict with its evidence, the pictures of it stored. Safe to repeat."""
        pieces = chosen(findings, policy)
        pictures: list[bytes] = []
        placed: list[Evidence] = []
        offset = 0
        for piece in pieces:
            if piece.source is not None:
                placed.append(piece)
                continue
            data = await self._picture(content, piece)
            if data:
                placed.append(replace(piece, offset=offset, size=len(data)))
                pictures.append(data)
                offset += len(data)
        if pictures:
            await self._storage.put_bytes(verdict.evidence_key, b"".join(pictures))
        return replace(verdict, evidence=tuple(placed))

    async def _picture(self, content: Content, piece: Evidence) -> bytes:
        """A frame's JPEG, empty if it is gone."""
        try:
            if piece.at is None:
                return await self._read(content.poster_key or "") if content.poster_key else b""
            still = next((one for one in content.stills.screening if float(one.at) == piece.at), None)
            return await self._still(content, still) if still is not None else b""
        except NotStored:
            return b""

    async def _still(self, content: Content, still: Still) -> bytes:
        assert content.package_id is not None, "stills belong to a package"
        key = package_stills(content.video.id, content.package_id) + still.file
        return await self._read(key, still.offset, still.offset + still.size)

    async def _read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return b"".join([piece async for piece in self._storage.read(key, start, end)])

    async def picture(self, video_id: VideoId, verdict_id: VerdictId, number: int) -> bytes:
        """The JPEG of a piece of evidence, by its place in the verdict. Only for moderators. Raises `NotFound`."""
        if not is_id(video_id) or not is_id(verdict_id):
            raise NotFound
        async with self._db.read() as conn:
            verdict = await rows.get(conn, video_id, verdict_id)
        if verdict is None or not 0 <= number < len(verdict.evidence):
            raise NotFound
        piece = verdict.evidence[number]
        if not piece.size:
            raise NotFound
        try:
            return await self._read(verdict.evidence_key, piece.offset, piece.offset + piece.size)
        except NotStored as error:
            raise NotFound from error

    async def sweep(self, _task: SweepEvidence, job: JobContext) -> None:
        """Forget what nobody needs: verdicts about videos that are gone, evidence and verdicts that were overtaken long
        ago, pictures of verdicts that never came to be. What was done stays in the audit log."""
        before = self._clock() - self._kept
        async with self._db.read() as conn:
            gone = await rows.over(conn, before)
            old = await rows.outdated(conn, before)
        for video_id in gone:
            await self._storage.delete_prefix(evidence_prefix(video_id))
        for verdict in old:
            await self._storage.delete(verdict.evidence_key)
        await self._sweep_strays()
        async with self._db.write() as conn:
            for video_id in gone:
                await rows.forget(conn, video_id)
            for verdict in old:
                await rows.drop_evidence(conn, verdict)
            await rows.prune(conn, before, KEPT_VERDICTS, MOST_VERDICTS)
            await job.complete(conn)

    async def _sweep_strays(self) -> None:
        """Remove pictures that were stored for a verdict that a crash has prevented."""
        async for stored in self._storage.list(EVIDENCE):
            if self._clock() - stored.modified < DAY:
                continue
            video_id, _, name = stored.key.removeprefix(EVIDENCE).partition("/")
            async with self._db.read() as conn:
                if not await self._known(conn, VideoId(video_id), VerdictId(name.partition(".")[0])):
                    await self._storage.delete(stored.key)

    async def _known(self, conn: Connection, video_id: VideoId, verdict_id: VerdictId) -> bool:
        return await rows.get(conn, video_id, verdict_id) is not None
