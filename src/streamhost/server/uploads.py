"""Uploads over HTTP: resumable by tus 1.0.0, and whole files by one multipart request."""

import re
from dataclasses import dataclass
from typing import Any

from litestar import HttpMethod, MediaType, Request, Response, delete, head, patch, post, route
from litestar.di import NamedDependency
from litestar.exceptions import MethodNotAllowedException
from litestar.params import FromPath

from streamhost.config import Settings
from streamhost.features.playback import Playback
from streamhost.features.uploads import OffsetMismatch, UploadInterrupted, Uploads, check_words
from streamhost.model.accounts import Role, Scope
from streamhost.model.ids import UploadId, UserId
from streamhost.model.uploads import Upload, UploadKind
from streamhost.server import errors, tus
from streamhost.server.accounts import FORGED, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import at_least, public, viewer_of
from streamhost.server.documented import BEARER, bodiless, problems
from streamhost.server.incoming import incoming
from streamhost.server.limits import RouteClass, limited
from streamhost.server.managing import BROKEN_FORM
from streamhost.server.multipart import UploadForm
from streamhost.server.videos import VideoDocument, video_document

AnyRequest = Request[Any, Any, Any]
TAGS = ["uploads"]
VIDEO_HEADER = "Streamhost-Video"
CREATED, OK, EMPTY = 201, 200, 204
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?|\[[0-9a-fA-F:.]+\](:[0-9]+)?")


@dataclass(frozen=True, slots=True)
class ReceivedDocument:
    """What a file sent by one request has become."""

    upload_id: str
    video: VideoDocument


def answer_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """The usual answer to an error, in tus clothes."""
    response = errors.handle(request, error)
    response.headers["Tus-Resumable"] = tus.VERSION
    if isinstance(error, tus.UnsupportedTusVersion):
        response.headers["Tus-Version"] = tus.VERSION
    if isinstance(error, OffsetMismatch | UploadInterrupted):
        response.headers["Upload-Offset"] = str(error.offset)
    return response


_REFUSED: dict[str, int] = {**SIGNED_IN, **NOT_IN_PERSON, **FORGED, "forbidden": 403}
_ROOM: dict[str, int] = {"too_large": 413, "no_room": 507, "over_quota": 507}
_BYTES: dict[str, int] = {
    **_ROOM,
    "client_gone": 400,
    "unknown_checksum": 400,
    "client_silent": 408,
    "unsupported_media_type": 415,
    "checksum_mismatch": 460,
}
_BEGUN: dict[str, int] = {"upload_not_found": 404, "upload_busy": 409, "upload_gone": 410}
_ADDED: dict[str, int] = {
    **_BEGUN,
    **_BYTES,
    "invalid_upload_length": 400,
    "final_upload": 403,
    "offset_mismatch": 409,
    "upload_interrupted": 409,
}


def _tus(status: int, **codes: int) -> dict[str, Any]:
    """What every route has on which somebody speaks tus; `codes` are the refusals that are its own."""
    return {
        "guards": [at_least(Role.CREATOR, Scope.UPLOAD)],
        "tags": TAGS,
        "exception_handlers": {Exception: answer_error},
        "security": BEARER,
        "status_code": status,
        "responses": problems(**_REFUSED, malformed_upload=400, unsupported_tus_version=412, **codes)
        | bodiless(status),
    }


def _by_form(**codes: int) -> dict[str, Any]:
    """What routes have that take a whole file by one request."""
    return {
        "guards": [at_least(Role.CREATOR, Scope.UPLOAD)],
        "opt": limited(RouteClass.UPLOADS),
        "tags": TAGS,
        "security": BEARER,
        "status_code": 202,
        "responses": problems(**_REFUSED, **_ROOM, **BROKEN_FORM, client_silent=408, **codes),
    }


_STREAMING = limited(RouteClass.UNCOUNTED)
"""Small pieces on a quick network are many requests; an upload is counted where it begins."""


