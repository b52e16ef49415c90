"""Passwords and share links over HTTP: opening a video, and looking after its links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from streamhost.features.accounts.limits import network_of
from streamhost.features.sharing import LinkView, NewPass, Sharing
from streamhost.model.clock import iso
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import LinkId, VideoId
from streamhost.server.accounts import BROKEN_BODY, FORGED, HASHED
from streamhost.server.auth import address_of, anyone, pass_cookie, viewer_of
from streamhost.server.documented import problems
from streamhost.server.limits import RouteClass, limited
from streamhost.server.managing import changing, managing, ordering
from streamhost.server.videos import BAD_TOKEN, HIDDEN

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """The password of the video, or the text after `?link=` in a share link."""

    password: Annotated[str, Meta(max_length=200)] | None = None
    link: Annotated[str, Meta(max_length=200)] | None = None


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A link to be made: until when it is good, and for how many uses (null: any number)."""

    expires_at: str
    max_uses: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LinkDocument:
    """A share link. `url` is relative to this site."""

    id: str
    url: str
    note: str
    max_uses: int | None
    uses: int
    created_at: str | None
    expires_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class LinkDocuments:
    """All links of a video, newest first."""

    items: Sequence[LinkDocument]
    next_cursor: str | None


def link_document(view: LinkView) -> LinkDocument:
    """The public form of a link."""
    link = view.link
    return LinkDocument(
        link.id,
        view.path,
        link.note,
        link.most_uses,
        link.uses,
        iso(link.created_at),
        iso(link.expires_at),
        iso(link.revoked_at),
    )


def with_pass(request: AnyRequest, response: Response[Any], given: NewPass) -> None:
    """Let the browser that sent `request` keep the pass."""
    pass_cookie(request, response, given.video_id, given.text, given.expires_at)


@post(
    "/api/v1/videos/{video_id:str}/unlock",
    guards=[anyone],
    opt=limited(RouteClass.LOGIN),
    status_code=200,
    summary="Open a video by password or link",
    tags=["playback"],
    responses=problems(
        **BROKEN_BODY,
        **BAD_TOKEN,
        **FORGED,
        **HIDDEN,
        wrong_video_password=422,
        share_link_over=410,
        too_many_guesses=429,
        **HASHED,
    ),
)
async def unlock(
    request: AnyRequest, video_id: FromPath[str], data: JSONBody[Proof], sharing: NamedDependency[Sharing]
) -> Response[dict[str, str | None]]:
    """Exchange the password or the link for a pass: `{"pass": …, "expires_at": …}`. With it the video can be read and
    played as if it were unlisted; somebody who is signed in can use it in this session alone."""
    viewer = viewer_of(request)
    if data.link:
        given = await sharing.open(VideoId(video_id), data.link, viewer)
    elif data.password:
        given = await sharing.unlock(VideoId(video_id), data.password, viewer, network_of(address_of(request)))
    else:
        raise InvalidInput(fields={"password": "Send `password` or `link`."})
    response = Response({"pass": given.text, "expires_at": iso(given.expires_at)})
    with_pass(request, response, given)
    return response


@get(
    "/api/v1/videos/{video_id:str}/links",
    summary="List share links",
    **managing(),
)
async def list_links(request: AnyRequest, video_id: FromPath[str], sharing: NamedDependency[Sharing]) -> LinkDocuments:
    """The links by which somebody without other rights may watch this video, also those that are over."""
    found = await sharing.links(VideoId(video_id), viewer_of(request))
    return LinkDocuments([link_document(one) for one in found], None)


@post(
    "/api/v1/videos/{video_id:str}/links",
    summary="Make a share link",
    **ordering(),
)
async def add_link(
    request: AnyRequest, video_id: FromPath[str], data: JSONBody[LinkRequest], sharing: NamedDependency[Sharing]
) -> LinkDocument:
    """Whoever opens the link may watch until it expires or is taken back, whatever the visibility."""
    made = await sharing.add_link(
        VideoId(video_id), viewer_of(request), moment(data.expires_at), data.max_uses, data.note
    )
    return link_document(made)


@delete(
    "/api/v1/videos/{video_id:str}/links/{link_id:str}",
    summary="Take a share link back",
    **changing(),
)
async def revoke_link(
    request: AnyRequest, video_id: FromPath[str], link_id: FromPath[str], sharing: NamedDependency[Sharing]
) -> None:
    """Whoever came by it stops watching at once."""
    await sharing.revoke_link(VideoId(video_id), viewer_of(request), LinkId(link_id))


def moment(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 text with its zone. Raises `InvalidInput`."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("no zone")
        return at.timestamp()
    except (ValueError, OverflowError):
        raise InvalidInput(fields={"expires_at": "A moment such as 2026-12-31T18:00:00Z."}) from None


routes = [unlock, list_links, add_link, revoke_link]
