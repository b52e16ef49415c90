"""What other rooms and workshops do for imported files, as far as it is needed here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from streamhost.db.core import Connection
from streamhost.hookspecs import Offer
from streamhost.media import tasks
from streamhost.model.accounts import Viewer
from streamhost.model.captions import Brought, Caption
from streamhost.model.ids import CaptionId, UserId, VideoId
from streamhost.model.videos import Replacement, Video

Told = Callable[[float, str], None]
"""Hears how far something is (0..1), and what is done."""
ChecksQuota = Callable[[Connection, UserId, int, int], Awaitable[None]]
"""Raises if a user may not keep so many more bytes and videos."""


class EntersVideos(Protocol):
    """Enters what has arrived in storage, as the room of uploads does."""

    async def video(self, conn: Connection, video: Video) -> None:
        """Enter a new video."""
        ...

    async def replacement(self, conn: Connection, new: Replacement, priority: int = 0) -> bool:
        """Let a new file come into the place of a video's; False if that video is gone."""
        ...


class RunsMedia(Protocol):
    """Does one media task in a limited child process."""

    def __call__(self, task: tasks.Task, report: Told, writable: Path | None) -> Awaitable[tasks.Answer]:
        """The answer that `media.tasks` names; raises the child's own error, or one of `streamhost.sandbox`."""
        ...


Gate = Callable[[Offer], Awaitable[None]]
"""Raises if somebody may not bring a file: the plugins are asked."""

RemovesVideo = Callable[[Connection, VideoId], Awaitable[None]]
"""Deletes a video in the caller's transaction."""


class TakesCaptions(Protocol):
    """The room of captions, as far as it is needed here."""

    def bring(
        self, caption_id: CaptionId, video_id: VideoId, viewer: Viewer, file: bytes, said: Brought
    ) -> Awaitable[Caption]:
        """Take a caption file; the same id again changes nothing."""
        ...

    def delete(self, video_id: VideoId, caption_id: CaptionId, viewer: Viewer) -> Awaitable[None]:
        """Remove captions; raises `NotFound`."""
        ...


class TakesPosters(Protocol):
    """The room of posters, as far as it is needed here."""

    def send(self, video_id: VideoId, file: bytes, viewer: Viewer, *, early: bool) -> Awaitable[Video]:
        """Make a picture the poster."""
        ...


class EditsVideos(Protocol):
    """The catalog, as far as it is needed here."""

    def edit(self, video_id: VideoId, viewer: Viewer, changes: Mapping[str, Any]) -> Awaitable[Video]:
        """Change what is said of a video."""
        ...


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What other rooms do for imported files."""

    captions: TakesCaptions
    posters: TakesPosters
    catalog: EditsVideos
    remove: RemovesVideo
    entering: EntersVideos
    run: RunsMedia
    hashed: Callable[[str], Awaitable[str]]
    quota: ChecksQuota
    gate: Gate