@route(
    [tus.PATH, tus.PATH + "/{upload_id:str}"],
    http_method=[HttpMethod.OPTIONS],
    guards=[public],
    status_code=EMPTY,
    tags=TAGS,
    responses=bodiless(EMPTY),
    summary="What this server offers of tus",
)
async def announce(uploads: NamedDependency[Uploads]) -> Response[None]:
    """Versions, extensions, checksum algorithms and the largest size, for everybody."""
    headers = {
        "Tus-Resumable": tus.VERSION,
        **tus.announcement(uploads.max_size),
        "Allow": "OPTIONS, POST, HEAD, PATCH, DELETE",
    }
    return _empty(EMPTY, headers)


@post(
    tus.PATH,
    summary="Begin an upload (tus)",
    opt=limited(RouteClass.UPLOADS),
    **_tus(
        CREATED, **_BEGUN, **_BYTES, invalid_parts=400, parts_unfinished=409, upload_interrupted=409, invalid_input=422
    ),
)
async def create_upload(
    request: AnyRequest, uploads: NamedDependency[Uploads], settings: NamedDependency[Settings]
) -> Response[None]:
    """tus POST: make an upload, perhaps with its first bytes, or join finished parts (`Upload-Concat: final;…`)."""
    async with incoming(request) as body:
        tus.require_version(request.headers)
        concat = tus.concatenation(request.headers)
        words, header = tus.metadata(request.headers)
        owner = _owner(request)
        with_bytes = tus.brings_bytes(request.headers)
        if concat.kind is UploadKind.FINAL:
            if with_bytes:
                raise tus.MalformedUpload("A final upload has no bytes of its own.")
            upload = await uploads.join(owner, concat.parts, metadata=words, metadata_header=header)
        elif with_bytes:
            upload = await uploads.create_with(
                owner,
                tus.length_at_creation(request.headers),
                aiter(body),
                size=tus.content_length(request.headers),
                checksum=tus.checksum(request.headers),
                kind=concat.kind,
                metadata=words,
                metadata_header=header,
            )
        else:
            length = tus.length_at_creation(request.headers)
            upload = await uploads.create(owner, length, kind=concat.kind, metadata=words, metadata_header=header)
    headers = _progress(upload)
    if not with_bytes:
        headers.pop("Upload-Offset", None)
    headers["Location"] = f"{_base(request, settings)}{tus.PATH}/{upload.id}"
    return _empty(CREATED, headers)


@head(tus.PATH + "/{upload_id:str}", summary="Where an upload stands (tus)", opt=_STREAMING, **_tus(OK, **_BEGUN))
async def show_upload(
    request: AnyRequest, upload_id: FromPath[str], uploads: NamedDependency[Uploads]
) -> Response[None]:
    """tus HEAD: the offset to continue at; whoever is adding bytes is asked to let go first."""
    tus.require_version(request.headers)
    upload = await uploads.status(UploadId(upload_id), _owner(request))
    headers = _progress(upload) | {"Cache-Control": "no-store"}
    if upload.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(upload.length)
    if upload.metadata_header:
        headers["Upload-Metadata"] = upload.metadata_header
    if concat := tus.concatenation_header(upload.kind, upload.parts):
        headers["Upload-Concat"] = concat
    return _empty(OK, headers)


@patch(
    tus.PATH + "/{upload_id:str}",
    summary="Add bytes to an upload (tus)",
    opt=_STREAMING,
    **_tus(EMPTY, **_ADDED),
)
async def append_chunk(
    request: AnyRequest, upload_id: FromPath[str], uploads: NamedDependency[Uploads]
) -> Response[None]:
    """tus PATCH: append bytes at the offset the client believes in."""
    async with incoming(request) as body:
        tus.require_version(request.headers)
        tus.require_type(request.headers)
        upload = await uploads.append(
            UploadId(upload_id),
            _owner(request),
            tus.offset(request.headers),
            aiter(body),
            size=tus.content_length(request.headers),
            length=tus.length_at_append(request.headers),
            checksum=tus.checksum(request.headers),
        )
    return _empty(EMPTY, _progress(upload))


@delete(tus.PATH + "/{upload_id:str}", summary="End an upload (tus)", **_tus(EMPTY, **_BEGUN))
async def end_upload(
    request: AnyRequest, upload_id: FromPath[str], uploads: NamedDependency[Uploads]
) -> Response[None]:
    """tus DELETE: drop an upload and free its room. A video that it has already become stays."""
    tus.require_version(request.headers)
    await uploads.terminate(UploadId(upload_id), _owner(request))
    return _empty(EMPTY, {"Tus-Resumable": tus.VERSION})


