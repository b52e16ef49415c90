"""One video as feeds, site maps and other sites' pages are told of it: plain facts and whole addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from streamhost.model.clock import Timestamp
from streamhost.model.embedding import embeds_anywhere
from streamhost.model.ids import UserId, VideoId
from streamhost.model.videos import ChapterMark, Video

USUAL_SIZE = (1280, 720)
"""Of a video whose picture has none (a sound)."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may contain, not even escaped (XML 1.0, 2.2)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What others may know of a video. Addresses are whole; `player` is None where not every page may show it."""

    id: VideoId
    title: str
    description: str
    tags: tuple[str, ...]
    author: str
    author_id: UserId
    published: datetime
    updated: datetime
    duration: float
    """In seconds, 0 while it is not known."""
    width: int
    height: int
    page: str
    player: str | None
    picture: str | None
    chapters: tuple[ChapterMark, ...]


def entry_of(video: Video, home: str, site: Sequence[str]) -> Entry:
    """A video for a site whose address is `home`, and whose videos the pages of `site` may show."""
    address = watch_url(home, video.id)
    width, height = (video.width, video.height) if video.width and video.height else USUAL_SIZE
    published = video.published_at or video.created_at
    return Entry(
        id=video.id,
        title=video.title,
        description=video.description,
        tags=video.tags,
        author=video.owner_name,
        author_id=video.owner_id,
        published=moment(published),
        updated=moment(max(video.updated_at, published)),
        duration=video.duration or 0.0,
        width=width,
        height=height,
        page=address,
        player=embed_url(home, video.id) if embeds_anywhere(video, site) else None,
        picture=f"{address}/poster.jpg" if video.poster_key else None,
        chapters=video.chapters,
    )


def watch_url(home: str, video_id: VideoId) -> str:
    """Where a video is watched."""
    return f"{home}/watch/{quote(video_id)}"


def embed_url(home: str, video_id: VideoId, **options: str) -> str:
    """Where a video plays inside another page."""
    return f"{home}/embed/{quote(video_id)}" + (f"?{urlencode(options)}" if options else "")


def moment(at: Timestamp) -> datetime:
    """A moment in UTC, in whole seconds."""
    return datetime.fromtimestamp(int(at), UTC)


def iso_duration(seconds: float) -> str:
    """A length as ISO 8601 writes it: `PT1H2M3S`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if count)
    return f"PT{parts or '0S'}"


def clean(text: str) -> str:
    """Text without the signs that no XML document may contain."""
    return _NO_XML.sub("", text)
