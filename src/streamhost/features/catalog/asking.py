"""Whom the catalog asks and tells, and who stands in where there is nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from streamhost.db.core import Connection
from streamhost.model.accounts import Viewer
from streamhost.model.ids import VideoId
from streamhost.model.sharing import Admission
from streamhost.model.videos import Video

Admits = Callable[[Connection, Video, Viewer], Awaitable[Admission | None]]
Switch = Callable[[Connection, Video], Awaitable[None]]
Gate = Callable[[Video], Awaitable[None]]
Reworded = Callable[[Connection, VideoId], Awaitable[None]]


async def admits_nobody(_conn: Connection, _video: Video, _viewer: Viewer) -> Admission | None:
    """For a house without passwords and links."""
    return None


async def nothing_to_do(_conn: Connection, _video: Video) -> None:
    """For a house that packages nothing."""


async def open_gate(_video: Video) -> None:
    """For a house in which nobody else is asked."""


async def nobody_is_told(_conn: Connection, _video_id: VideoId) -> None:
    """For a house in which nobody reads what people write."""
