"""The CDN over HTTP: how things stand, for administrators; how far a video's copies are, for its owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED

from streamhost.features.catalog import Catalog
from streamhost.features.cdn import Copies
from streamhost.model.accounts import Role
from streamhost.model.ids import VideoId
from streamhost.server.accounts import BODY_BYTES, BROKEN_BODY, FORGED, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import at_least, signed_in, viewer_of
from streamhost.server.documented import BEARER, problems
from streamhost.server.documents.cdn import CopiesDocument, copies_document
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
class TroubleDocument:
    """A folder whose copies could not be dropped; the job in the list of background work can be tried again."""

    prefix: str
    cause: str


@dataclass(frozen=True, slots=True)
class CdnDocument:
    """The CDN. `way`: direct (there is none), redirect (players are sent on for each segment) or grant (they go there
    with their permission). `videos` counts by the state of their copies."""

    kind: str
    way: str
    base_url: str
    push: bool
    videos: Mapping[str, int]
    purges_waiting: int
    purges_failed: Sequence[TroubleDocument]


@get(
    "/api/v1/admin/cdn",
    guards=[at_least(Role.ADMIN)],
    summary="The CDN",
    cache_control=NO_STORE,
    tags=["administration"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, forbidden=403),
)
async def show_cdn(copies: NamedDependency[Copies]) -> CdnDocument:
    """Which CDN is used and how, how many videos were brought there, and what it could not be made to drop."""
    seen = await copies.overview()
    return CdnDocument(
        kind=seen.kind,
        way=seen.way.value,
        base_url=seen.base_url,
        push=seen.push,
        videos={state.value: number for state, number in seen.counts.items()},
        purges_waiting=seen.purges_waiting,
        purges_failed=[TroubleDocument(one.prefix, one.cause) for one in seen.purges_failed],
    )


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
    guards=[at_least(Role.ADMIN)],
    summary="Bring a video to the CDN, or drop it there",
    status_code=HTTP_202_ACCEPTED,
    request_max_body_size=BODY_BYTES,
    tags=["administration"],
    security=BEARER,
    responses=problems(
        **SIGNED_IN, **NOT_IN_PERSON, **FORGED, **BROKEN_BODY, **HIDDEN, forbidden=403, no_cdn=409, nothing_to_sync=409
    ),
)
async def steer_copies(
    request: AnyRequest,
    video_id: FromPath[str],
    data: JSONBody[CdnOrder],
    catalog: NamedDependency[Catalog],
    copies: NamedDependency[Copies],
) -> CopiesDocument:
    """Done by a job, tried again for hours while the CDN is away; asking again shows how far it is."""
    video = await catalog.get(VideoId(video_id), viewer_of(request))
    if data.action is CdnAction.SYNC:
        return copies_document(await copies.sync(video.id))
    await copies.purge(video.id)
    return copies_document(await copies.of_video(video.id))


routes = [show_cdn, show_copies, steer_copies]
