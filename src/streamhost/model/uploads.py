"""Uploads: a file on its way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from streamhost.model.clock import Timestamp
from streamhost.model.ids import UploadId, UserId, VideoId


class UploadKind(StrEnum):
    """What an upload is in the tus protocol (1.0.0, section "Concatenation")."""

    WHOLE = "whole"
    PARTIAL = "partial"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Upload:
    """One tus upload. `offset` bytes are on disk for good; `length` is None while the client has not said it yet."""

    id: UploadId
    owner_id: UserId
    created_at: Timestamp
    expires_at: Timestamp
    length: int | None = None
    offset: int = 0
    kind: UploadKind = UploadKind.WHOLE
    parts: tuple[UploadId, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    metadata_header: str = ""
    """`Upload-Metadata` exactly as the client sent it, for it to read back."""
    video_id: VideoId | None = None
    """The video that the file becomes: chosen with the last byte, before anything is moved. A part carries the id of
    the video whose final upload has claimed it."""
    finished_at: Timestamp | None = None
    """When the video was entered in the catalog."""

    @property
    def replaces(self) -> VideoId | None:
        """The video whose file this one is to replace."""
        named = self.metadata.get("replaces")
        return VideoId(named) if named else None

    @property
    def complete(self) -> bool:
        """Whether every byte has arrived."""
        return self.length is not None and self.offset == self.length

    @property
    def finished(self) -> bool:
        """Whether the file has become a video."""
        return self.finished_at is not None
