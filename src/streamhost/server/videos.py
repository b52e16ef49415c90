"""Videos over HTTP: lists, one video, editing, deleting, and live events while one is being made."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from streamhost.features.catalog import MAX_PAGE, Catalog, Page, Trash
from streamhost.features.playback import Playback
from streamhost.model.accounts import Viewer
from streamhost.model.clock import iso
from streamhost.model.errors import InvalidInput, Unauthenticated
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video, may_manage, may_watch
from streamhost.server.accounts import NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import address_of, anyone, viewer_of
from streamhost.server.documented import PAGED, problems
from streamhost.server.documents.work import ErrorDocument, ProcessingDocument, processing_document
from streamhost.server.managing import changing, ordering

PAGE = 24
BAD_TOKEN = {"invalid_token": 401, "insufficient_scope": 403}
"""What a route that is open to everybody says to whoever shows a token that is not good for it."""
HIDDEN = {"not_found": 404}

Permanently = Annotated[bool, QueryParameter(description="Whether it goes for good; false: to the trash.")]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Videos on a page.")]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who uploaded a video."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class RenditionDocument:
    """One encoded version. `bitrate` in bit/s; while `ready` is false it is the most that it will have."""

    name: str
    width: int
    height: int
    codec: str
    bitrate: int
    ready: bool


@dataclass(frozen=True, slots=True)
class ChapterDocument:
    """Where a chapter begins, in seconds, and what it is called."""

    start: float
    title: str


@dataclass(frozen=True, slots=True)
class ReplacingDocument:
    """A new file that is on its way to take the place of the video's; `error` says why it will not."""

    name: str
    size: int
    progress: float
    step: str
    error: ErrorDocument | None


@dataclass(frozen=True, slots=True)
class VideoDocument:
    """A video. `progress` is 0..1, `duration` in seconds, times in ISO 8601 UTC.

    `protection` is what its owner wants, `protection_in_use` what plays now has: they differ while the video is
    packaged anew. `waiting` says why nothing happens at the moment while the video is being made; lists leave it
    out. `publish_at` is when it becomes public by itself, `deleted_at` since when it lies in the trash."""

    id: str
    title: str
    description: str
    tags: Sequence[str]
    owner: Owner
    visibility: str
    embed_origins: Sequence[str]
    protection: str
    protection_in_use: str
    state: str
    progress: float
    step: str
    waiting: str | None
    processing: ProcessingDocument | None
    replacing: ReplacingDocument | None
    playable: bool
    duration: float | None
    width: int | None
    height: int | None
    renditions: Sequence[RenditionDocument]
    poster: str | None
    error: ErrorDocument | None
    allow_download: bool
    keep_source: str | None
    source_kept: bool
    notes: Sequence[str]
    chapters: Sequence[ChapterDocument]
    created_at: str | None
    updated_at: str | None
    published_at: str | None
    publish_at: str | None
    deleted_at: str | None


@dataclass(frozen=True, slots=True)
class VideoList:
    """One page of videos; `next_cursor` asks for the next one."""

    items: Sequence[VideoDocument]
    next_cursor: str | None


def video_document(video: Video, viewer: Viewer, playback: Playback) -> VideoDocument:
    """The public form of a video, with a poster address that works for this viewer."""
    return VideoDocument(
        id=video.id,
        title=video.title,
        description=video.description,
        tags=video.tags,
        owner=Owner(video.owner_id, video.owner_name),
        visibility=video.visibility.value,
        embed_origins=video.embed_origins,
        protection=video.protection.value,
        protection_in_use=(video.protection_in_use or video.protection).value,
        state=video.stage.value,
        progress=round(video.progress, 4),
        step=video.doing,
        waiting=video.waiting,
        processing=processing_document(video),
        replacing=_replacing(video) if may_manage(video, viewer) else None,
        playable=video.playable and may_watch(video, viewer),
        duration=video.duration,
        width=video.width,
        height=video.height,
        renditions=[
            RenditionDocument(r.name, r.width, r.height, r.codec, r.bitrate, r.ready) for r in video.renditions
        ],
        poster=playback.poster(video, viewer),
        error=ErrorDocument(video.error.code, video.error.detail, video.error.hint) if video.error else None,
        allow_download=video.allow_download,
        keep_source=video.keep_source if may_manage(video, viewer) else None,
        source_kept=video.source_key is not None,
        notes=video.notes,
        chapters=[ChapterDocument(*mark) for mark in video.chapters],
        created_at=iso(video.created_at),
        updated_at=iso(video.updated_at),
        published_at=iso(video.published_at),
        publish_at=iso(video.publish_at) if may_manage(video, viewer) else None,
        deleted_at=iso(video.deleted_at),
    )


