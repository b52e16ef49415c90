"""What files beside a video say of it: our own JSON, yt-dlp's, and the XML of Kodi and Jellyfin. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree  # see _nfo: no document type, so no entities

from streamhost.features.imports.errors import SidecarInvalid
from streamhost.model import languages
from streamhost.model.clock import Timestamp
from streamhost.model.details import MAX_TAGS, TAG_LENGTH, checked_details
from streamhost.model.errors import InvalidInput
from streamhost.model.imports import shown
from streamhost.model.videos import DESCRIPTION_LENGTH, MAX_CHAPTERS, TITLE_LENGTH

MAX_BYTES = 2 * 1024**2
"""Bytes of a file of details: yt-dlp writes some hundred thousand."""
LONGEST = 1e9
"""Seconds: thirty years, as far into a film as no chapter begins."""
_DATES = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y")


@dataclass(frozen=True, slots=True)
class Details:
    """What is said of a video: fields of `Video`, checked; the language of what is spoken; when it came out.

    `password` is in the clear and goes no further than to be hashed."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    language: str | None = None
    published_at: Timestamp | None = None


NOTHING = Details()


def read(name: str, data: bytes) -> Details:
    """What a file of details says. Raises `SidecarInvalid` for one of our own that says what a video cannot have."""
    if len(data) > MAX_BYTES:
        raise SidecarInvalid(f"{shown(name)}: larger than {MAX_BYTES} bytes.")
    if name.lower().endswith(".nfo"):
        return _nfo(data)
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SidecarInvalid(f"{shown(name)}: not JSON: {error}.") from error
    if not isinstance(said, dict):
        raise SidecarInvalid(f"{shown(name)}: not a JSON object.")
    return _foreign(said) if name.lower().endswith(".info.json") or "extractor" in said else _own(name, said)


def _own(name: str, said: Mapping[str, Any]) -> Details:
    """Our own: the fields that `PATCH /api/v1/videos/{id}` takes, `language` and `published_at`; mistakes are told."""
    given = dict(said)
    problems: dict[str, str] = {}
    language = given.pop("language", None)
    if language is not None and (not isinstance(language, str) or languages.tag(language) is None):
        problems["language"] = "A tag such as `en` or `pt-BR`."
    published = given.pop("published_at", None)
    if published is not None and _moment(published) is None:
        problems["published_at"] = "A time such as 2024-05-01T12:00:00Z."
    try:
        checked = checked_details(given)
    except InvalidInput as error:
        problems |= error.fields
    if problems:
        words = " ".join(f"{one}: {text}" for one, text in problems.items())
        raise SidecarInvalid(f"{shown(name)}: {words}", fields=problems)
    password = checked.pop("password", None)
    return Details(checked, password, languages.tag(language), _moment(published))


def _foreign(said: Mapping[str, Any]) -> Details:
    """What yt-dlp writes beside its downloads; what does not fit is cut or left out."""
    tags = [*_texts(said.get("tags")), *_texts(said.get("categories"))]
    fields: dict[str, Any] = {
        "title": _cut(said.get("title") or said.get("fulltitle"), TITLE_LENGTH),
        "description": _cut(said.get("description"), DESCRIPTION_LENGTH),
        "tags": tags_of(tags),
        "chapters": _chapters(said.get("chapters")),
    }
    language = said.get("language")
    published = said.get("timestamp") or said.get("upload_date") or said.get("release_date")
    return _fitting(fields, language if isinstance(language, str) else None, published)


def _nfo(data: bytes) -> Details:
    """Kodi's and Jellyfin's `.nfo`. Some hold only a link, or are no XML at all: they say nothing."""
    plain = data.replace(b"\0", b"").lower()  # also where it is UTF-16
    if b"<!doctype" in plain or b"<!entity" in plain:
        return NOTHING
    try:
        root = ElementTree.fromstring(data)  # noqa: S314  # without a document type there is nothing to expand
    except (ElementTree.ParseError, ValueError, LookupError):
        return NOTHING

    def text(name: str) -> str:
        return (root.findtext(name) or "").strip()

    tags = [element.text for name in ("tag", "genre") for element in root.findall(name) if element.text]
    fields = {
        "title": _cut(text("title"), TITLE_LENGTH),
        "description": _cut(text("plot") or text("outline"), DESCRIPTION_LENGTH),
        "tags": tags_of(tags),
    }
    return _fitting(fields, None, text("premiered") or text("aired"))


def _fitting(fields: Mapping[str, Any], language: str | None, published: Any) -> Details:
    """Those of the fields that say something a video can have."""
    good: dict[str, Any] = {}
    for name, value in fields.items():
        if value:
            try:
                good |= checked_details({name: value})
            except InvalidInput:
                continue
    return Details(good, language=languages.tag(language), published_at=_moment(published))


def tags_of(words: Sequence[str]) -> list[str]:
    """Words as tags: tidied, cut, and no more than a video can have."""
    tags = dict.fromkeys(" ".join(shown(word).split())[:TAG_LENGTH].strip().lower() for word in words)
    tags.pop("", None)
    return list(tags)[:MAX_TAGS]


def _cut(text: Any, length: int) -> str:
    return text.strip()[:length].strip() if isinstance(text, str) else ""


def _texts(given: Any) -> list[str]:
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _chapters(given: Any) -> list[dict[str, Any]]:
    marks: dict[float, str] = {}
    for one in given if isinstance(given, list) else []:
        start = one.get("start_time") if isinstance(one, dict) else None
        if isinstance(start, int | float) and 0 <= start < LONGEST:
            marks.setdefault(round(float(start), 3), _cut(one.get("title"), TITLE_LENGTH))
    return [{"start": start, "title": title} for start, title in sorted(marks.items()) if title][:MAX_CHAPTERS]


def _moment(given: Any) -> Timestamp | None:
    """A time as seconds since 1970: of a number, of ISO 8601, or of a date alone."""
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            moment = float(given)
        elif isinstance(given, str) and given:
            moment = _date(given.strip())
        else:
            return None
        datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment


def _date(text: str) -> Timestamp:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
