"""Captions over HTTP: list, upload, change and remove the caption tracks of a video."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from streamhost.features.captions import MAX_BYTES, Captions
from streamhost.features.catalog import Catalog
from streamhost.model.captions import Caption
from streamhost.model.clock import iso
from streamhost.model.ids import CaptionId, VideoId
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.documented import problems
from streamhost.server.managing import BROKEN_FORM, changing, ordering, small_file
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
    summary="Add captions",
    **changing(**BROKEN_FORM, too_many_captions=409, not_captions=422, over_quota=507),
)
async def add_captions(
    request: Request[Any, Any, Any], video_id: FromPath[str], captions: NamedDependency[Captions]
) -> CaptionTrackDocument:
    """multipart/form-data with an SRT or WebVTT file in `file`, its `language` (such as `en`), perhaps a `label` and
    `default`. The file may be in UTF-8, UTF-16, or what was usual for its language before them."""
    data, said = await small_file(request, MAX_BYTES, f"At most {MAX_BYTES} bytes.")
    words = {name: text for name, text in said.items() if name != "filename"}
    return caption_document(await captions.add(VideoId(video_id), viewer_of(request), data, words))


@patch(
    ONE,
    summary="Change captions",
    **ordering(),
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
    summary="Remove captions",
    **changing(),
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
