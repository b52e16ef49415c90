"""Whole files over HTTP: the upload for its owner, and a rendition as one MP4 for whoever may take it along."""

from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from streamhost.features.catalog import Catalog
from streamhost.features.transcoding import Coming, Downloads, Whole
from streamhost.model.ids import VideoId
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.documented import problems
from streamhost.server.managing import TAGS, managing
from streamhost.server.ranges import Range, match, requested
from streamhost.server.videos import BAD_TOKEN, HIDDEN

BINARY = "application/octet-stream"
MP4 = "video/mp4"


@get(
    "/api/v1/videos/{video_id:str}/source",
    summary="The uploaded file",
    media_type=BINARY,
    **managing(source_gone=409, range_not_satisfiable=416),
)
async def download_source(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    downloads: NamedDependency[Downloads],
) -> Response[Any]:
    """The file exactly as it was uploaded, while it is kept: for the owner and administrators. Ranges are served."""
    viewer = viewer_of(request)
    video = await catalog.get(VideoId(video_id), viewer)
    return sent(request, downloads, await downloads.source(video, viewer), BINARY)


@get(
    "/api/v1/videos/{video_id:str}/download",
    guards=[anyone],
    summary="A rendition as one file",
    tags=TAGS,
    media_type=MP4,
    responses=problems(
        **BAD_TOKEN,
        **HIDDEN,
        download_not_allowed=403,
        download_impossible=409,
        download_failed=409,
        range_not_satisfiable=416,
    ),
)
async def download_rendition(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    downloads: NamedDependency[Downloads],
    rendition: FromQuery[str | None] = None,
) -> Response[Any]:
    """One MP4 with the default sound, the best `rendition` unless one is named. The first time it has to be made: then
    the answer is 202 with `Retry-After` and how far it is."""
    viewer = viewer_of(request)
    video = await catalog.get(VideoId(video_id), viewer)
    found = await downloads.rendition(video, viewer, rendition)
    if isinstance(found, Coming):
        headers = {"Retry-After": str(round(found.retry_after)), "Cache-Control": "no-store"}
        document = {"state": "making", "progress": round(found.progress, 4)}
        return Response(document, status_code=202, headers=headers, media_type="application/json")
    return sent(request, downloads, found, MP4)


def sent(request: Request[Any, Any, Any], downloads: Downloads, whole: Whole, kind: str) -> Response[Any]:
    """The object, or the part of it that the request asks for (RFC 9110, sections 13 and 14), to be saved."""
    stored = whole.stored
    etag, modified = f'"{stored.etag}"'.encode(), int(stored.modified)
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag.decode(),
        "Last-Modified": formatdate(modified, usegmt=True),
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition(whole.name),
        "X-Content-Type-Options": "nosniff",
    }
    none_match, since = _header(request, "if-none-match"), _header(request, "if-modified-since")
    if (none_match is not None or since is not None) and match(none_match, since, etag, modified):
        return Response(b"", status_code=304, headers=headers, media_type=kind)
    wanted = _header(request, "range")
    part = requested(wanted, _header(request, "if-range"), stored.size, etag, modified) if wanted else None
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{stored.size}"
    asked = part or Range(0, stored.size)
    headers["Content-Length"] = str(asked.end - asked.start)
    body: AsyncIterator[bytes] = downloads.read(whole, asked.start, asked.end)
    return Stream(body, status_code=206 if part else 200, headers=headers, media_type=kind)


def disposition(name: str) -> str:
    """`Content-Disposition` for a name in any script (RFC 6266, section 4.1; RFC 8187)."""
    clean = "".join(sign if sign.isprintable() and sign not in '/\\"' else "_" for sign in name).strip() or "video"
    plain = clean.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"


def _header(request: Request[Any, Any, Any], name: str) -> bytes | None:
    value = request.headers.get(name)
    return value.encode("latin-1", "replace") if value is not None else None


routes = [download_source, download_rendition]