def _replacing(video: Video) -> ReplacingDocument | None:
    new = video.replacement
    if new is None:
        return None
    error = ErrorDocument(new.error.code, new.error.detail, new.error.hint) if new.error else None
    return ReplacingDocument(new.source_name, new.source_size, round(new.progress, 4), new.step, error)


def _list(page: Page, viewer: Viewer, playback: Playback) -> VideoList:
    return VideoList([video_document(video, viewer, playback) for video in page.items], page.next_cursor)


@get(
    "/api/v1/videos",
    guards=[anyone],
    summary="List videos",
    tags=["videos"],
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **PAGED),
)
async def list_videos(
    request: Request[Any, Any, Any],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    owner: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = PAGE,
) -> VideoList:
    """Public videos, newest first; with `owner=me` everything of your own in every state."""
    viewer = viewer_of(request)
    if owner is None:
        return _list(await catalog.listed(cursor, limit), viewer, playback)
    if owner != "me":
        raise InvalidInput(fields={"owner": "Only `me` is possible."})
    if viewer.user is None:
        raise Unauthenticated
    return _list(await catalog.owned(viewer.user.id, cursor, limit), viewer, playback)


@get(
    "/api/v1/videos/{video_id:str}",
    guards=[anyone],
    summary="One video",
    tags=["videos"],
    responses=problems(**BAD_TOKEN, **HIDDEN),
)
async def show_video(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
) -> VideoDocument:
    """One video that you may see; 404 for any other."""
    viewer = viewer_of(request)
    return video_document(await catalog.get(VideoId(video_id), viewer), viewer, playback)


@patch(
    "/api/v1/videos/{video_id:str}",
    summary="Edit a video",
    **ordering(),
)
async def edit_video(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    data: JSONBody[dict[str, Any]],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
) -> VideoDocument:
    """Change `title`, `description`, `tags` (or `add_tags` and `remove_tags`), `chapters` (each `start` in seconds, and
    `title`), `visibility`, `publish_at`, `password`, `embed_origins`, `protection`, `allow_download`: only the fields
    that are sent. With `publish_at` (a time with its zone) a video is private until then and public afterwards; null
    takes that back. A changed protection packages the video anew; what plays goes on until that is done."""
    viewer = viewer_of(request)
    return video_document(await catalog.edit(VideoId(video_id), viewer, data, address_of(request)), viewer, playback)


@delete(
    "/api/v1/videos/{video_id:str}",
    summary="Delete a video",
    **changing(invalid_input=422),
)
async def delete_video(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    trash: NamedDependency[Trash],
    permanently: Permanently = True,
) -> None:
    """Remove a video at once; its files follow in the background. With `permanently=false` it goes to the trash
    instead, out of which it can be restored; in the trash, too, this is how it is deleted for good."""
    remove = trash.delete if permanently else trash.put
    await remove(VideoId(video_id), viewer_of(request), address_of(request))


@get(
    "/api/v1/videos/{video_id:str}/events",
    guards=[anyone],
    summary="Follow a video being made",
    tags=["videos"],
    media_type="text/event-stream",
    responses=problems(**BAD_TOKEN, **HIDDEN),
)
async def follow_video(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
) -> ServerSentEvent:
    """Server-sent events until the video is ready or failed: `state` (the whole video), `progress`, `rendition`."""
    viewer = viewer_of(request)
    video = await catalog.get(VideoId(video_id), viewer)
    events = video_events(catalog.follow(video.id, viewer), viewer, playback)
    return ServerSentEvent(
        events,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def video_events(
    versions: AsyncIterator[Video], viewer: Viewer, playback: Playback
) -> AsyncIterator[ServerSentEventMessage]:
    """What changed from one version of a video to the next, as events."""
    before: Video | None = None
    async for video in versions:
        document = video_document(video, viewer, playback)
        if before is None or (before.stage, before.playable, before.error) != (
            video.stage,
            video.playable,
            video.error,
        ):
            yield _event("state", document)
        if before is not None:
            known = {r.name for r in before.renditions if r.ready}
            for rendition in document.renditions:
                if rendition.ready and rendition.name not in known:
                    yield _event("rendition", rendition)
        news = {"progress": document.progress, "step": document.step, "waiting": document.waiting}
        yield _event("progress", news | {"processing": document.processing, "replacing": document.replacing})
        before = video


def _event(name: str, data: object) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(data).decode())


routes = [list_videos, show_video, edit_video, delete_video, follow_video]
