"""Reports over HTTP: viewers send them, moderators read and close them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_202_ACCEPTED
from msgspec import Meta

from streamhost.features.accounts.limits import network_of
from streamhost.features.reporting import NewReport, Reporting, Sender
from streamhost.features.reporting.room import MAX_PAGE
from streamhost.model.accounts import Role
from streamhost.model.clock import iso
from streamhost.model.ids import VideoId
from streamhost.model.reports import WORDS_LENGTH, ReportedVideo
from streamhost.server.accounts import BODY_BYTES, BROKEN_BODY, FORGED, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import address_of, anyone, at_least, device_of, viewer_of
from streamhost.server.documented import BEARER, PAGED, problems
from streamhost.server.documents.moderation import ReportDocument, report_document
from streamhost.server.videos import BAD_TOKEN, HIDDEN

AnyRequest = Request[Any, Any, Any]
TAGS = ["moderation"]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Videos on a page.")]


def moderating(**codes: int) -> dict[str, Any]:
    """A route for moderators; `codes` are refusals of its own."""
    return {
        "guards": [at_least(Role.MODERATOR)],
        "cache_control": NO_STORE,
        "tags": TAGS,
        "security": BEARER,
        "responses": problems(**SIGNED_IN, **NOT_IN_PERSON, forbidden=403, **codes),
    }


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What is wrong. `reason`: `nudity`, `violence`, `hate`, `harassment`, `children`, `self_harm`, `danger`,
    `privacy`, `copyright`, `spam`, `other`, or words of one's own, which count as `other`. `at`: seconds into the
    video. `notify`: tell me how it ended."""

    reason: Annotated[str, Meta(min_length=1, max_length=WORDS_LENGTH)]
    at: float | None = None
    text: Annotated[str, Meta(max_length=WORDS_LENGTH)] = ""
    notify: bool = False


@dataclass(frozen=True, slots=True)
class ReportReceipt:
    """The report was taken."""

    reason: str
    at: float | None
    created_at: str | None


@dataclass(frozen=True, slots=True)
class ReportList:
    """The reports of a video, open ones first."""

    items: Sequence[ReportDocument]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ReportedDocument:
    """A video with open reports, counted by reason."""

    video_id: str
    title: str
    owner: str
    state: str
    count: int
    reasons: Mapping[str, int]
    urgent: bool
    first_at: str | None
    last_at: str | None


@dataclass(frozen=True, slots=True)
class ReportedList:
    """Videos with open reports, those first that wait longest."""

    items: Sequence[ReportedDocument]
    next_cursor: str | None


def reported_document(video: ReportedVideo) -> ReportedDocument:
    """The open reports of a video as moderators see them."""
    return ReportedDocument(
        video.video_id,
        video.title,
        video.owner_name,
        video.state,
        video.count,
        {reason.value: many for reason, many in video.reasons.items()},
        video.urgent,
        iso(video.first_at),
        iso(video.last_at),
    )


def sender_of(request: AnyRequest) -> Sender:
    """Who reports."""
    return Sender(viewer_of(request), network_of(address_of(request)), device_of(request))


@post(
    "/api/v1/videos/{video_id:str}/report",
    guards=[anyone],
    status_code=HTTP_202_ACCEPTED,
    request_max_body_size=BODY_BYTES,
    summary="Report a video",
    tags=TAGS,
    responses=problems(
        **BROKEN_BODY, **BAD_TOKEN, **FORGED, **HIDDEN, unauthenticated=401, password_required=403, too_many_reports=429
    ),
)
async def report_video(
    request: AnyRequest, video_id: FromPath[str], data: JSONBody[ReportRequest], reporting: NamedDependency[Reporting]
) -> ReportReceipt:
    """Say that something is wrong with a video that you may watch. Of one person a video has one open report: what is
    said later counts. Without an account only where the site allows it (`reports.anonymous`)."""
    said = NewReport(data.reason, data.text, data.at, data.notify)
    taken = await reporting.report(VideoId(video_id), sender_of(request), said)
    return ReportReceipt(taken.reason.value, taken.at, iso(taken.created_at))


@get("/api/v1/moderation/reports", summary="Videos with open reports", **moderating(**PAGED))
async def list_reported(
    reporting: NamedDependency[Reporting], cursor: FromQuery[str | None] = None, limit: Limit = 24
) -> ReportedList:
    """Grouped by video, those first that wait longest."""
    page = await reporting.listed(cursor, limit)
    return ReportedList([reported_document(one) for one in page.items], page.next_cursor)


@get("/api/v1/moderation/{video_id:str}/reports", summary="The reports of a video", **moderating(not_found=404))
async def list_reports(
    request: AnyRequest, video_id: FromPath[str], reporting: NamedDependency[Reporting]
) -> ReportList:
    """Open ones first, then the newest first. Whoever owns the video never learns who reported it, moderators neither:
    of theirs `reporter` is null."""
    found = await reporting.of_video(VideoId(video_id), viewer_of(request))
    return ReportList([report_document(one) for one in found], None)


routes = [report_video, list_reported, list_reports]
