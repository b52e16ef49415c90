"""Moderation over HTTP: what waits for a person, whose it is, decisions, evidence, history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from msgspec import Meta

from streamhost.features.moderation import CaseFile, Moderation, Waiting, wanted_of
from streamhost.features.moderation.desk import MAX_PAGE
from streamhost.features.playback import Playback
from streamhost.model.accounts import Viewer
from streamhost.model.cases import REASON_LENGTH, By
from streamhost.model.clock import system_clock
from streamhost.model.ids import VerdictId, VideoId
from streamhost.model.verdicts import Decision
from streamhost.server.accounts import BODY_BYTES, BROKEN_BODY, FORGED
from streamhost.server.auth import actor_of, user_of, viewer_of
from streamhost.server.documented import PAGED
from streamhost.server.documents.moderation import (
    CaseDocument,
    EvidenceDocument,
    ModelDocument,
    TimelineDocument,
    VerdictDocument,
    case_document,
    timeline_document,
    verdict_document,
)
from streamhost.server.reports import moderating
from streamhost.server.videos import VideoDocument, video_document

AnyRequest = Request[Any, Any, Any]
ONE = "/api/v1/moderation/{video_id:str}"
JPEG = "image/jpeg"
NOWHERE, LONGEST_NUMBER = -1, 4
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Entries on a page.")]
Reason = Annotated[str, Meta(max_length=REASON_LENGTH)]


@dataclass(frozen=True, slots=True)
class WaitingDocument:
    """A video that waits for a person.

    `risk`, `decision`, `scores`, `evidence` and `models` are those of `verdict`, the newest that models have made;
    where none has looked, the scores are null and nothing is decided."""

    id: str
    title: str
    video: VideoDocument
    case: CaseDocument
    verdict: VerdictDocument | None
    risk: str
    decision: str | None
    scores: Mapping[str, float | None]
    evidence: Sequence[EvidenceDocument]
    models: Sequence[ModelDocument]


@dataclass(frozen=True, slots=True)
class WaitingList:
    """One page of the queue, the highest risk first, among equals the oldest. `counts`: all that waits, by risk."""

    items: Sequence[WaitingDocument]
    next_cursor: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CaseFileDocument:
    """Everything that there is to decide about a video.

    `verdict` is the newest of models, `history` all, newest first. `timeline` has the scores of every picture.
    `changed`: the video is not what models have looked at any more. `version`: what a decision may name as `seen`.
    `new_file`: all but `video`, `case` and `history` is about the file that is to take the place of the one that plays;
    `new_file_waits`: there is such a file."""

    video: VideoDocument
    case: CaseDocument | None
    verdict: VerdictDocument | None
    history: Sequence[VerdictDocument]
    timeline: TimelineDocument
    changed: bool
    version: str
    new_file: bool
    new_file_waits: bool


@dataclass(frozen=True, slots=True)
class VerdictList:
    """One page of decisions, newest first."""

    items: Sequence[VerdictDocument]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """`approve` or `reject`; a rejection needs a `reason`, which its owner is told. `note` is for moderators.
    `seen`: the `version` that was looked at; nothing is approved that was changed since. `new_file`: it is about the
    file that is to take the place of the one that plays; that one plays on, whatever is decided."""

    decision: Decision
    reason: Reason = ""
    note: Reason = ""
    seen: Reason = ""
    new_file: bool = False


@dataclass(frozen=True, slots=True)
class Ordered:
    """Models are to look at the video."""

    id: str


def changing(**codes: int) -> dict[str, Any]:
    """A route by which moderators change something; `codes` are refusals of its own."""
    return moderating(**FORGED, **codes) | {"request_max_body_size": BODY_BYTES}


def waiting_document(one: Waiting, viewer: Viewer, playback: Playback) -> WaitingDocument:
    """The public form of an entry of the queue."""
    verdict = verdict_document(one.verdict) if one.verdict else None
    return WaitingDocument(
        id=one.video.id,
        title=one.video.title,
        video=video_document(one.video, viewer, playback),
        case=case_document(one.case, system_clock()),
        verdict=verdict,
        risk=one.case.risk.value,
        decision=verdict.decision if verdict else None,
        scores=verdict.scores if verdict else dict.fromkeys(("nudity", "violence", "text")),
        evidence=verdict.evidence if verdict else (),
        models=verdict.models if verdict else (),
    )


def file_document(file: CaseFile, viewer: Viewer, playback: Playback) -> CaseFileDocument:
    """The public form of all that is known of a video."""
    return CaseFileDocument(
        video_document(file.video, viewer, playback),
        case_document(file.case, system_clock()) if file.case else None,
        verdict_document(file.verdict) if file.verdict else None,
        [verdict_document(one) for one in file.history],
        timeline_document(file.findings),
        file.changed,
        file.version,
        file.new_file,
        file.new_file_waits,
    )


@get("/api/v1/moderation/queue", summary="What waits for a person", **moderating(**PAGED))
async def show_queue(
    request: AnyRequest,
    moderation: NamedDependency[Moderation],
    playback: NamedDependency[Playback],
    risk: FromQuery[str | None] = None,
    category: FromQuery[str | None] = None,
    cause: FromQuery[str | None] = None,
    mine: FromQuery[bool] = False,
    cursor: FromQuery[str | None] = None,
    limit: Limit = 24,
) -> WaitingList:
    """The highest risk first, among equals the oldest. `risk`: one or several of `high`, `medium`, `unknown`, `low`,
    with commas; `category`: `nudity`, `violence`, `text`; `cause`: `screening`, `report`, `changed`, `undone`,
    `new_file`; `mine`: what you have claimed."""
    wanted = wanted_of(risk.split(",") if risk else (), category, cause, user_of(request) if mine else None)
    page = await moderation.desk.queue(wanted, cursor, limit)
    viewer = viewer_of(request)
    counts = await moderation.desk.counts()
    items = [waiting_document(one, viewer, playback) for one in page.items]
    return WaitingList(items, page.next_cursor, {risk.value: number for risk, number in counts.items()})


@get("/api/v1/moderation/decisions", summary="Decisions about all videos", **moderating(**PAGED))
async def list_decisions(
    moderation: NamedDependency[Moderation],
    decision: FromQuery[Decision | None] = None,
    by: FromQuery[By | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> VerdictList:
    """Newest first; `decision=reject&by=models` lists what models alone have rejected."""
    page = await moderation.desk.decisions(decision, by, cursor, limit)
    return VerdictList([verdict_document(one) for one in page.items], page.next_cursor)


@post(
    "/api/v1/moderation/claim",
    status_code=HTTP_200_OK,
    summary="Take the next case",
    **changing(no_case=409),
)
async def claim_next(
    request: AnyRequest, moderation: NamedDependency[Moderation], playback: NamedDependency[Playback]
) -> WaitingDocument:
    """The first that nobody has; two who ask at once get two. `no_case` where nothing waits."""
    found = await moderation.desk.take_next(user_of(request))
    return waiting_document(found, viewer_of(request), playback)


@get(ONE, summary="All about one video", **moderating(not_found=404, invalid_input=422))
async def show_case(
    request: AnyRequest,
    video_id: FromPath[str],
    moderation: NamedDependency[Moderation],
    playback: NamedDependency[Playback],
    new_file: FromQuery[bool] = False,
) -> CaseFileDocument:
    """Verdicts with evidence, scores over time, history; whether it waits or not. `new_file=true`: of the file that is
    to take the place of the one that plays, where one waits for that."""
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    file = await moderation.desk.file(VideoId(video_id), new_file=new_file)
    return file_document(file, viewer_of(request), playback)


@post(
    ONE,
    status_code=HTTP_200_OK,
    summary="Decide about a video",
    **changing(**BROKEN_BODY, not_found=404, claimed_by_other=409, own_video=409, changed_meanwhile=409),
)
async def decide(
    request: AnyRequest,
    video_id: FromPath[str],
    data: JSONBody[DecisionRequest],
    moderation: NamedDependency[Moderation],
    playback: NamedDependency[Playback],
) -> CaseFileDocument:
    """What is rejected is closed to all but moderators at once, and every link to it ends. Its owner is told."""
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    file = await moderation.desk.decide(
        VideoId(video_id),
        data.decision,
        data.reason,
        actor_of(request),
        note=data.note,
        seen=data.seen,
        new_file=data.new_file,
    )
    return file_document(file, viewer_of(request), playback)


@post(
    ONE + "/undo",
    status_code=HTTP_200_OK,
    summary="Take a decision back",
    **changing(not_found=404, claimed_by_other=409, own_video=409, nothing_to_undo=409),
)
async def undo(
    request: AnyRequest,
    video_id: FromPath[str],
    moderation: NamedDependency[Moderation],
    playback: NamedDependency[Playback],
) -> CaseFileDocument:
    """The newest decision of a person: what was before it counts again, and the video waits once more."""
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    file = await moderation.desk.undo(VideoId(video_id), actor_of(request))
    return file_document(file, viewer_of(request), playback)


@post(
    ONE + "/claim",
    status_code=HTTP_200_OK,
    summary="Take a case, or keep it",
    **changing(invalid_input=422, not_found=404, no_case=409, claimed_by_other=409),
)
async def claim(
    request: AnyRequest,
    video_id: FromPath[str],
    moderation: NamedDependency[Moderation],
    over: FromQuery[bool] = False,
) -> CaseDocument:
    """For ten minutes from now, again and again; nobody else can decide meanwhile. `over=true` takes it from whoever
    has it."""
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    case = await moderation.desk.claim(VideoId(video_id), user_of(request), over=actor_of(request) if over else None)
    return case_document(case, system_clock())


@delete(ONE + "/claim", summary="Let go of a case", **changing(not_found=404))
async def release(request: AnyRequest, video_id: FromPath[str], moderation: NamedDependency[Moderation]) -> None:
    """Nothing changes about a case that is somebody else's."""
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    await moderation.desk.release(VideoId(video_id), user_of(request))


