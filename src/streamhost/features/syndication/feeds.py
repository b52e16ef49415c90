"""Feeds in three formats: RSS 2.0 with Media RSS 1.5.1, Atom 1.0 (RFC 4287), JSON Feed 1.1.

Documents are built as trees, never by pasting text together, so nothing that somebody wrote can become markup."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree

from streamhost.features.syndication.entries import Entry, clean

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "http://search.yahoo.com/mrss/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
JSON_FEED = "https://jsonfeed.org/version/1.1"
REFRESH_MINUTES = 60
"""How often readers are asked to look."""

for _prefix, _name in (("atom", ATOM), ("media", MEDIA), ("dc", DUBLIN_CORE)):
    ElementTree.register_namespace(_prefix, _name)

Element = ElementTree.Element


@dataclass(frozen=True, slots=True)
class Feed:
    """What stands above the entries. `page` is what a person would look at, `address` where the feed itself is."""

    title: str
    description: str
    page: str
    address: str
    updated: datetime
    entries: Sequence[Entry]
    logo: str = ""
    """Address of the site's logo, empty if it has none."""


def rss(feed: Feed) -> bytes:
    """The feed as RSS 2.0."""
    root = Element("rss", {"version": "2.0"})
    channel = ElementTree.SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", feed.page)
    _text(channel, "description", feed.description)
    _text(channel, "lastBuildDate", format_datetime(feed.updated, usegmt=True))
    _text(channel, "ttl", str(REFRESH_MINUTES))
    if feed.logo:
        image = ElementTree.SubElement(channel, "image")
        for name, text in (("url", feed.logo), ("title", feed.title), ("link", feed.page)):
            _text(image, name, text)
    _empty(channel, f"{{{ATOM}}}link", rel="self", type=MEDIA_TYPES["rss"].partition(";")[0], href=feed.address)
    for entry in feed.entries:
        item = ElementTree.SubElement(channel, "item")
        _text(item, "title", entry.title)
        _text(item, "link", entry.page)
        _text(item, "guid", entry.page, isPermaLink="true")
        _text(item, "pubDate", format_datetime(entry.published, usegmt=True))
        _text(item, f"{{{DUBLIN_CORE}}}creator", entry.author)
        if entry.description:
            _text(item, "description", entry.description)
        for tag in entry.tags:
            _text(item, "category", tag)
        _media(item, entry)
    return _document(root)


def atom(feed: Feed) -> bytes:
    """The feed as Atom 1.0."""
    # Without a prefix, as every reader knows it.
    root = Element("feed", {"xmlns": ATOM})
    _text(root, "id", feed.address)
    _text(root, "title", feed.title)
    _text(root, "subtitle", feed.description)
    _text(root, "updated", feed.updated.isoformat())
    _empty(root, "link", rel="self", type=MEDIA_TYPES["atom"].partition(";")[0], href=feed.address)
    _empty(root, "link", rel="alternate", type="text/html", href=feed.page)
    if feed.logo:
        _text(root, "logo", feed.logo)
    for entry in feed.entries:
        item = ElementTree.SubElement(root, "entry")
        _text(item, "id", entry.page)
        _text(item, "title", entry.title)
        _text(item, "published", entry.published.isoformat())
        _text(item, "updated", entry.updated.isoformat())
        _text(ElementTree.SubElement(item, "author"), "name", entry.author)
        _empty(item, "link", rel="alternate", type="text/html", href=entry.page)
        _text(item, "summary", entry.description or entry.title)
        for tag in entry.tags:
            _empty(item, "category", term=tag)
        _media(item, entry)
    return _document(root)


def json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1."""
    document: dict[str, Any] = {
        "version": JSON_FEED,
        "title": feed.title,
        "description": feed.description,
        "home_page_url": feed.page,
        "feed_url": feed.address,
        **({"icon": feed.logo} if feed.logo else {}),
        "items": [_json_item(entry) for entry in feed.entries],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _json_item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.page,
        "url": entry.page,
        "title": entry.title,
        "content_text": entry.description or entry.title,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "authors": [{"name": entry.author}],
        "tags": list(entry.tags),
        "_streamhost": {"duration": entry.duration, "player": entry.player},
    }
    if entry.picture:
        item["image"] = entry.picture
    return item


def _media(item: Element, entry: Entry) -> None:
    """Length, picture and player by Media RSS."""
    shape = {"medium": "video", "duration": str(round(entry.duration))}
    content = ElementTree.SubElement(item, f"{{{MEDIA}}}content", shape)
    player = {"url": entry.player or entry.page, "width": str(entry.width), "height": str(entry.height)}
    ElementTree.SubElement(content, f"{{{MEDIA}}}player", player)
    _text(content, f"{{{MEDIA}}}title", entry.title, type="plain")
    if entry.picture:
        ElementTree.SubElement(content, f"{{{MEDIA}}}thumbnail", {"url": entry.picture})


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = clean(text)


def _empty(parent: Element, name: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, {key: clean(value) for key, value in attributes.items()})


def _document(root: Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


FORMATS: Mapping[str, Callable[[Feed], bytes]] = {"rss": rss, "atom": atom, "json": json_feed}
"""By the end of the address."""
MEDIA_TYPES: Mapping[str, str] = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}
