"""The words of tus 1.0.0: its headers, read strictly and written. Pure; what they mean is the business of the uploads.

Where the text says "the protocol", it is the tus resumable upload protocol, version 1.0.0 of 2016-03-25.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import urlsplit

from streamhost.features.uploads import ALGORITHMS, Checksum
from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UploadId, is_id
from streamhost.model.uploads import UploadKind

VERSION = "1.0.0"
EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "expiration",
    "checksum",
    "termination",
    "concatenation",
)
"""Not `checksum-trailer`: trailers do not pass through ASGI. Not `concatenation-unfinished`: parts have to be whole."""
CONTENT_TYPE = "application/offset+octet-stream"
PATH = "/api/v1/uploads"
METADATA_LENGTH = 64 * 1024
"""Longest `Upload-Metadata` kept, in characters."""
_NUMBER = re.compile(r"[0-9]{1,18}")
"""Up to 10^18 - 1: more than any disk has, and within the catalog's 64-bit integers."""

Headers = Mapping[str, str]


class UnsupportedTusVersion(StreamhostError):
    """This server speaks tus 1.0.0, and the request does not say that it does."""

    code = "unsupported_tus_version"
    hint = f"Send `Tus-Resumable: {VERSION}`."
    permanent = True


class MalformedUpload(StreamhostError):
    """A header of the upload is missing or cannot be understood."""

    code = "malformed_upload"
    permanent = True


class WrongUploadType(StreamhostError):
    """The body has another content type than uploads have."""

    code = "unsupported_media_type"
    permanent = True


@dataclass(frozen=True, slots=True)
class Concatenation:
    """`Upload-Concat`: what kind of upload is to be made, and of which parts."""

    kind: UploadKind
    parts: tuple[UploadId, ...] = ()


def require_version(headers: Headers) -> None:
    """Raise `UnsupportedTusVersion` unless the request speaks our version (the protocol, "Tus-Resumable")."""
    if headers.get("tus-resumable") != VERSION:
        raise UnsupportedTusVersion


def require_type(headers: Headers) -> None:
    """Raise `WrongUploadType` unless the body is said to be bytes of an upload."""
    if _media_type(headers) != CONTENT_TYPE:
        raise WrongUploadType(f"Send `Content-Type: {CONTENT_TYPE}`.")


def brings_bytes(headers: Headers) -> bool:
    """Whether a creation request carries the first bytes ("Creation With Upload").

    Raises `WrongUploadType` for a body of any other type."""
    empty = content_length(headers) == 0 or ("content-length" not in headers and "transfer-encoding" not in headers)
    if _media_type(headers) == CONTENT_TYPE:
        return not empty
    if not empty:
        require_type(headers)
    return False


def content_length(headers: Headers) -> int | None:
    """How many bytes the body has, None where the request does not say."""
    text = headers.get("content-length", "")
    return int(text) if _NUMBER.fullmatch(text) else None


def offset(headers: Headers) -> int:
    """`Upload-Offset` of a request."""
    return _number(headers, "Upload-Offset")


def length_at_creation(headers: Headers) -> int | None:
    """`Upload-Length`, or None with `Upload-Defer-Length: 1`; one of the two must be there ("Creation")."""
    deferred = headers.get("upload-defer-length")
    if deferred is None:
        return _number(headers, "Upload-Length")
    if deferred != "1":
        raise MalformedUpload("`Upload-Defer-Length` can only be 1.")
    if "upload-length" in headers:
        raise MalformedUpload("`Upload-Length` and `Upload-Defer-Length` exclude each other.")
    return None


def length_at_append(headers: Headers) -> int | None:
    """`Upload-Length` of a request that says it for the first time, else None."""
    return _number(headers, "Upload-Length") if "upload-length" in headers else None


def metadata(headers: Headers) -> tuple[dict[str, str], str]:
    """`Upload-Metadata` as text by key, and as it was sent. Values that are no UTF-8 are only kept as sent."""
    header = headers.get("upload-metadata", "").strip()
    if len(header) > METADATA_LENGTH:
        raise MalformedUpload(f"`Upload-Metadata` may have up to {METADATA_LENGTH} characters.")
    found: dict[str, str] = {}
    seen: set[str] = set()
    for pair in header.split(",") if header else ():
        key, _, value = pair.strip().partition(" ")
        if not key or not key.isascii():
            raise MalformedUpload("`Upload-Metadata` has a key that is empty or not ASCII.")
        if key in seen:
            raise MalformedUpload(f"`Upload-Metadata` says `{key}` twice.")
        seen.add(key)
        try:
            found[key] = _decoded(value, f"`Upload-Metadata`, `{key}`").decode()
        except UnicodeDecodeError:
            continue
    return found, header


def checksum(headers: Headers) -> Checksum | None:
    """`Upload-Checksum`, None without one. Raises `UnknownChecksum` for an algorithm that we do not offer."""
    header = headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, digest = header.strip().partition(" ")
    if not digest:
        raise MalformedUpload("`Upload-Checksum` is an algorithm, a space, and the checksum in Base64.")
    return Checksum(algorithm, _decoded(digest, "`Upload-Checksum`"))


def concatenation(headers: Headers) -> Concatenation:
    """`Upload-Concat`; a whole upload without one ("Concatenation")."""
    header = headers.get("upload-concat")
    if header is None:
        return Concatenation(UploadKind.WHOLE)
    if header.strip() == "partial":
        return Concatenation(UploadKind.PARTIAL)
    kind, _, addresses = header.strip().partition(";")
    parts = tuple(_part(address) for address in addresses.split())
    if kind != "final" or not parts:
        raise MalformedUpload("`Upload-Concat` is `partial`, or `final;` and the addresses of the parts.")
    if "upload-length" in headers or "upload-defer-length" in headers:
        raise MalformedUpload("The length of a final upload is that of its parts; it is not said.")
    return Concatenation(UploadKind.FINAL, parts)


def concatenation_header(kind: UploadKind, parts: tuple[UploadId, ...]) -> str | None:
    """`Upload-Concat` as an upload answers it; None for a whole one."""
    if kind is UploadKind.FINAL:
        return "final;" + " ".join(f"{PATH}/{part}" for part in parts)
    return "partial" if kind is UploadKind.PARTIAL else None


def http_date(moment: Timestamp) -> str:
    """`Upload-Expires`: the date format of HTTP (RFC 9110, 5.6.7)."""
    return formatdate(moment, usegmt=True)


def announcement(max_size: int) -> dict[str, str]:
    """What the answer to OPTIONS says of this server."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(max_size),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def _part(address: str) -> UploadId:
    """The id in the address of a part, absolute or not; which host it names does not matter."""
    folder, _, name = urlsplit(address).path.rpartition("/")
    if folder not in ("", PATH) or not is_id(name):
        raise MalformedUpload(f"`Upload-Concat` names `{address}`, which is no upload of this server.")
    return UploadId(name)


def _number(headers: Headers, name: str) -> int:
    text = headers.get(name.lower())
    if text is None:
        raise MalformedUpload(f"`{name}` is missing.")
    if not _NUMBER.fullmatch(text):
        raise MalformedUpload(f"`{name}` must be a whole number that is not negative.")
    return int(text)


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedUpload(f"{where} is not Base64.") from None


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
