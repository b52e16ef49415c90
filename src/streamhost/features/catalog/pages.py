"""Lists of videos, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streamhost.model import cursors
from streamhost.model.clock import Timestamp
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and where the next one starts."""

    items: Sequence[Video]
    next_cursor: str | None


def one_more(limit: int) -> int:
    """One row more than asked for tells whether there is a next page. Raises `InvalidInput`."""
    return cursors.one_more(limit, MAX_PAGE)


def page(found: Sequence[Video], limit: int, moment: Any) -> Page:
    """The first `limit` of what was found; `moment` gives of a video what the list is ordered by."""
    items = found[:limit]
    more = cursors.encoded([moment(items[-1]), items[-1].id]) if len(found) > limit else None
    return Page(items, more)


def place(cursor: str | None) -> tuple[Timestamp, VideoId] | None:
    """Where a page begins: after the video of this moment. Raises `InvalidCursor`."""
    return cursors.by_time(cursor, VideoId)
