"""The site map with what search engines want to know of videos (sitemaps.org 0.9, video extension 1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from streamhost.features.syndication.entries import Entry, clean

SITE_MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
VIDEO = "http://www.google.com/schemas/sitemap-video/1.1"
TITLE_LENGTH = 100
DESCRIPTION_LENGTH = 2048
MOST_TAGS = 32
LONGEST = 28_800
"""Seconds that the extension can express."""

ElementTree.register_namespace("video", VIDEO)

Element = ElementTree.Element


def index(addresses: Iterable[str]) -> bytes:
    """The list of the map's parts."""
    root = Element("sitemapindex", {"xmlns": SITE_MAP})
    for address in addresses:
        _text(ElementTree.SubElement(root, "sitemap"), "loc", address)
    return _document(root)


def part(entries: Sequence[Entry], more: Iterable[str] = ()) -> bytes:
    """One part of the map: the pages of `entries`, after `more` pages that are no videos."""
    root = Element("urlset", {"xmlns": SITE_MAP})
    for address in more:
        _text(ElementTree.SubElement(root, "url"), "loc", address)
    for entry in entries:
        url = ElementTree.SubElement(root, "url")
        _text(url, "loc", entry.page)
        _text(url, "lastmod", entry.updated.isoformat())
        # The extension needs a picture and a place to play; without them the page alone is listed.
        if entry.picture and entry.player:
            _video(url, entry, entry.picture, entry.player)
    return _document(root)


def _video(url: Element, entry: Entry, picture: str, player: str) -> None:
    video = ElementTree.SubElement(url, f"{{{VIDEO}}}video")
    facts = [
        ("thumbnail_loc", picture),
        ("title", entry.title[:TITLE_LENGTH]),
        ("description", (entry.description or entry.title)[:DESCRIPTION_LENGTH]),
        ("player_loc", player),
        ("publication_date", entry.published.isoformat()),
        *(("tag", tag) for tag in entry.tags[:MOST_TAGS]),
        ("uploader", entry.author),
    ]
    if 1 <= round(entry.duration) <= LONGEST:
        facts.insert(4, ("duration", str(round(entry.duration))))
    for name, value in facts:
        _text(video, f"{{{VIDEO}}}{name}", value)


def _text(parent: Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = clean(text)


def _document(root: Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
