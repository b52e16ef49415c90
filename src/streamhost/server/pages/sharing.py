"""Opening a video by password or link, and looking after its links."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from streamhost.features.accounts.limits import network_of
from streamhost.features.sharing import Sharing
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import LinkId, VideoId
from streamhost.server.auth import address_of, anyone, signed_in, viewer_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.sharing import with_pass

AnyRequest = Request[Any, Any, Any]
LIVES = {"1": "A day", "7": "A week", "30": "A month", "365": "A year"}
"""For how long a link may be made on the page, in days; the API takes any moment."""


def unlock_page(
    request: AnyRequest,
    frame: Frame,
    video_id: str,
    status: int = HTTPStatus.FORBIDDEN,
    link: str = "",
    uses: int = 0,
    error: StreamhostError | None = None,
) -> Response[str]:
    """The page that asks for the password, or whether to use a link up."""
    return frame.page(
        request,
        "unlock.html",
        **failing(error, otherwise=status),
        video_id=video_id,
        link=link,
        uses=uses,
    )


@post("/watch/{video_id:str}/unlock", guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def unlock(
    request: AnyRequest, video_id: FromPath[str], sharing: NamedDependency[Sharing], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Take the password or the link, and go on to the video."""
    form, viewer, name = await typed(request), viewer_of(request), VideoId(video_id)
    try:
        if form["link"]:
            given = await sharing.open(name, form["link"], viewer)
        else:
            given = await sharing.unlock(name, form["password"], viewer, network_of(address_of(request)))
    except InvalidInput as error:
        return unlock_page(request, frame, video_id, error=error)
    response = see(f"/watch/{name}")
    with_pass(request, response, given)
    return response


@post("/studio/{video_id:str}/links", guards=[signed_in], include_in_schema=False)
async def add_link(request: AnyRequest, video_id: FromPath[str], sharing: NamedDependency[Sharing]) -> Response[Any]:
    """Make a share link by the form of the edit page."""
    form = await typed(request)
    days = int(form["days"]) if form["days"] in LIVES else 7
    uses = form["uses"].strip()
    if uses and not (uses.isascii() and uses.isdigit() and len(uses) < 7):
        raise InvalidInput(fields={"max_uses": "A number, or nothing for any number."})
    until = (datetime.now(UTC) + timedelta(days=days)).timestamp()
    await sharing.add_link(VideoId(video_id), viewer_of(request), until, int(uses) if uses else None, form["note"])
    return see(f"/studio/{video_id}#links")


@post("/studio/{video_id:str}/links/{link_id:str}/revoke", guards=[signed_in], include_in_schema=False)
async def revoke_link(
    request: AnyRequest, video_id: FromPath[str], link_id: FromPath[str], sharing: NamedDependency[Sharing]
) -> Response[Any]:
    """Take a link back."""
    await sharing.revoke_link(VideoId(video_id), viewer_of(request), LinkId(link_id))
    return see(f"/studio/{video_id}#links")


routes = [unlock, add_link, revoke_link]
