"""The CDN over HTTP: how things stand, for administrators; how far a video's copies are, for its owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED

from streamhost.features.catalog import Catalog
from streamhost.features.cdn import Copies
from streamhost.model.ids import VideoId
from streamhost.server.accounts import BROKEN_BODY, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.administration import changing, looking
from streamhost.server.auth import signed_in, viewer_of
from streamhost.server.documented import BEARER, problems
from streamhost.server.documents.cdn import CdnDocument, CopiesDocument, cdn_document, copies_document
from streamhost.server.videos import HIDDEN

AnyRequest = Request[Any, Any, Any]


class CdnAction(StrEnum):
    """What can be done about a video's copies."""

    SYNC = "sync"
    PURGE = "purge"


@dataclass(frozen=True, slots=True)
class CdnOrder:
    """`sync`: bring copies to the CDN; `purge`: have those that are there dropped."""

    action: CdnAction


@dataclass(frozen=True, slots=True)
class CopiesList:
    """Videos whose copies are on their way."""

    items: Sequence[CopiesDocument]
    next_cursor: str | None = None


@get("/api/v1/admin/cdn", summary="The CDN", **looking())
async def show_cdn(copies: NamedDependency[Copies]) -> CdnDocument:
    """Which CDN is used and how, how many videos were brought there, and what it could not be made to drop."""
    return cdn_document(await copies.overview(), await copies.listed())


@post(
    "/api/v1/admin/cdn/sync",
    status_code=HTTP_202_ACCEPTED,
    summary="Bring everything to the CDN that is not there",
    **changing(no_cdn=409),
)
async def sync_missing(copies: NamedDependency[Copies]) -> CopiesList:
    """Every video that is ready and open to others. The answer names all that are on their way then."""
    return CopiesList([copies_document(one) for one in await copies.sync_missing()])


@get(
    "/api/v1/videos/{video_id:str}/cdn",
    guards=[signed_in],
    summary="A video's copies at the CDN",
    cache_control=NO_STORE,
    tags=["videos"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **HIDDEN, forbidden=403),
)
async def show_copies(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    copies: NamedDependency[Copies],
) -> CopiesDocument:
    """How far the copies of a video are, for whoever may change it."""
    video = await catalog.managed(VideoId(video_id), viewer_of(request))
    return copies_document(await copies.of_video(video.id))


@post(
    "/api/v1/videos/{video_id:str}/cdn",
    status_code=HTTP_202_ACCEPTED,
    summary="Bring a video to the CDN, or drop it there",
    **changing(**BROKEN_BODY, **HIDDEN, no_cdn=409, nothing_to_sync=409),
)
async def steer_copies(
    request: AnyRequest,
    video_id: FromPath[str],
    data: JSONBody[CdnOrder],
    catalog: NamedDependency[Catalog],
    copies: NamedDependency[Copies],
) -> CopiesDocument:
    """Done by a job, tried again for hours while the CDN is away; asking again shows how far it is. Copies of a video
    that is gone can be dropped, too."""
    if data.action is CdnAction.PURGE:
        return copies_document(await copies.purge(VideoId(video_id)))
    video = await catalog.get(VideoId(video_id), viewer_of(request))
    return copies_document(await copies.sync(video.id))


routes = [show_cdn, sync_missing, show_copies, steer_copies]
