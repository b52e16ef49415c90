"""From what is said of a file to the video that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamhost.hookspecs import Offer
from streamhost.model.clock import Timestamp
from streamhost.model.details import checked_details
from streamhost.model.naming import file_name, readable, source_key
from streamhost.model.uploads import Upload
from streamhost.model.videos import Replacement, Video, media_prefix

KEYS = ("title", "description", "visibility", "protection")
"""What may be said of a video together with its file, besides `filename` and `replaces`."""


def known_keys(metadata: Mapping[str, str]) -> dict[str, str]:
    """What of `metadata` means something here; clients add keys of their own (`filetype`, `relativePath`)."""
    return {key: metadata[key] for key in ("filename", "replaces", *KEYS) if key in metadata}


def check(metadata: Mapping[str, str]) -> None:
    """Raise `InvalidInput` naming every field that a video cannot have."""
    _details(metadata)


def _details(metadata: Mapping[str, str]) -> dict[str, Any]:
    return checked_details({key: metadata[key] for key in KEYS if metadata.get(key)})


def offer_of(upload: Upload) -> Offer:
    """What is said of a file, for whoever may object to it."""
    details = {key: upload.metadata[key] for key in KEYS if key in upload.metadata}
    return Offer(upload.owner_id, file_name(upload.metadata.get("filename", "")), upload.length, details)


def stored_as(upload: Upload) -> str:
    """Where the file of a complete upload is stored: one that replaces another lies beside it until it does."""
    assert upload.video_id is not None
    key = source_key(upload.video_id, file_name(upload.metadata.get("filename", "")))
    if upload.replaces is None:
        return key
    return f"{media_prefix(upload.video_id)}source-{upload.id}/{key.rpartition('/')[2]}"


def replacement_of(upload: Upload, sha256: str, now: Timestamp) -> Replacement:
    """What a complete upload is to the video whose file it replaces."""
    assert upload.video_id is not None
    return Replacement(
        video_id=upload.video_id,
        source_key=stored_as(upload),
        source_name=file_name(upload.metadata.get("filename", "")),
        source_size=upload.offset,
        source_sha256=sha256,
        created_at=now,
    )


def video_of(upload: Upload, sha256: str, now: Timestamp) -> Video:
    """The video that a complete upload becomes."""
    assert upload.video_id is not None
    name = file_name(upload.metadata.get("filename", ""))
    details = {"title": readable(name), **_details(upload.metadata)}
    return Video(
        id=upload.video_id,
        owner_id=upload.owner_id,
        created_at=now,
        updated_at=now,
        source_key=source_key(upload.video_id, name),
        source_name=name,
        source_size=upload.offset,
        source_sha256=sha256,
        **details,
    )
