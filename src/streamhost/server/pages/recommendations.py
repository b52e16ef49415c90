"""The page of one's own account on which one decides about recommendations."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.recommendations import Recommendations
from streamhost.model.ids import VideoId
from streamhost.server.auth import in_person, user_of
from streamhost.server.pages.forms import see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.people_shapes import Moment, moment

AnyRequest = Request[Any, Any, Any]
PAGE = "/account/recommendations"
DONE = {
    "personal": "From now on proposals depend on what you watch.",
    "general": "From now on you get the same proposals as everybody, and what you watch does not count for others.",
    "reset": "You begin anew: what you have watched so far no longer counts.",
    "back": "That video may be proposed to you again.",
}


@dataclass(frozen=True, slots=True)
class DismissedView:
    """A dismissed video for a template."""

    id: str
    title: str
    at: Moment


def _visitor(request: AnyRequest) -> str:
    return f"u:{user_of(request).id}"


@get(PAGE, guards=[in_person], include_in_schema=False)
async def show(
    request: AnyRequest,
    recommendations: NamedDependency[Recommendations],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """Whether proposals are personal, since when, and what was dismissed."""
    visitor = _visitor(request)
    interest = await recommendations.interest(visitor)
    found = await recommendations.dismissed(visitor, user_of(request).id)
    dismissed = [
        DismissedView(one, title or "A video that is not public any more", moment(at)) for one, title, at in found
    ]
    since = moment(interest.since) if interest.since else None
    return frame.page(
        request,
        "recommendations.html",
        personal=interest.personal,
        since=since,
        dismissed=dismissed,
        flash=DONE.get(done),
        error=None,
    )


@post(PAGE, guards=[in_person], include_in_schema=False)
async def choose(request: AnyRequest, recommendations: NamedDependency[Recommendations]) -> Response[Any]:
    """Let proposals depend on what one watches, or not."""
    personal = (await typed(request)).get("personal") == "1"
    await recommendations.choose(_visitor(request), personal=personal)
    return see(f"{PAGE}?done={'personal' if personal else 'general'}")


@post(f"{PAGE}/reset", guards=[in_person], include_in_schema=False)
async def reset(request: AnyRequest, recommendations: NamedDependency[Recommendations]) -> Response[Any]:
    """Begin anew."""
    await recommendations.reset(_visitor(request))
    return see(f"{PAGE}?done=reset")


@post(f"{PAGE}/{{video_id:str}}/back", guards=[in_person], include_in_schema=False)
async def take_back(
    request: AnyRequest, video_id: FromPath[str], recommendations: NamedDependency[Recommendations]
) -> Response[Any]:
    """Let a dismissed video be proposed again."""
    await recommendations.take_back(_visitor(request), VideoId(video_id))
    return see(f"{PAGE}?done=back")


routes = [show, choose, reset, take_back]
