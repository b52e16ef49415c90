"""Captions over HTTP: list, upload, change and remove the caption tracks of a video."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from streamhost.features.captions import MAX_BYTES, Captions
from streamhost.features.catalog import Catalog
from streamhost.model.captions import Caption
from streamhost.model.clock import iso
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import CaptionId, VideoId
from streamhost.server.accounts import BROKEN_BODY, FORGED, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import anyone, signed_in, viewer_of
from streamhost.server.documented import BEARER, problems
from streamhost.server.incoming import incoming
from streamhost.server.multipart import FILE, UploadForm
from streamhost.server.videos import BAD_TOKEN, HIDDEN

LIST = "/api/v1/videos/{video_id:str}/captions"
ONE = LIST + "/{caption_id:str}"


@dataclass(frozen=True, slots=True)
class CaptionTrackDocument:
    """One caption track of a video. `origin`: `uploaded`, or `file` for one taken out of the video's file.

    `ready`: it stands in the manifests, so players can show it."""

    id: str
    language: str
    label: str
    default: bool
    forced: bool
    hearing_impaired: bool
    origin: str
    size: int
    ready: bool
    created_at: str | None


@dataclass(frozen=True, slots=True)
class CaptionList:
    """The caption tracks of a video: the default one first, then by language."""

    items: Sequence[CaptionTrackDocument]
    next_cursor: str | None


def caption_document(caption: Caption) -> CaptionTrackDocument:
    """The public form of a caption track."""
    return CaptionTrackDocument(
        id=caption.id,
        language=caption.language,
        label=caption.label,
        default=caption.is_default,
        forced=caption.forced,
        hearing_impaired=caption.hearing_impaired,
        origin=caption.origin.value,
        size=caption.size,
        ready=caption.package_id is not None,
        created_at=iso(caption.created_at),
    )


@get(
    LIST,
    guards=[anyone],
    summary="List captions",
    tags=["videos"],
    responses=problems(**BAD_TOKEN, **HIDDEN),
)
async def list_captions(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    captions: NamedDependency[Captions],
) -> CaptionList:
    """All caption tracks of a video that you may see."""
    found = await captions.of(await catalog.get(VideoId(video_id), viewer_of(request)))
    return CaptionList([caption_document(caption) for caption in found], None)


@post(
    LIST,
    status_code=201,
    guards=[signed_in],
    summary="Add captions",
    tags=["videos"],
    security=BEARER,
    responses=problems(
        **SIGNED_IN,
        **NOT_IN_PERSON,
        **FORGED,
        forbidden=403,
        **HIDDEN,
        malformed_form=400,
        client_gone=400,
        too_many_captions=409,
        unsupported_media_type=415,
        invalid_input=422,
        not_captions=422,
        over_quota=507,
    ),
)
async def add_captions(
    request: Request[Any, Any, Any], video_id: FromPath[str], captions: NamedDependency[Captions]
) -> CaptionTrackDocument:
    """multipart/form-data with an SRT or WebVTT file in `file`, its `language` (such as `en`), perhaps a `label` and
    `default`. The file may be in UTF-8, UTF-16, or what was usual for its language before them."""
    data, words = await _received(request)
    return caption_document(await captions.add(VideoId(video_id), viewer_of(request), data, words))


async def _received(request: Request[Any, Any, Any]) -> tuple[bytes, Mapping[str, str]]:
    """The file of a form and the fields about it. Raises `InvalidInput` for a file that is too large."""
    data = bytearray()
    async with incoming(request) as body:
        form = UploadForm(request.headers.get("content-type", ""), aiter(body), lambda _fields: None)
        async for piece in form.file():
            data += piece
            if len(data) > MAX_BYTES:
                raise InvalidInput(fields={FILE: f"At most {MAX_BYTES} bytes."})
    return bytes(data), {name: text for name, text in form.words().items() if name != "filename"}


@patch(
    ONE,
    guards=[signed_in],
    summary="Change captions",
    tags=["videos"],
    security=BEARER,
    responses=problems(**BROKEN_BODY, **SIGNED_IN, **NOT_IN_PERSON, **FORGED, forbidden=403, **HIDDEN),
)
async def edit_captions(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    caption_id: FromPath[str],
    data: JSONBody[dict[str, Any]],
    captions: NamedDependency[Captions],
) -> CaptionTrackDocument:
    """Change `language`, `label`, `default`: only the fields that are sent."""
    edited = await captions.edit(VideoId(video_id), CaptionId(caption_id), viewer_of(request), data)
    return caption_document(edited)


@delete(
    ONE,
    guards=[signed_in],
    summary="Remove captions",
    tags=["videos"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED, forbidden=403, **HIDDEN),
)
async def delete_captions(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    caption_id: FromPath[str],
    captions: NamedDependency[Captions],
) -> None:
    """Remove a caption track. Players that have begun may show it a little longer."""
    await captions.delete(VideoId(video_id), CaptionId(caption_id), viewer_of(request))


routes = [list_captions, add_captions, edit_captions, delete_captions]