@post(
    ONE + "/screen",
    status_code=HTTP_202_ACCEPTED,
    summary="Have models look again",
    **changing(not_found=404, not_made=409),
)
async def screen(request: AnyRequest, video_id: FromPath[str], moderation: NamedDependency[Moderation]) -> Ordered:
    """At everything, by a job; what follows from it is settled as after an upload."""
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    await moderation.screening.again(VideoId(video_id), actor_of(request))
    return Ordered(video_id)


@get(
    ONE + "/evidence/{verdict_id:str}/{number:str}",
    summary="A picture of the evidence",
    media_type=JPEG,
    **moderating(not_found=404),
)
async def show_evidence(
    video_id: FromPath[str], verdict_id: FromPath[str], number: FromPath[str], moderation: NamedDependency[Moderation]
) -> Response[bytes]:
    """The JPEG as it was seen, for moderators alone; no cache keeps it."""
    place = int(number) if number.isascii() and number.isdecimal() and len(number) < LONGEST_NUMBER else NOWHERE
    data = await moderation.evidence.picture(VideoId(video_id), VerdictId(verdict_id), place)
    return Response(data, media_type=JPEG, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


routes = [
    show_queue,
    list_decisions,
    claim_next,
    show_case,
    decide,
    undo,
    claim,
    release,
    screen,
    show_evidence,
]
