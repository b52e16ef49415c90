"""Who else has a say in the making of videos, or looks at what was made: plugins and moderation, joined by the host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streamhost.db.core import Connection
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import VideoId
from streamhost.model.streaming import MediaInfo, Rung
from streamhost.model.videos import Video, Visibility

ShapesLadder = Callable[[tuple[Rung, ...], MediaInfo], Awaitable[tuple[Rung, ...]]]
Gate = Callable[[Video], Awaitable[None]]
Told = Callable[[Connection, VideoId], Awaitable[None]]


async def as_it_is(rungs: tuple[Rung, ...], _info: MediaInfo) -> tuple[Rung, ...]:
    """For a house in which nobody else is asked about ladders."""
    return rungs


async def open_gate(_video: Video) -> None:
    """For a house in which nobody else is asked whether a video may be shown."""


async def nobody_is_told(_conn: Connection, _video_id: VideoId) -> None:
    """For a house in which nobody looks at what was made."""


@dataclass(frozen=True, slots=True)
class Others:
    """`ladder` may put other renditions in place of those that were chosen; `gate` raises where a video may not be
    shown to others than its owner.

    The rest hear, in the transaction that makes it so: `made` that nothing more is made of a video, `replaced` that
    another file takes the place of a video's, `reworded` that its captions have changed."""

    ladder: ShapesLadder = as_it_is
    gate: Gate = open_gate
    made: Told = nobody_is_told
    replaced: Told = nobody_is_told
    reworded: Told = nobody_is_told

    async def objection(self, video: Video) -> str | None:
        """Why a video that becomes playable may not be shown as its owner wants; None if it may."""
        if video.visibility is Visibility.PRIVATE:
            return None
        try:
            await self.gate(video)
        except StreamhostError as error:
            return f"It stays private. {error}"
        return None


NOBODY_ELSE = Others()
"""For a house without plugins."""
