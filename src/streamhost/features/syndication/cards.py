"""What the page of a video tells machines in its head: Open Graph, Twitter cards, and schema.org as JSON-LD."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from streamhost.features.syndication.entries import Entry, iso_duration

SUMMARY_LENGTH = 300
"""Signs of the description that previews show."""

Tags = list[tuple[str, str]]


def summary(entry: Entry) -> str:
    """The description in one line, or what there is to say without one."""
    words = " ".join(entry.description.split()) or f"A video by {entry.author}."
    return words if len(words) <= SUMMARY_LENGTH else words[: SUMMARY_LENGTH - 1].rstrip() + "…"


def open_graph(entry: Entry, site: str) -> Tags:
    """`property` and `content` of each tag (ogp.me)."""
    tags: Tags = [
        ("og:type", "video.other"),
        ("og:site_name", site),
        ("og:title", entry.title),
        ("og:description", summary(entry)),
        ("og:url", entry.page),
    ]
    if entry.picture:
        tags += [
            ("og:image", entry.picture),
            ("og:image:type", "image/jpeg"),
            ("og:image:alt", entry.title),
        ]
    if entry.player:
        tags += [
            ("og:video", entry.player),
            *([("og:video:secure_url", entry.player)] if entry.player.startswith("https:") else []),
            ("og:video:type", "text/html"),
            ("og:video:width", str(entry.width)),
            ("og:video:height", str(entry.height)),
        ]
    if entry.duration:
        tags.append(("video:duration", str(round(entry.duration))))
    tags.append(("video:release_date", entry.published.isoformat()))
    return tags + [("video:tag", tag) for tag in entry.tags]


def twitter(entry: Entry) -> Tags:
    """`name` and `content` of each tag: a player where that may be shown anywhere by https, else a large picture."""
    tags: Tags = [("twitter:title", entry.title), ("twitter:description", summary(entry))]
    if entry.picture:
        tags.append(("twitter:image", entry.picture))
    if entry.player and entry.player.startswith("https:"):
        return [
            ("twitter:card", "player"),
            *tags,
            ("twitter:player", entry.player),
            ("twitter:player:width", str(entry.width)),
            ("twitter:player:height", str(entry.height)),
        ]
    return [("twitter:card", "summary_large_image"), *tags]


def video_object(entry: Entry) -> dict[str, Any]:
    """The video as a `VideoObject` of schema.org, its chapters as `Clip`s."""
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": entry.title,
        "description": summary(entry),
        "url": entry.page,
        "uploadDate": entry.published.isoformat(),
        "dateModified": entry.updated.isoformat(),
        "author": {"@type": "Person", "name": entry.author},
    }
    if entry.duration:
        told["duration"] = iso_duration(entry.duration)
    if entry.picture:
        told["thumbnailUrl"] = [entry.picture]
    if entry.player:
        told["embedUrl"] = entry.player
    if entry.tags:
        told["keywords"] = ", ".join(entry.tags)
    if clips := _clips(entry):
        told["hasPart"] = clips
    else:
        told["potentialAction"] = {
            "@type": "SeekToAction",
            "target": f"{entry.page}?t={{seek_to_second_number}}",
            "startOffset-input": "required name=seek_to_second_number",
        }
    return told


def _clips(entry: Entry) -> list[dict[str, Any]]:
    """The chapters that lie within the video."""
    starts = [mark for mark in entry.chapters if mark.start < entry.duration]
    if not starts:
        return []
    ends = [*(after.start for _, after in pairwise(starts)), entry.duration]
    return [
        {
            "@type": "Clip",
            "name": mark.title,
            "startOffset": round(mark.start),
            "endOffset": round(end),
            "url": f"{entry.page}?t={round(mark.start)}",
        }
        for mark, end in zip(starts, ends, strict=True)
    ]
