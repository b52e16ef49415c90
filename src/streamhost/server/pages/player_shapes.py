"""What the page of a video brings along for its script, for machines that read its head, and for who passes it on."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from streamhost.config import Settings
from streamhost.features.playback import Playback
from streamhost.features.syndication import Syndication, oembed
from streamhost.features.syndication.cards import Tags, open_graph, summary, twitter, video_object
from streamhost.features.syndication.entries import embed_url, entry_of, watch_url
from streamhost.model.accounts import Viewer
from streamhost.model.embedding import OPEN, framers
from streamhost.model.errors import StreamhostError
from streamhost.model.videos import Video, Visibility
from streamhost.server.pages.shapes import clock_text
from streamhost.server.playback import stream_document

_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@dataclass(frozen=True, slots=True)
class StreamView:
    """The permission to play that the page was made with: the player begins without asking for one."""

    json: Markup
    hls: str
    dash: str | None


@dataclass(frozen=True, slots=True)
class About:
    """What stands in the head for machines. `hidden`: search engines shall not list the page."""

    address: str
    hidden: bool
    summary: str
    properties: Tags
    names: Tags
    linked_data: Markup | None
    feeds: Sequence[tuple[str, str]]
    """Address and media type of what says the same for programs (oEmbed)."""


@dataclass(frozen=True, slots=True)
class ShareView:
    """What is handed on: the address, and the markup of a frame where some page may show it."""

    address: str
    code: str | None


@dataclass(frozen=True, slots=True)
class ChapterView:
    """One line of the list of chapters: where it begins, in seconds, in whole ones, and as a clock shows it."""

    start: float
    second: int
    clock: str
    title: str


def chapter_views(video: Video) -> list[ChapterView]:
    """The chapters that there are to choose from: one alone is no choice."""
    marks = [mark for mark in video.chapters if not video.duration or mark.start < video.duration]
    views = [ChapterView(mark.start, math.ceil(mark.start), clock_text(mark.start), mark.title) for mark in marks]
    return views if len(views) > 1 else []


async def stream_view(video: Video, viewer: Viewer, playback: Playback) -> StreamView | None:
    """A grant for the one who opens the page; None while there is nothing to play, or where there is none to be had:
    then the script asks for one, and tells the answer in words."""
    if not video.playable:
        return None
    try:
        stream = stream_document(await playback.stream(video.id, viewer))
    except StreamhostError:
        return None
    return StreamView(_script_data(asdict(stream)), stream.hls, stream.dash)


def about(video: Video, home: str, site: str, settings: Settings, syndication: Syndication) -> About:
    """What machines may learn from the page of a video; of one that not everybody may watch, nothing."""
    address = watch_url(home, video.id)
    hidden = video.visibility is not Visibility.PUBLIC or not settings.server.indexing
    if video.visibility not in OPEN or not video.shown:
        return About(address, hidden=True, summary="", properties=[], names=[], linked_data=None, feeds=())
    entry = entry_of(video, home, syndication.origins)
    more = [
        (f"{home}/oembed?{urlencode({'url': address, 'format': kind})}", media_type)
        for kind, media_type in (("json", "application/json+oembed"), ("xml", "text/xml+oembed"))
        if entry.player
    ]
    properties, data = open_graph(entry, site), _script_data(video_object(entry))
    return About(address, hidden, summary(entry), properties, twitter(entry), data, more)


def share_view(video: Video, home: str, syndication: Syndication) -> ShareView:
    """What the dialog for sharing offers."""
    entry = entry_of(video, home, syndication.origins)
    code = None
    if framers(video, syndication.origins):
        width, height = oembed.size_within(entry.width, entry.height, None, None)
        code = oembed.frame(embed_url(home, video.id), video.title, width, height)
    return ShareView(entry.page, code)


def _script_data(value: Any) -> Markup:
    """JSON for a `<script>` element that holds data: no text in it can end the element."""
    return Markup(json.dumps(value, ensure_ascii=False).translate(_UNSAFE))  # noqa: S704  # made safe just here
