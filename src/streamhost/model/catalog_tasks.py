"""Work that the catalog has done at its time, beside that of `model.tasks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from streamhost.model.clock import Timestamp
from streamhost.model.ids import VideoId
from streamhost.model.tasks import Task


@dataclass(frozen=True, slots=True)
class PublishVideo(Task):
    """Make a video public whose time has come, if that still stands."""

    kind: ClassVar[str] = "publish_video"
    max_attempts: ClassVar[int] = 20
    """With waits that double up to an hour, about half a day: for as long a plugin that is asked may be away."""
    video_id: VideoId
    at: Timestamp


@dataclass(frozen=True, slots=True)
class EmptyTrash(Task):
    """Delete for good what has lain in the trash for long enough."""

    kind: ClassVar[str] = "empty_trash"
