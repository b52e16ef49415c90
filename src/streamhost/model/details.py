"""What a creator says of a video: which words are accepted, and how they are tidied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from streamhost.model.errors import InvalidInput
from streamhost.model.grants import ORIGIN_LENGTH
from streamhost.model.keeping import keep_source
from streamhost.model.videos import DESCRIPTION_LENGTH, MAX_CHAPTERS, TITLE_LENGTH, ChapterMark, Protection, Visibility

MAX_TAGS = 30
TAG_LENGTH = 50
PASSWORD_LENGTHS = (6, 200)
"""Of what opens one video for people who share it by word of mouth; guesses are limited."""
MAX_ORIGINS = 20
ANY_ORIGIN = "*"
LATEST_CHAPTER = 100 * 3600
"""Seconds; no video is as long."""
KEPT_SIGNS = "\n\t\u200c\u200d"
"""Line breaks, and the joiners that emoji and several scripts need; every other control sign is dropped."""


_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
OFFERED = tuple(Protection)
"""The protections that can be asked for."""


def checked_details(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Video` to set, checked and tidied. Raises `InvalidInput` naming every wrong field."""
    problems: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, given in changes.items():
        check = _CHECKS.get(name)
        if check is None:
            problems[name] = "There is no such field to set."
            continue
        try:
            values[name] = check(given)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise InvalidInput(fields=problems)
    return values


def _title(given: Any) -> str:
    text = _text(given, TITLE_LENGTH)
    if not text:
        raise ValueError("A title is needed.")
    return " ".join(text.split())


def _text(given: Any, limit: int = DESCRIPTION_LENGTH) -> str:
    if not isinstance(given, str):
        raise ValueError("Expected text.")
    text = "".join(sign for sign in given if sign.isprintable() or sign in KEPT_SIGNS).strip()
    if len(text) > limit:
        raise ValueError(f"At most {limit} characters.")
    return text


def _tags(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        raise ValueError("Expected a list of words.")
    tags = dict.fromkeys(" ".join(_text(tag, TAG_LENGTH).split()).lower() for tag in given)
    tags.pop("", None)
    if len(tags) > MAX_TAGS:
        raise ValueError(f"At most {MAX_TAGS} tags.")
    return tuple(tags)


def _visibility(given: Any) -> Visibility:
    try:
        return Visibility(given)
    except ValueError:
        raise ValueError(f"One of: {', '.join(Visibility)}.") from None


def _publish_at(given: Any) -> float | None:
    if given is None or given == "":
        return None
    try:
        moment = datetime.fromisoformat(given)
        at = moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        raise ValueError("Expected a time such as 2027-01-31T18:00:00Z.") from None
    if moment.tzinfo is None:
        raise ValueError("Say in which time zone: end it with Z, or with an offset such as +02:00.")
    return at


def _keep_source(given: Any) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str):
        raise ValueError("Expected text.")
    return keep_source(given)


def _yes_or_no(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("Expected true or false.")
    return given


def _protection(given: Any) -> Protection:
    if given not in OFFERED:
        raise ValueError(f"One of: {', '.join(OFFERED)}.")
    return Protection(given)


def _password(given: Any) -> str:
    if not isinstance(given, str) or not PASSWORD_LENGTHS[0] <= len(given) <= PASSWORD_LENGTHS[1]:
        raise ValueError(f"From {PASSWORD_LENGTHS[0]} to {PASSWORD_LENGTHS[1]} characters.")
    return given


def _embed_origins(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise ValueError("Expected a list of addresses.")
    origins = tuple(dict.fromkeys(one.strip().rstrip("/").lower() for one in given if one.strip()))
    if len(origins) > MAX_ORIGINS:
        raise ValueError(f"At most {MAX_ORIGINS} sites.")
    for origin in origins:
        if origin != ANY_ORIGIN and (len(origin) > ORIGIN_LENGTH or not _ORIGIN.fullmatch(origin)):
            raise ValueError(f"Not a site such as https://example.org, nor * for all: {origin[:60]}")
    return (ANY_ORIGIN,) if ANY_ORIGIN in origins else origins


def _chapters(given: Any) -> tuple[ChapterMark, ...]:
    if not isinstance(given, list | tuple):
        raise ValueError("Expected a list of chapters.")
    if len(given) > MAX_CHAPTERS:
        raise ValueError(f"At most {MAX_CHAPTERS} chapters.")
    marks = sorted(_chapter(place, one) for place, one in enumerate(given, 1))
    for before, mark in pairwise(marks):
        if before.start == mark.start:
            raise ValueError(f"Two chapters begin at {mark.start:g} seconds.")
    return tuple(marks)


def _chapter(place: int, given: Any) -> ChapterMark:
    start, title = (given.get("start"), given.get("title")) if isinstance(given, Mapping) else (None, None)
    if isinstance(start, bool) or not isinstance(start, int | float) or not 0 <= start <= LATEST_CHAPTER:
        raise ValueError(f"Chapter {place}: `start` is needed, in seconds from the beginning.")
    try:
        words = " ".join(_text(title, TITLE_LENGTH).split())
    except ValueError as error:
        raise ValueError(f"Chapter {place}: {error}") from None
    if not words:
        raise ValueError(f"Chapter {place}: a title is needed.")
    return ChapterMark(round(float(start), 3), words)


_CHECKS = {
    "title": _title,
    "description": _text,
    "tags": _tags,
    "add_tags": _tags,
    "remove_tags": _tags,
    "visibility": _visibility,
    "publish_at": _publish_at,
    "protection": _protection,
    "allow_download": _yes_or_no,
    "keep_source": _keep_source,
    "password": _password,
    "embed_origins": _embed_origins,
    "chapters": _chapters,
}
