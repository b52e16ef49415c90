"""oEmbed 1.0 (oembed.com): how another site gets the frame that shows a video, from nothing but its address."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from streamhost.features.syndication.entries import Entry, clean
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import VideoId, is_id

VERSION = "1.0"
CACHE_SECONDS = 3600
USUAL_SIDE = 640
"""The longer side of a frame for which nobody has asked for another size, in pixels."""
ALLOWED = "autoplay; encrypted-media; picture-in-picture"
"""What the player may do inside a frame, besides filling the screen (Permissions Policy)."""
_PLACE = re.compile(r"/(?:watch|embed)/([^/?#]+)/?")


class UnknownFormat(StreamhostError):
    """This format is not spoken here."""

    code = "unknown_format"
    hint = "Ask for `json` or `xml`."
    permanent = True


def video_of(address: str, home: str) -> VideoId:
    """The video that an address of this site names; the scheme does not matter. Raises `NotFound`."""
    try:
        said, own = urlsplit(address.strip()), urlsplit(home)
    except ValueError:
        raise NotFound from None
    found = _PLACE.fullmatch(said.path)
    if said.scheme not in ("http", "https") or said.netloc.lower() != own.netloc.lower() or found is None:
        raise NotFound
    if not is_id(found[1]):
        raise NotFound
    return VideoId(found[1])


def size_within(width: int, height: int, widest: int | None, highest: int | None) -> tuple[int, int]:
    """The size of a frame in the shape of a picture of `width` by `height`: as large as is asked for or as the picture
    is, and of a usual size where nothing is asked for."""
    usual = USUAL_SIDE / max(width, height)
    limits = [limit / side for limit, side in ((widest, width), (highest, height)) if limit is not None]
    scale = min([*limits, max(1.0, usual)]) if limits else usual
    return max(1, round(width * scale)), max(1, round(height * scale))


def frame(player: str, title: str, width: int, height: int) -> str:
    """The markup that shows the player at an address inside another page."""
    return (
        f'<iframe src="{escape(player)}" width="{width}" height="{height}" title="{escape(title)}" '
        f'allow="{ALLOWED}" allowfullscreen loading="lazy" frameborder="0"></iframe>'
    )


def answer(
    entry: Entry, player: str, site: str, home: str, widest: int | None = None, highest: int | None = None
) -> dict[str, Any]:
    """The members of the answer (section 2.3) for a video that plays at `player`."""
    width, height = size_within(entry.width, entry.height, widest, highest)
    members: dict[str, Any] = {
        "version": VERSION,
        "type": "video",
        "title": entry.title,
        "author_name": entry.author,
        "provider_name": site,
        "provider_url": home,
        "cache_age": CACHE_SECONDS,
        "width": width,
        "height": height,
        "html": frame(player, entry.title, width, height),
    }
    if entry.picture:
        members |= {"thumbnail_url": entry.picture, "thumbnail_width": entry.width, "thumbnail_height": entry.height}
    return members


def as_json(members: Mapping[str, Any]) -> bytes:
    """The answer as JSON."""
    return json.dumps(members, ensure_ascii=False).encode()


def as_xml(members: Mapping[str, Any]) -> bytes:
    """The answer as XML; the markup in it is escaped."""
    root = ElementTree.Element("oembed")
    for name, value in members.items():
        ElementTree.SubElement(root, name).text = clean(str(value))
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


FORMATS = {"json": (as_json, "application/json; charset=utf-8"), "xml": (as_xml, "text/xml; charset=utf-8")}
"""How an answer is written, and its media type, by what `format` says."""
