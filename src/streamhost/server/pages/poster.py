"""The part of the edit page where the owner picks a poster."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from streamhost.features.playback import Playback
from streamhost.features.posters import PosterDesk
from streamhost.model.accounts import Viewer
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import VideoId
from streamhost.server.auth import signed_in, viewer_of
from streamhost.server.pages.forms import see, typed
from streamhost.server.pages.shapes import clock_text
from streamhost.server.posters import candidate_url

SENT = "sent"
"""The value of the choice that keeps the picture that was sent."""


@dataclass(frozen=True, slots=True)
class PosterView:
    """One picture to choose: what the form says for it, its address, and the words for who cannot see it."""

    value: str
    url: str
    text: str
    shown: bool


async def poster_views(video_id: VideoId, viewer: Viewer, posters: PosterDesk, playback: Playback) -> list[PosterView]:
    """The candidates, and the picture that was sent if one was; nothing while there is nothing to choose."""
    video, found = await posters.of(video_id, viewer)
    shown = found.automatic if found.chosen is None and not found.sent else found.chosen
    views = [
        PosterView(str(one.number), candidate_url(video, one.number), clock_text(one.at), one.number == shown)
        for one in found.candidates
    ]
    sent = playback.poster(video, viewer) if found.sent else None
    return [*views, *([PosterView(SENT, sent, "Your picture", shown=True)] if sent else [])]


@post("/studio/{video_id:str}/poster", guards=[signed_in], include_in_schema=False)
async def choose(
    request: Request[Any, Any, Any], video_id: FromPath[str], posters: NamedDependency[PosterDesk]
) -> Response[Any]:
    """Make the picture that was picked the poster."""
    picked = (await typed(request))["candidate"]
    if picked != SENT:
        if not (picked.isascii() and picked.isdecimal()):
            raise InvalidInput(fields={"candidate": "Pick one of the pictures."})
        await posters.choose(VideoId(video_id), int(picked[:9]), viewer_of(request))
    return see(f"/studio/{video_id}")


routes = [choose]
