"""What the edit page says of a video's copies at the CDN, and the levers that administrators have there."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from streamhost.features.catalog import Catalog
from streamhost.features.cdn import Copies
from streamhost.model.accounts import Role, Viewer
from streamhost.model.cdn import CdnSync, SyncState
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import VideoId
from streamhost.server.auth import at_least, viewer_of
from streamhost.server.cdn import CdnAction
from streamhost.server.pages.forms import see, typed
from streamhost.server.pages.people_shapes import Moment, moment

WORDS = {
    SyncState.NONE: "The CDN fetches what viewers ask for.",
    SyncState.PENDING: "It is being brought to the CDN.",
    SyncState.SYNCED: "It is at the CDN.",
    SyncState.FAILED: "It could not be brought to the CDN. It plays all the same: what viewers ask for is fetched.",
}


@dataclass(frozen=True, slots=True)
class CopiesView:
    """How far a video's copies are, for a template; `steers` if the viewer has the levers."""

    text: str
    failed: bool
    cause: str
    objects: int
    updated: Moment | None
    steers: bool


async def copies_view(copies: Copies, video_id: VideoId, viewer: Viewer) -> CopiesView | None:
    """What to say; None where there is no CDN."""
    if not copies.exists:
        return None
    sync: CdnSync = await copies.of_video(video_id)
    return CopiesView(
        text=WORDS[sync.state],
        failed=sync.state is SyncState.FAILED,
        cause=sync.cause,
        objects=sync.objects,
        updated=moment(sync.updated_at) if sync.updated_at else None,
        steers=viewer.is_at_least(Role.ADMIN),
    )


@post("/studio/{video_id:str}/cdn", guards=[at_least(Role.ADMIN)], include_in_schema=False)
async def steer(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    copies: NamedDependency[Copies],
) -> Response[Any]:
    """Bring a video to the CDN, or have its copies dropped."""
    form = await typed(request)
    video = await catalog.get(VideoId(video_id), viewer_of(request))
    if form["action"] == CdnAction.SYNC:
        await copies.sync(video.id)
    elif form["action"] == CdnAction.PURGE:
        await copies.purge(video.id)
    else:
        raise InvalidInput(fields={"action": "sync or purge."})
    return see(f"/studio/{video.id}#copies")


routes = [steer]
