"""Who else has a say in the making of videos, or looks at what was made: plugins and moderation, joined by the host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streamhost.db.core import Connection
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.streaming import MediaInfo, Rung
from streamhost.model.videos import Video, Visibility

ShapesLadder = Callable[[tuple[Rung, ...], MediaInfo], Awaitable[tuple[Rung, ...]]]
Gate = Callable[[Video], Awaitable[None]]
Told = Callable[[Connection, VideoId], Awaitable[None]]
Takes = Callable[[Connection, VideoId, PackageId], Awaitable[None]]
Holds = Callable[[Connection, VideoId, PackageId], Awaitable[bool]]


async def as_it_is(rungs: tuple[Rung, ...], _info: MediaInfo) -> tuple[Rung, ...]:
    """For a house in which nobody else is asked about ladders."""
    return rungs


async def open_gate(_video: Video) -> None:
    """For a house in which nobody else is asked whether a video may be shown."""


async def nobody_is_told(_conn: Connection, _video_id: VideoId) -> None:
    """For a house in which nobody looks at what was made."""


async def nobody_takes_note(_conn: Connection, _video_id: VideoId, _package_id: PackageId) -> None:
    """For a house in which nobody looks at new files."""


async def nobody_holds(_conn: Connection, _video_id: VideoId, _package_id: PackageId) -> bool:
    """Likewise: nothing waits."""
    return False


@dataclass(frozen=True, slots=True)
class Others:
    """`ladder` may put other renditions in place of those that were chosen; `gate` raises where a video may not be
    shown to others than its owner. `holds` says whether what was made of a new file waits beside what plays until
    somebody has looked at it; it is asked again once they have.

    The rest hear, in the transaction that makes it so: `made` that nothing more is made of a video, `replaced` that
    another file, of which that package was made, takes the place of a video's, `reworded` that its captions have
    changed."""

    ladder: ShapesLadder = as_it_is
    gate: Gate = open_gate
    made: Told = nobody_is_told
    holds: Holds = nobody_holds
    replaced: Takes = nobody_takes_note
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
