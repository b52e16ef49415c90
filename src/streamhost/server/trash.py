"""The trash over HTTP, and the same change for many videos at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from streamhost.features.catalog import MOST, Catalog, Outcome, Trash, each
from streamhost.features.playback import Playback
from streamhost.model.accounts import Viewer
from streamhost.model.clock import DAY
from streamhost.model.details import checked_details
from streamhost.model.ids import UserId, VideoId
from streamhost.server.accounts import NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.administration import looking
from streamhost.server.auth import address_of, signed_in, user_of, viewer_of
from streamhost.server.documented import BEARER, PAGED, problems
from streamhost.server.documents.work import ErrorDocument
from streamhost.server.managing import TAGS, changing, ordering
from streamhost.server.videos import PAGE, Limit, VideoDocument, video_document

AnyRequest = Request[Any, Any, Any]
MINE = "/api/v1/me/trash"


@dataclass(frozen=True, slots=True)
class TrashList:
    """One page of what lies in the trash. Each video goes for good `keep_days` after its `deleted_at`; 0: at once."""

    items: Sequence[VideoDocument]
    next_cursor: str | None
    keep_days: float


@dataclass(frozen=True, slots=True)
class EmptiedDocument:
    """How many videos were deleted for good."""

    deleted: int


@dataclass(frozen=True, slots=True)
class ManyDocument:
    """What is to be done to which videos. `changes` are as for one video; `trash` moves, `restore` brings back,
    `delete` deletes for good."""

    videos: Annotated[list[str], Meta(min_length=1, max_length=MOST)]
    action: Literal["edit", "trash", "restore", "delete"] = "edit"
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutcomeDocument:
    """What became of one video; `error` is null where it was done."""

    id: str
    error: ErrorDocument | None


@dataclass(frozen=True, slots=True)
class OutcomesDocument:
    """What became of each, in the order of the ids, and of how many it was `done`."""

    items: Sequence[OutcomeDocument]
    done: int


async def done_to_many(
    catalog: Catalog,
    trash: Trash,
    viewer: Viewer,
    address: str,
    ids: Sequence[str],
    action: str,
    changes: Mapping[str, Any],
) -> list[Outcome]:
    """Do something to many videos, each by itself. Raises `InvalidInput` before anything is done."""
    if action == "edit":
        checked_details(changes)
        return await each(ids, lambda video_id: catalog.edit(video_id, viewer, changes, address))
    work = {"trash": trash.put, "restore": trash.restore}.get(action, trash.delete)
    return await each(ids, lambda video_id: work(video_id, viewer, address))


@post(
    "/api/v1/videos/bulk",
    status_code=HTTP_200_OK,
    summary="Change many videos",
    **ordering(),
)
async def change_many(
    request: AnyRequest, data: JSONBody[ManyDocument], catalog: NamedDependency[Catalog], trash: NamedDependency[Trash]
) -> OutcomesDocument:
    """Each of them by itself, so look at what became of each: one that is not yours, or does not take the change, holds
    up no other. `changes` with a wrong field are refused as a whole."""
    outcomes = await done_to_many(
        catalog, trash, viewer_of(request), address_of(request), data.videos, data.action, data.changes
    )
    items = [
        OutcomeDocument(one.video_id, ErrorDocument(error.code, str(error), error.hint) if error else None)
        for one in outcomes
        for error in (one.error,)
    ]
    return OutcomesDocument(items, sum(item.error is None for item in items))


@get(
    MINE,
    guards=[signed_in],
    cache_control=NO_STORE,
    summary="What lies in the trash",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **PAGED),
)
async def show_trash(
    request: AnyRequest,
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    cursor: FromQuery[str | None] = None,
    limit: Limit = PAGE,
) -> TrashList:
    """Your own videos that wait there, the latest first. Nobody sees or plays them."""
    return await _listed(request, trash, playback, user_of(request).id, cursor, limit)


async def _listed(
    request: AnyRequest, trash: Trash, playback: Playback, owner: UserId | None, cursor: str | None, limit: int
) -> TrashList:
    page, viewer = await trash.listed(owner, cursor, limit), viewer_of(request)
    return TrashList(
        [video_document(video, viewer, playback) for video in page.items], page.next_cursor, trash.keep / DAY
    )


@get("/api/v1/admin/trash", summary="What lies in everybody's trash", **looking(**PAGED))
async def show_everybodys_trash(
    request: AnyRequest,
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    user: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = PAGE,
) -> TrashList:
    """The latest first; of `user` alone, if one is named. An administrator restores and deletes by the id."""
    return await _listed(request, trash, playback, UserId(user) if user else None, cursor, limit)


@delete(
    MINE,
    status_code=HTTP_200_OK,
    summary="Empty the trash",
    **changing(),
)
async def empty_trash(request: AnyRequest, trash: NamedDependency[Trash]) -> EmptiedDocument:
    """Delete everything in it for good."""
    return EmptiedDocument(await trash.empty(user_of(request).id))


@post(
    "/api/v1/videos/{video_id:str}/restore",
    status_code=HTTP_200_OK,
    summary="Restore a video from the trash",
    **changing(trashed_by_others=403),
)
async def restore_video(
    request: AnyRequest, video_id: FromPath[str], trash: NamedDependency[Trash], playback: NamedDependency[Playback]
) -> VideoDocument:
    """It comes back as it was: under its address, with its settings, links and figures."""
    viewer = viewer_of(request)
    return video_document(await trash.restore(VideoId(video_id), viewer, address_of(request)), viewer, playback)


routes = [change_many, show_trash, show_everybodys_trash, empty_trash, restore_video]
