"""One's own shelves: what one likes, wants to watch later, and has watched; and the rows of the first page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamhost.caching.cache import Cache
from streamhost.db import interactions
from streamhost.db import library as rows
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection, Database
from streamhost.db.library import Kept, Shelf
from streamhost.model.accounts import Viewer
from streamhost.model.cached import ROWS
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.cursors import by_time, encoded, one_more
from streamhost.model.errors import NotFound, Unauthenticated
from streamhost.model.ids import UserId, VideoId
from streamhost.model.videos import Clearance, Video, Visibility, may_view

LIKES: Shelf = "likes"
LATER: Shelf = "watch_later"
MAX_PAGE = 100
ROW = 12
"""Videos of a row of the first page."""


@dataclass(frozen=True, slots=True)
class KeptVideo:
    """A video on a shelf. `share`: how much of it was watched, 0..1; `position`: where it was left, in seconds."""

    video: Video
    at: Timestamp
    share: float = 0.0
    position: float | None = None


@dataclass(frozen=True, slots=True)
class ShelfPage:
    """A page of a shelf, the latest first."""

    items: Sequence[KeptVideo]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody thinks of a video, and how many like it."""

    likes: int
    liked: bool = False
    later: bool = False


class Library:
    """Keeps for people what they tell it to. What they may no longer see is not shown, whatever they keep."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        cache: Cache | None = None,
        forgotten: Callable[[str], None] = lambda _viewer: None,
    ) -> None:
        """`forgotten` hears of each viewer whose history was cleared, or lacks a video now."""
        self._db = db
        self._forgotten = forgotten
        self._clock = clock
        self._cache = cache or Cache()

    async def opinion(self, video: Video, viewer: Viewer) -> Opinion:
        """Of a video that the caller has seen that this viewer may see."""
        async with self._db.read() as conn:
            return await self._opinion(conn, video.id, viewer)

    async def keep(self, shelf: Shelf, video_id: VideoId, viewer: Viewer, *, kept: bool) -> Opinion:
        """Put a video on a shelf or take it off; once is as good as twice. Raises `NotFound` for putting up what one
        may not see; taking off always works, and tells nothing of what one may not see."""
        user = _user(viewer)
        async with self._db.write() as conn:
            video = await video_rows.get(conn, video_id)
            if kept and (video is None or not may_view(video, viewer)):
                raise NotFound
            if video is None:
                return Opinion(0)
            change = rows.put(conn, shelf, user, video_id, self._clock()) if kept else None
            changed = await change if change else await rows.take(conn, shelf, user, video_id)
            if changed and shelf == LIKES:
                await rows.note_like(conn, user, video_id, self._clock(), liked=kept)
            return await self._opinion(conn, video_id, viewer) if may_view(video, viewer) else Opinion(0)

    async def shelf(self, shelf: Shelf, viewer: Viewer, cursor: str | None = None, limit: int = 24) -> ShelfPage:
        """What somebody keeps. Raises `InvalidInput`, `InvalidCursor`."""
        user, place = _user(viewer), by_time(cursor, VideoId)
        async with self._db.read() as conn:
            kept = await rows.listed(conn, shelf, user, place, one_more(limit, MAX_PAGE))
            return await self._page(conn, kept, viewer, limit)

    async def history(
        self, viewer: Viewer, cursor: str | None = None, limit: int = 24, *, unfinished: bool = False
    ) -> ShelfPage:
        """What somebody has watched. Raises `InvalidInput`, `InvalidCursor`."""
        user, place = _user(viewer), by_time(cursor, VideoId)
        async with self._db.read() as conn:
            kept = await rows.watched(conn, user, place, one_more(limit, MAX_PAGE), unfinished=unfinished)
            return await self._page(conn, kept, viewer, limit)

    async def forget(self, viewer: Viewer, video_id: VideoId | None = None) -> None:
        """Forget what somebody has watched, or what of one video; likes stay."""
        name = interactions.of_user(_user(viewer))
        async with self._db.write() as conn:
            await interactions.forget(conn, name, video_id)
            conn.after_commit(lambda: self._forgotten(name))

    async def paused(self, viewer: Viewer) -> bool:
        """Whether what somebody watches is not remembered."""
        async with self._db.read() as conn:
            return await rows.paused(conn, _user(viewer))

    async def pause(self, viewer: Viewer, *, paused: bool) -> None:
        """Remember no more what somebody watches, or do so again."""
        async with self._db.write() as conn:
            if paused:
                await rows.pause(conn, _user(viewer), self._clock())
            else:
                await rows.go_on(conn, _user(viewer))

    async def trending(self, limit: int = ROW) -> list[Video]:
        """What is watched most in these days; the order is a little old, who may see them is not."""

        async def look() -> list[VideoId]:
            async with self._db.read() as conn:
                return await rows.trending(conn, self._clock(), 2 * ROW)

        ids = await self._cache.get(ROWS, "trending", look, list[VideoId])
        async with self._db.read() as conn:
            found = {video.id: video for video in await video_rows.of_ids(conn, ids)}
        return [found[one] for one in ids if one in found and _public(found[one])][:limit]

    async def _opinion(self, conn: Connection, video_id: VideoId, viewer: Viewer) -> Opinion:
        likes = await rows.likes(conn, video_id)
        if viewer.id is None:
            return Opinion(likes)
        liked = await rows.has(conn, LIKES, viewer.id, video_id)
        return Opinion(likes, liked, await rows.has(conn, LATER, viewer.id, video_id))

    @staticmethod
    async def _page(conn: Connection, kept: Sequence[Kept], viewer: Viewer, limit: int) -> ShelfPage:
        shown = kept[:limit]
        found = {video.id: video for video in await video_rows.of_ids(conn, [one.video_id for one in shown])}
        items = [
            KeptVideo(video, one.at, one.watched, one.position)
            for one in shown
            if (video := found.get(one.video_id)) is not None and _shown(video, viewer)
        ]
        more = encoded([shown[-1].at, shown[-1].video_id]) if len(kept) > limit else None
        return ShelfPage(items, more)


def _shown(video: Video, viewer: Viewer) -> bool:
    """Moderators and admins find on their shelves no more of what is others' than everybody does."""
    return may_view(video, viewer if viewer.id == video.owner_id else Viewer())


def _public(video: Video) -> bool:
    return may_view(video, Viewer()) and video.visibility is Visibility.PUBLIC and video.clearance is Clearance.OPEN


def _user(viewer: Viewer) -> UserId:
    if viewer.id is None:
        raise Unauthenticated
    return viewer.id
