"""What to show next, over HTTP: proposals, what is beside a video, and what people want of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from streamhost.features.catalog import Catalog
from streamhost.features.playback import Playback
from streamhost.features.recommendations import Item, Recommendations, Recommended
from streamhost.features.recommendations.room import MOST
from streamhost.model.accounts import Role, Scope, Viewer
from streamhost.model.clock import iso
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Interest
from streamhost.server.accounts import BROKEN_BODY, FORGED, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import AnyConnection, anyone, at_least, user_of, viewer_of
from streamhost.server.documented import BEARER, problems
from streamhost.server.videos import BAD_TOKEN, HIDDEN, VideoDocument, video_document
from streamhost.server.visitors import viewer_name

AnyRequest = Request[Any, Any, Any]
ROW, COLUMN = 24, 12
TAGS = ["recommendations"]
VISITOR = {"no_visitor": 401}
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="Videos at most.")]
manages = at_least(Role.VIEWER, Scope.MANAGE)


@dataclass(frozen=True, slots=True)
class ReasonVideo:
    """The video that a proposal goes back to."""

    id: str


@dataclass(frozen=True, slots=True)
class RecommendedVideo:
    """A proposal. Higher scores fit better. `reason` is for people, `kind` for programs: `watched`, `similar`,
    `viewers`, `creator`, `popular`, `new` or `chance`. `because` is null where no single video is the reason, or where
    it may not be named."""

    video: VideoDocument
    score: float
    reason: str
    kind: str
    because: ReasonVideo | None


@dataclass(frozen=True, slots=True)
class RecommendedVideos:
    """Proposals, best first. `cached`: their order was worked out at an earlier request, at `generated_at`."""

    items: Sequence[RecommendedVideo]
    generated_at: str | None
    cached: bool
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class DismissedVideo:
    """What you do not want to see proposed. `title` is empty if you could not find it any more."""

    id: str
    title: str
    dismissed_at: str | None


@dataclass(frozen=True, slots=True)
class DismissedVideos:
    """All of it, the latest first."""

    items: Sequence[DismissedVideo]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class InterestDocument:
    """Whether proposals depend on what you watch, and from when on that counts (null: from the beginning)."""

    personal: bool
    since: str | None


@dataclass(frozen=True, slots=True)
class InterestChange:
    """Whether proposals are to depend on what you watch. If not, what you watch does not count for others' either."""

    personal: bool


def visitor_of(connection: AnyConnection) -> str:
    """What the one asking is called in the watch graph; empty for somebody of whom nothing is known, or is to be.

    Whoever is signed in has chosen in their account; what a browser asks for counts for the others."""
    user_id = viewer_of(connection).id
    return f"u:{user_id}" if user_id else viewer_name(connection)


def _mine(request: AnyRequest) -> str:
    return f"u:{user_of(request).id}"


def recommended_document(found: Recommended, viewer: Viewer, playback: Playback) -> RecommendedVideos:
    """The public form of proposals."""
    return RecommendedVideos(
        [_item(one, viewer, playback) for one in found.items], iso(found.generated_at), found.cached
    )


def _item(one: Item, viewer: Viewer, playback: Playback) -> RecommendedVideo:
    because = ReasonVideo(one.because) if one.because else None
    document = video_document(one.video, viewer, playback)
    return RecommendedVideo(document, round(one.score, 4), one.reason, one.kind.value, because)


def _interest(interest: Interest) -> InterestDocument:
    return InterestDocument(interest.personal, iso(interest.since) if interest.since else None)


@get(
    "/api/v1/recommendations",
    guards=[anyone],
    cache_control=NO_STORE,
    summary="What you may want to watch",
    tags=TAGS,
    responses=problems(**BAD_TOKEN, invalid_input=422),
)
async def recommend(
    request: AnyRequest,
    recommendations: NamedDependency[Recommendations],
    playback: NamedDependency[Playback],
    limit: Limit = ROW,
) -> RecommendedVideos:
    """Videos that fit what you watched, each with the reason why it is there; for whoever is new here, what is popular
    and new. What you have watched or dismissed is left out."""
    viewer = viewer_of(request)
    found = await recommendations.recommend(viewer, visitor_of(request), limit)
    return recommended_document(found, viewer, playback)


