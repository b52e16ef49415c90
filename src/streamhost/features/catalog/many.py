"""The same for many videos: each by itself, so that one that cannot be changed holds up no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import VideoId

MOST = 100
"""Videos at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of them; `error`: why nothing did."""

    video_id: VideoId
    error: StreamhostError | None = None


async def each(ids: Sequence[str], work: Callable[[VideoId], Awaitable[object]]) -> list[Outcome]:
    """Do `work` for every video once, in this order. Raises `InvalidInput` where there are none, or too many."""
    wanted = list(dict.fromkeys(ids))
    if not 1 <= len(wanted) <= MOST:
        raise InvalidInput(fields={"videos": f"From 1 to {MOST} ids."})
    outcomes = []
    for video_id in map(VideoId, wanted):
        try:
            await work(video_id)
        except StreamhostError as error:
            outcomes.append(Outcome(video_id, error))
        else:
            outcomes.append(Outcome(video_id))
    return outcomes
