"""Pages for those who upload: sending files, and looking after what became of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.config import Settings
from streamhost.features.captions import Captions
from streamhost.features.catalog import Catalog
from streamhost.features.cdn import Copies
from streamhost.features.moderation import Moderation
from streamhost.features.playback import Playback
from streamhost.features.posters import PosterDesk
from streamhost.features.sharing import Sharing
from streamhost.model.accounts import Role
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video, Visibility
from streamhost.server.auth import address_of, at_least, signed_in, viewer_of
from streamhost.server.home import home_of
from streamhost.server.pages.copies import copies_view
from streamhost.server.pages.forms import failing, safe_next, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import Moment, moment
from streamhost.server.pages.poster import poster_views
from streamhost.server.pages.shapes import VideoView, bytes_text, video_view
from streamhost.server.pages.sharing import LIVES
from streamhost.server.pages.wording import words_view

AnyRequest = Request[Any, Any, Any]
STUDIO = "/studio"
SCHEDULED = "scheduled"
"""What the form calls a video that is private until a time, and public from then on."""


def _as_typed(view: VideoView, changes: Mapping[str, Any]) -> VideoView:
    """The video with what its form says, so that nothing typed is lost by a mistake."""
    known = changes["visibility"] in set(Visibility)
    publish_at = changes.get("publish_at") or ""
    return replace(
        view,
        title=changes["title"],
        description=changes["description"],
        tags=changes.get("tags", view.tags),
        visibility=changes["visibility"] if known else view.visibility,
        publish_at=publish_at,
        publish_input=publish_at.removesuffix("Z")[:16],
        protection=changes.get("protection", view.protection),
        embed_origins=changes.get("embed_origins", view.embed_origins),
    )


def _changes(form: Texts) -> dict[str, Any]:
    """What the form wants of the video."""
    # Forms end lines as HTTP does; the catalog keeps them as Unix does.
    changes: dict[str, Any] = {
        name: form[name].replace("\r\n", "\n") for name in ("title", "description", "visibility")
    }
    # What the form beside the player leaves out stays as it is.
    if "embed_origins" in form:
        changes["embed_origins"] = form["embed_origins"].split()
    if "tags" in form:
        changes["tags"] = tags_of(form["tags"])
    if changes["visibility"] == SCHEDULED:
        changes |= {"visibility": Visibility.PRIVATE.value, "publish_at": zoned(form["publish_at"])}
    elif "publish_at" in form:
        changes["publish_at"] = None
    # An empty password keeps the present one.
    return changes | {name: form[name] for name in ("protection", "password") if form[name]}


def tags_of(text: str) -> list[str]:
    """Tags as they are typed, with commas or line breaks between them."""
    return [tag for tag in re.split(r"[,\n]", text) if tag.strip()]


def zoned(text: str) -> str:
    """A time as a form sends it; without script that is one in UTC."""
    return f"{text}Z" if re.fullmatch(r"[0-9-]+T[0-9:.]+", text) else text


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A share link for a template; `over` says why it opens nothing any more, empty while it does."""

    id: str
    url: str
    note: str
    uses: int
    most_uses: int | None
    expires: Moment
    over: str


async def _links(request: AnyRequest, sharing: Sharing, video: Video, frame: Frame, home: str) -> dict[str, Any]:
    """What the edit page says of share links."""
    rows = []
    for view in await sharing.links(video.id, viewer_of(request)):
        link, now = view.link, frame.now()
        over = "" if link.open(now) else "Taken back" if link.revoked_at else "Used up" if link.stands(now) else "Over"
        rows.append(
            LinkRow(link.id, home + view.path, link.note, link.uses, link.most_uses, moment(link.expires_at), over)
        )
    return {"links": rows, "lives": LIVES}


@get("/upload", guards=[at_least(Role.CREATOR)], include_in_schema=False)
async def upload(
    request: AnyRequest, settings: NamedDependency[Settings], frame: NamedDependency[Frame]
) -> Response[str]:
    """Drop files here."""
    largest = settings.uploads.max_size
    return frame.page(request, "upload.html", max_bytes=largest, max_text=bytes_text(largest))


@get(f"{STUDIO}/{{video_id:str}}", guards=[signed_in], include_in_schema=False)
async def show_edit(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    posters: NamedDependency[PosterDesk],
    captions: NamedDependency[Captions],
    sharing: NamedDependency[Sharing],
    copies: NamedDependency[Copies],
    moderation: NamedDependency[Moderation],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The forms for title, description, audience, protection and other sites, links, poster, captions and chapters."""
    video = await catalog.managed(VideoId(video_id), viewer_of(request))
    view = video_view(video, viewer_of(request), playback)
    beside = await _links(request, sharing, video, frame, home_of(request, settings))
    beside["posters"] = await poster_views(video.id, viewer_of(request), posters, playback)
    beside["words"] = await words_view(video, captions, saved=done == "chapters")
    beside["reason"] = (await moderation.desk.reasons([video.id])).get(video.id, "")
    own_tags = await catalog.tags(video.owner_id)
    beside["copies"] = await copies_view(copies, video.id, viewer_of(request))
    return frame.page(
        request, "edit.html", video=view, error=None, errors=Texts(), back=STUDIO, own_tags=own_tags, **beside
    )


@post(f"{STUDIO}/{{video_id:str}}", guards=[signed_in], include_in_schema=False)
async def edit(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    sharing: NamedDependency[Sharing],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Save title, description, audience, protection, and the web sites that may show it."""
    form = await typed(request)
    back = safe_next(form["next"], STUDIO)
    changes = _changes(form)
    viewer = viewer_of(request)
    try:
        if form["visibility"] == SCHEDULED and not form["publish_at"]:
            raise InvalidInput(fields={"publish_at": "Say when."})
        await catalog.edit(VideoId(video_id), viewer, changes, address_of(request))
    except StreamhostError as error:
        video = await catalog.managed(VideoId(video_id), viewer)
        return frame.page(
            request,
            "edit.html",
            **failing(error),
            video=_as_typed(video_view(video, viewer, playback), changes),
            back=back,
            own_tags=await catalog.tags(video.owner_id),
            posters=(),
            words=None,
            copies=None,
            reason="",
            **await _links(request, sharing, video, frame, home_of(request, settings)),
        )
    return see(back if "?" in back else f"{back}?done=saved")


routes = [upload, show_edit, edit]