@post(
    tus.PATH + "/{upload_id:str}",
    summary="HEAD, PATCH or DELETE in disguise (tus)",
    opt=_STREAMING,
    **_tus(EMPTY, **_ADDED, method_not_allowed=405),
)
async def override_method(
    request: AnyRequest, upload_id: FromPath[str], uploads: NamedDependency[Uploads]
) -> Response[None]:
    """For clients that cannot send other methods: `X-HTTP-Method-Override` says what is meant.

    Only POST may be in disguise: a request that browsers take for harmless must never do what PATCH and DELETE do."""
    meant = request.headers.get("x-http-method-override", "").upper()
    for method, handler in (("PATCH", append_chunk), ("DELETE", end_upload), ("HEAD", show_upload)):
        if meant == method:
            return await handler.fn(request, upload_id, uploads)  # type: ignore[no-any-return]  # "fn" is untyped
    raise MethodNotAllowedException("POST here needs `X-HTTP-Method-Override`: HEAD, PATCH or DELETE.")


@post(
    "/api/v1/upload",
    summary="Upload a file by one request",
    **_by_form(),
)
async def receive_file(
    request: AnyRequest, uploads: NamedDependency[Uploads], playback: NamedDependency[Playback]
) -> ReceivedDocument:
    """multipart/form-data with a file in `file`, and `filename`, `title`, `description`, `visibility`, `protection`.

    With `replaces`, the id of a video of yours, the file takes the place of that video's file."""
    return await _received(request, uploads, playback, {})


@post(
    "/api/v1/videos/{video_id:str}/source",
    summary="Replace the file of a video",
    **_by_form(not_found=404),
)
async def replace_file(
    request: AnyRequest,
    video_id: FromPath[str],
    uploads: NamedDependency[Uploads],
    playback: NamedDependency[Playback],
) -> ReceivedDocument:
    """multipart/form-data with a file in `file`: it takes the place of the video's file once it plays.

    Until then, and if it turns out to be no video, everything stays as it is. `replacing` of the video tells how far it
    is. Resumable uploads do the same with `replaces` in their metadata."""
    return await _received(request, uploads, playback, {"replaces": video_id})


async def _received(
    request: AnyRequest, uploads: Uploads, playback: Playback, said: dict[str, str]
) -> ReceivedDocument:
    viewer = viewer_of(request)
    async with incoming(request) as body:
        form = UploadForm(request.headers.get("content-type", ""), aiter(body), check_words)
        size = tus.content_length(request.headers) or 0
        upload, video = await uploads.receive(_owner(request), form.file(), lambda: {**form.words(), **said}, size)
    return ReceivedDocument(upload.id, video_document(video, viewer, playback))


def _empty(status: int, headers: dict[str, str]) -> Response[None]:
    """An answer that is all in its headers."""
    return Response(None, status_code=status, headers=headers, media_type=MediaType.TEXT)


def _owner(request: AnyRequest) -> UserId:
    owner = viewer_of(request).id
    assert owner is not None, "the route's guard lets nobody else in"
    return owner


def _progress(upload: Upload) -> dict[str, str]:
    """What answers about an upload have in common."""
    headers = {"Tus-Resumable": tus.VERSION}
    if upload.kind is not UploadKind.FINAL or upload.complete:
        headers["Upload-Offset"] = str(upload.offset)
    if not upload.video_id:
        headers["Upload-Expires"] = tus.http_date(upload.expires_at)
    elif upload.kind is not UploadKind.PARTIAL:
        headers[VIDEO_HEADER] = upload.video_id
    return headers


def _base(request: AnyRequest, settings: Settings) -> str:
    """Scheme and host by which the client reaches us: the setting, else what it or the proxy says.

    Nobody but the one who sends these headers sees the answer made of them, so they need not be trusted."""
    if settings.server.public_url:
        return settings.server.public_url
    said = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    scheme = said if said in ("http", "https") else request.scope["scheme"]
    host = request.headers.get("x-forwarded-host", "").partition(",")[0].strip() or request.headers.get("host", "")
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else ""


routes = [
    announce,
    create_upload,
    show_upload,
    append_chunk,
    end_upload,
    override_method,
    receive_file,
    replace_file,
]
