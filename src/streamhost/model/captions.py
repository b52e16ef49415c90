"""Captions of a video: words to what is said, in one language each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from streamhost.model.clock import Timestamp
from streamhost.model.ids import CaptionId, PackageId, VideoId
from streamhost.model.streaming import CAPTIONS_FILE, CAPTIONS_FOLDER, TextTrack
from streamhost.model.videos import media_prefix

LABEL_LENGTH = 100
MAX_CAPTIONS = 64
"""Caption tracks of one video: more than any menu can show."""


class Origin(StrEnum):
    """Where captions come from. Those of the file are replaced when the file is."""

    UPLOADED = "uploaded"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Caption:
    """One caption track; its words lie in storage as WebVTT and never change.

    `language` follows RFC 5646. `package_id` names the package in whose manifests it stands, None while in none.
    """

    id: CaptionId
    video_id: VideoId
    language: str
    label: str
    origin: Origin
    size: int
    created_at: Timestamp
    is_default: bool = False
    forced: bool = False
    hearing_impaired: bool = False
    package_id: PackageId | None = None

    @property
    def folder(self) -> str:
        """Its folder within a package."""
        return f"{CAPTIONS_FOLDER}/{self.id}"

    @property
    def track(self) -> TextTrack:
        """What manifests say of it."""
        return TextTrack(self.folder, self.language, self.label, self.is_default, self.forced, self.hearing_impaired)


@dataclass(frozen=True, slots=True)
class Brought:
    """What is said of captions that were not uploaded by a person; the language may be unknown (`und`)."""

    language: str
    label: str = ""
    forced: bool = False
    hearing_impaired: bool = False
    default: bool = False


def captions_prefix(video_id: VideoId) -> str:
    """The storage prefix of the words themselves, whichever package shows them."""
    return f"{media_prefix(video_id)}{CAPTIONS_FOLDER}/"


def caption_key(caption: Caption) -> str:
    """Where the words of a caption track lie in storage."""
    return f"{captions_prefix(caption.video_id)}{caption.id}/{CAPTIONS_FILE}"
