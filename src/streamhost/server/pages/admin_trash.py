"""The administration: what lies in everybody's trash, and when it goes."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.catalog import Trash
from streamhost.features.mail import Mail
from streamhost.features.playback import Playback
from streamhost.model.clock import DAY
from streamhost.model.ids import UserId
from streamhost.server.auth import viewer_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.browse import following
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.shapes import bytes_text
from streamhost.server.pages.throwing import said_of, trashed_views

AnyRequest = Request[Any, Any, Any]
TRASH = "/admin/trash"


@get(TRASH, guards=GUARDS, include_in_schema=False)
async def show_everybodys(
    request: AnyRequest,
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    user: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
    done: FromQuery[str] = "",
    ids: FromQuery[str] = "",
) -> Response[str]:
    """The latest first, of everybody or of one; each can be restored or deleted for good."""
    owners = await trash.by_owner()
    page = await trash.listed(UserId(user) if user else None, cursor)
    return await admin_page(
        request,
        frame,
        mail,
        "admin_trash.html",
        rows=trashed_views(page.items, viewer_of(request), playback, trash.keep),
        owners=[(one.owner_id, f"{one.owner}: {one.videos}, {bytes_text(one.bytes)}") for one in owners],
        count=sum(one.videos for one in owners),
        size=bytes_text(sum(one.bytes for one in owners)),
        chosen=user,
        days=f"{trash.keep / DAY:g}",
        next_url=following(TRASH, page.next_cursor, user=user),
        flash=said_of(done, ids)[0],
    )


routes = [show_everybodys]
