"""Posters over HTTP: what there is to choose from, a choice, a picture of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from streamhost.features.playback import Playback
from streamhost.features.posters import MAX_BYTES, PosterDesk
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video
from streamhost.server.auth import viewer_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.managing import BROKEN_FORM, changing, managing, ordering, small_file
from streamhost.server.videos import VideoDocument, video_document

AnyRequest = Request[Any, Any, Any]
LIST = "/api/v1/videos/{video_id:str}/posters"
ONE = "/api/v1/videos/{video_id:str}/poster"
JPEG = "image/jpeg"
KEPT = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
"""Candidates stay as they are as long as their package."""
NOWHERE, LONGEST_NUMBER = -1, 4


@dataclass(frozen=True, slots=True)
class CandidateDocument:
    """A picture of the video that could be its poster: shown at `at` seconds; `score` is 0..1, `url` is a JPEG."""

    candidate: int
    at: float
    score: float
    url: str


@dataclass(frozen=True, slots=True)
class PostersDocument:
    """What there is to choose from, and the poster that is shown now (`url`).

    `chosen` is the number of the candidate that was chosen, `sent` whether a picture was sent; with neither, the
    candidate `automatic` is shown."""

    items: Sequence[CandidateDocument]
    next_cursor: str | None
    automatic: int | None
    chosen: int | None
    sent: bool
    url: str | None


@dataclass(frozen=True, slots=True)
class ChoiceDocument:
    """The number of a candidate; null leaves the choice to the house."""

    candidate: int | None


@get(
    LIST,
    summary="Posters to choose from",
    **managing(),
)
async def list_posters(
    request: AnyRequest,
    video_id: FromPath[str],
    posters: NamedDependency[PosterDesk],
    playback: NamedDependency[Playback],
) -> PostersDocument:
    """Pictures of a video that you may edit; there are some once it has been looked through."""
    viewer = viewer_of(request)
    video, found = await posters.of(VideoId(video_id), viewer)
    items = [
        CandidateDocument(one.number, one.at, one.score, candidate_url(video, one.number)) for one in found.candidates
    ]
    return PostersDocument(items, None, found.automatic, found.chosen, found.sent, playback.poster(video, viewer))


def candidate_url(video: Video, number: int) -> str:
    """Where a candidate's picture is; it changes when the video is packaged anew, for then there are others."""
    return f"/api/v1/videos/{video.id}/posters/{number}?of={video.package_id}"


@get(
    LIST + "/{number:str}",
    summary="A poster to choose",
    media_type=JPEG,
    **managing(),
)
async def show_candidate(
    request: AnyRequest, video_id: FromPath[str], number: FromPath[str], posters: NamedDependency[PosterDesk]
) -> Response[bytes]:
    """The candidate as JPEG, for those who may edit the video."""
    place = int(number) if number.isascii() and number.isdecimal() and len(number) < LONGEST_NUMBER else NOWHERE
    data = await posters.picture(VideoId(video_id), place, viewer_of(request))
    return Response(data, media_type=JPEG, headers=KEPT)


@put(
    ONE,
    summary="Choose the poster",
    **ordering(),
)
async def choose_poster(
    request: AnyRequest,
    video_id: FromPath[str],
    data: JSONBody[ChoiceDocument],
    posters: NamedDependency[PosterDesk],
    playback: NamedDependency[Playback],
) -> VideoDocument:
    """Show a candidate, also after the video is packaged anew; `null` goes back to the automatic choice."""
    viewer = viewer_of(request)
    if data.candidate is None:
        video = await posters.leave(VideoId(video_id), viewer)
    else:
        video = await posters.choose(VideoId(video_id), data.candidate, viewer)
    return video_document(video, viewer, playback)


@post(
    ONE,
    status_code=200,
    opt=limited(RouteClass.UPLOADS),
    summary="Send a poster",
    **changing(**BROKEN_FORM, no_poster=409, not_picture=422),
)
async def send_poster(
    request: AnyRequest,
    video_id: FromPath[str],
    posters: NamedDependency[PosterDesk],
    playback: NamedDependency[Playback],
) -> VideoDocument:
    """multipart/form-data with a JPEG, PNG or WebP in `file`. It is written anew: what the file says beside its
    pixels, such as where it was taken, is not kept."""
    viewer = viewer_of(request)
    picture, _ = await small_file(request, MAX_BYTES, f"At most {MAX_BYTES // 1024**2} MiB.")
    return video_document(await posters.send(VideoId(video_id), picture, viewer), viewer, playback)


routes = [list_posters, show_candidate, choose_poster, send_poster]
