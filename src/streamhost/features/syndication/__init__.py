"""Syndication: what other sites, readers of feeds and search engines are told about the videos here.

Nothing leaves by this room that a stranger could not find or open: lists have public videos, single addresses public
and unlisted ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from streamhost.db import published
from streamhost.db import users as user_rows
from streamhost.db.core import Database
from streamhost.model.accounts import ANONYMOUS, Viewer
from streamhost.model.details import TAG_LENGTH
from streamhost.model.embedding import OPEN, embeds_anywhere, framers
from streamhost.model.errors import Forbidden, NotFound
from streamhost.model.ids import UserId, VideoId, is_id
from streamhost.model.videos import Video, Visibility

FEED_LENGTH = 50
"""Videos in a feed: readers ask often enough to miss none."""
MAP_LENGTH = 5000
"""Videos in one part of the site map, so that a part is made quickly; the protocol allows 50,000."""

Look = Callable[[VideoId, Viewer], Awaitable[Video]]


class EmbeddingNotAllowed(Forbidden):
    """This video may not be shown on other sites' pages."""

    code = "embedding_not_allowed"
    hint = "Link to its page instead."


@dataclass(frozen=True, slots=True)
class Channel:
    """The videos of a feed, newest first. `creator`: the name of whose they are, None for everybody's."""

    videos: Sequence[Video]
    creator: str | None = None
    tag: str | None = None


class Syndication:
    """Answers feeds, site maps, and sites that want to show a video."""

    def __init__(self, db: Database, look: Look, origins: Sequence[str]) -> None:
        """`look` finds a video for a viewer or raises; `origins` are the web sites whose pages may show videos whose
        owner says nothing else (`*`: all)."""
        self._db = db
        self._look = look
        self.origins = tuple(origins)

    async def framed(self, video_id: VideoId, viewer: Viewer) -> Video:
        """A video that is to play inside another page. Raises `NotFound` for a private one, whoever asks, and what
        `look` raises."""
        video = await self._look(video_id, viewer)
        if video.visibility is Visibility.PRIVATE or not video.shown:
            raise NotFound
        return video

    def framers(self, video: Video) -> tuple[str, ...]:
        """The web sites whose pages may show a video."""
        return framers(video, self.origins)

    async def open(self, video_id: VideoId) -> Video:
        """A video that whoever has its address may watch. Raises `NotFound` for every other one."""
        video = await self._look(video_id, ANONYMOUS)
        if video.visibility not in OPEN or not video.shown:
            raise NotFound
        return video

    async def offered(self, video_id: VideoId) -> Video:
        """A video that any page may show. Raises `NotFound`, `EmbeddingNotAllowed`."""
        video = await self.open(video_id)
        if not embeds_anywhere(video, self.origins):
            raise EmbeddingNotAllowed
        return video

    async def newest(self, creator: str | None = None, tag: str | None = None) -> Channel:
        """The newest public videos, of one creator or with one tag if that is asked for.

        Raises `NotFound` for a creator who has published nothing: who has an account is nobody's business."""
        owner = UserId(creator) if creator else None
        if owner is not None and not is_id(owner):
            raise NotFound
        wanted = " ".join(tag.split()).lower()[:TAG_LENGTH] if tag else None
        async with self._db.read() as conn:
            videos = await published.in_order(conn, FEED_LENGTH, owner=owner, tag=wanted)
            if owner is None:
                return Channel(videos, tag=wanted)
            user = await user_rows.get(conn, owner)
            if user is None or not (videos or await published.in_order(conn, 1, owner=owner)):
                raise NotFound
        return Channel(videos, user.name, wanted)

    async def map_parts(self) -> int:
        """How many parts the site map has, at least one."""
        async with self._db.read() as conn:
            count = await published.count(conn)
        return max(1, -(-count // MAP_LENGTH))

    async def map_part(self, number: int) -> Sequence[Video]:
        """The videos in one part of the site map, counted from 1, oldest first. Raises `NotFound`."""
        async with self._db.read() as conn:
            videos = await published.in_order(conn, MAP_LENGTH, offset=(number - 1) * MAP_LENGTH, oldest_first=True)
        if not videos and number > 1:
            raise NotFound
        return videos
