"""Background work over HTTP: every job for administrators, and for owners the making of their videos."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from streamhost.features.playback import Playback
from streamhost.features.transcoding import Action, Control
from streamhost.features.work import MAX_PAGE, Act, State, Work
from streamhost.model.ids import JobId, VideoId
from streamhost.server.accounts import BODY_BYTES, BROKEN_BODY
from streamhost.server.administration import changing, looking
from streamhost.server.auth import viewer_of
from streamhost.server.documented import PAGED
from streamhost.server.documents.work import JobDocument, job_document
from streamhost.server.managing import ordering
from streamhost.server.videos import VideoDocument, video_document

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Jobs on a page.")]
Which = Annotated[State | None, QueryParameter(name="state", description="Only jobs in this state.")]


@dataclass(frozen=True, slots=True)
class JobList:
    """One page of jobs, newest first; `next_cursor` asks for the next one."""

    items: Sequence[JobDocument]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What to do with a job; `priority` goes with the action of that name."""

    action: Act
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessingOrder:
    """What to do with the making of a video; `priority` goes with the action of that name."""

    action: Action
    priority: int | None = None


@get("/api/v1/admin/jobs", summary="Background work", **looking(**PAGED))
async def list_jobs(
    work: NamedDependency[Work],
    which: Which = None,
    kind: FromQuery[str | None] = None,
    subject: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> JobList:
    """Jobs, newest first; those that `failed` stay for two weeks, and can be retried."""
    page = await work.listed(which, kind=kind, subject=subject, cursor=cursor, limit=limit)
    return JobList([job_document(item) for item in page.items], page.next_cursor)


@get("/api/v1/admin/jobs/{job_id:str}", summary="One job", **looking(not_found=404))
async def show_job(job_id: FromPath[str], work: NamedDependency[Work]) -> JobDocument:
    """One job, and why it waits if it does."""
    return job_document(await work.get(JobId(job_id)))


@post(
    "/api/v1/admin/jobs/{job_id:str}",
    status_code=HTTP_200_OK,
    summary="Steer a job",
    **changing(**BROKEN_BODY, not_found=404, job_not_steerable=409, nothing_to_retry=409, source_gone=409),
)
async def steer_job(job_id: FromPath[str], data: JSONBody[JobOrder], work: NamedDependency[Work]) -> JobDocument:
    """Pause, resume, cancel or retry it, or give it another priority: higher ones run first."""
    return job_document(await work.act(JobId(job_id), data.action, data.priority))


@post(
    "/api/v1/videos/{video_id:str}/processing",
    status_code=HTTP_200_OK,
    summary="Steer the making of a video",
    request_max_body_size=BODY_BYTES,
    **ordering(nothing_underway=409, nothing_to_retry=409, source_gone=409),
)
async def steer_video(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    data: JSONBody[ProcessingOrder],
    control: NamedDependency[Control],
    playback: NamedDependency[Playback],
) -> VideoDocument:
    """Pause, resume, cancel or retry it; administrators may also give it another priority: higher ones go first."""
    viewer = viewer_of(request)
    video = await control.act(VideoId(video_id), viewer, data.action, data.priority)
    return video_document(video, viewer, playback)


routes = [list_jobs, show_job, steer_job, steer_video]