@get(
    "/api/v1/videos/{video_id:str}/related",
    guards=[anyone],
    cache_control=NO_STORE,
    summary="What is like a video",
    tags=TAGS,
    responses=problems(**BAD_TOKEN, **HIDDEN, invalid_input=422),
)
async def related(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    recommendations: NamedDependency[Recommendations],
    playback: NamedDependency[Playback],
    limit: Limit = COLUMN,
) -> RecommendedVideos:
    """Videos that are watched together with one that you may see, or are like it."""
    viewer = viewer_of(request)
    video = await catalog.get(VideoId(video_id), viewer)
    found = await recommendations.related(video.id, viewer, visitor_of(request), limit)
    return recommended_document(found, viewer, playback)


@post(
    "/api/v1/videos/{video_id:str}/dismiss",
    guards=[manages],
    status_code=HTTP_204_NO_CONTENT,
    summary="Say that a video is of no interest",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED, **HIDDEN),
)
async def dismiss(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    recommendations: NamedDependency[Recommendations],
) -> None:
    """It is not proposed to you any more."""
    video = await catalog.get(VideoId(video_id), viewer_of(request))
    await recommendations.dismiss(_mine(request), video.id)


@delete(
    "/api/v1/videos/{video_id:str}/dismiss",
    guards=[manages],
    summary="Take that back",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED),
)
async def take_back(
    request: AnyRequest, video_id: FromPath[str], recommendations: NamedDependency[Recommendations]
) -> None:
    """It may be proposed to you again; also if it never was dismissed."""
    await recommendations.take_back(_mine(request), VideoId(video_id))


@get(
    "/api/v1/recommendations/dismissed",
    guards=[at_least(Role.VIEWER)],
    cache_control=NO_STORE,
    summary="What you dismissed",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def dismissed(request: AnyRequest, recommendations: NamedDependency[Recommendations]) -> DismissedVideos:
    """The videos that are of no interest to you."""
    found = await recommendations.dismissed(_mine(request), user_of(request).id)
    return DismissedVideos([DismissedVideo(one, title, iso(at)) for one, title, at in found])


@get(
    "/api/v1/recommendations/settings",
    guards=[at_least(Role.VIEWER)],
    cache_control=NO_STORE,
    summary="Your choices about recommendations",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def show_interest(request: AnyRequest, recommendations: NamedDependency[Recommendations]) -> InterestDocument:
    """Whether proposals depend on what you watch."""
    return _interest(await recommendations.interest(_mine(request)))


@patch(
    "/api/v1/recommendations/settings",
    guards=[manages],
    summary="Change them",
    tags=TAGS,
    security=BEARER,
    responses=problems(**BROKEN_BODY, **SIGNED_IN, **NOT_IN_PERSON, **FORGED),
)
async def change_interest(
    request: AnyRequest, data: JSONBody[InterestChange], recommendations: NamedDependency[Recommendations]
) -> InterestDocument:
    """Let proposals depend on what you watch, or not."""
    return _interest(await recommendations.choose(_mine(request), personal=data.personal))


@post(
    "/api/v1/recommendations/reset",
    guards=[manages],
    status_code=HTTP_200_OK,
    summary="Begin anew",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED),
)
async def reset(request: AnyRequest, recommendations: NamedDependency[Recommendations]) -> InterestDocument:
    """What you have watched and dismissed so far no longer counts. Your history stays."""
    return _interest(await recommendations.reset(_mine(request)))


routes = [recommend, related, dismiss, take_back, dismissed, show_interest, change_interest, reset]
