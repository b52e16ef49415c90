"""What there is to look at of a video: frames that were kept while it was made, and every word that stands with it."""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamhost.db import captions as caption_rows
from streamhost.db import stills as still_rows
from streamhost.db.core import Connection
from streamhost.media import captions as caption_texts
from streamhost.media import wire
from streamhost.model.captions import Caption, caption_key
from streamhost.model.ids import PackageId
from streamhost.model.moderation import OF_TEXTS, Aspect, Frame, Gap, Material, Text, TextSource
from streamhost.model.stills import Still, Stills
from streamhost.model.verdicts import POSTER_AT
from streamhost.model.videos import Video, package_stills
from streamhost.ports import NotStored, Storage

CAPTION_STRETCH = 400
"""Characters of captions that are judged as one text: about half a minute of speech, so that evidence has a place."""
MOST_WORDS = 1_000_000
"""Characters of one video that are judged: the speech of a day."""
_TAG = re.compile(r"<[^<>]*>")
NO_PICTURES = "no_pictures"
"""Code of the gap where a video has pictures, but none were kept to look at."""
TOO_MANY_WORDS = "too_many_words"
"""Code of the gap where there are more words than are judged."""
CAPTIONS_GONE = "captions_gone"
"""Code of the gap where captions stand in the catalog, but not in storage."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a video consists of at one moment, as far as it can be told without reading any of it."""

    video: Video
    captions: tuple[Caption, ...]
    stills: Stills
    poster_key: str | None
    """Where a poster lies that its owner has sent."""

    @property
    def package_id(self) -> PackageId | None:
        """The packaged set whose pictures these are."""
        return self.video.package_id

    @property
    def mark(self) -> str:
        """The same as long as nothing that stands beside the video changes: a mark of its words, a dot, one of a poster
        that was sent (empty: none was)."""
        video = self.video
        told = [
            video.title,
            video.description,
            list(video.tags),
            [list(mark) for mark in video.chapters],
            sorted([caption.id, caption.label] for caption in self.captions),
        ]
        return f"{_digest(json.dumps(told))}.{_digest(self.poster_key) if self.poster_key else ''}"

    @property
    def version(self) -> str:
        """Another as soon as anything is changed: what somebody has looked at."""
        return _digest(f"{self.package_id} {self.mark}")

    @property
    def concerned(self) -> frozenset[Aspect]:
        """The aspects that there is something for: a film without pictures has none for those of pictures."""
        pictures = self.video.width is not None or bool(self.stills.screening) or self.poster_key is not None
        return frozenset(aspect for aspect in Aspect if aspect in OF_TEXTS or pictures)

    @property
    def missing(self) -> tuple[Gap, ...]:
        """Gaps because pictures were not kept: they are shown, but nobody can look at them here."""
        if self.video.width is None or self.stills.screening:
            return ()
        detail = "No frames were kept when this video was made. Have it made anew, or look at it."
        return tuple(Gap(aspect, "", NO_PICTURES, detail) for aspect in Aspect if aspect not in OF_TEXTS)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def same_words(mark: str, other: str) -> bool:
    """Whether two marks are of the same words."""
    return mark.partition(".")[0] == other.partition(".")[0]


def same_poster(mark: str, other: str) -> bool:
    """Whether two marks are of the same poster, or of none."""
    return mark.partition(".")[2] == other.partition(".")[2]


async def content_of(conn: Connection, video: Video) -> Content:
    """The content of a video as the catalog has it."""
    facts = await still_rows.of_package(conn, video.package_id) if video.package_id else None
    chosen = await still_rows.chosen(conn, video.id)
    sent = video.poster_key if chosen is not None and chosen.at is None else None
    captions = tuple(await caption_rows.of_video(conn, video.id))
    return Content(video, captions, wire.loads(facts, Stills) if facts else Stills(), sent)


async def brought(
    content: Content, storage: Storage, room: Path, most: int, *, pictures: bool
) -> tuple[Material, tuple[Gap, ...]]:
    """Bring what is to be looked at to this machine, into `room`; without `pictures` only what stands beside them.
    With it comes what of that is missing.

    `most` frames are taken at most, spread evenly. Raises `StorageUnavailable`."""
    frames: list[Frame] = []
    legible: list[Frame] = []
    files: dict[str, Path] = {}
    if content.poster_key is not None:
        path = await storage.fetch(content.poster_key, room)
        frames.append(Frame(POSTER_AT, str(path)))
    if pictures and content.package_id is not None:
        prefix = package_stills(content.video.id, content.package_id)
        for still in spread(content.stills.screening, most):
            frames.append(await _frame(storage, prefix, still, room, files))
        for still in content.stills.posters:
            legible.append(await _frame(storage, prefix, still, room, files))
    texts, gaps = await words_of(content, storage)
    return Material(tuple(frames), texts, tuple(legible)), gaps


async def _frame(storage: Storage, prefix: str, still: Still, room: Path, files: dict[str, Path]) -> Frame:
    if still.file not in files:
        files[still.file] = await storage.fetch(prefix + still.file, room)
    return Frame(float(still.at), str(files[still.file]), still.offset, still.size)


def spread(stills: Sequence[Still], most: int) -> list[Still]:
    """At most so many of the stills, evenly over the length of the video."""
    if len(stills) <= most:
        return list(stills)
    return [stills[number * len(stills) // most] for number in range(most)]


async def words_of(content: Content, storage: Storage) -> tuple[tuple[Text, ...], tuple[Gap, ...]]:
    """Every word that stands with a video: title, description, tags, chapters, captions. Those that cannot be judged
    leave a gap."""
    gaps: list[Gap] = []
    video = content.video
    texts = [Text(TextSource.TITLE, video.title)]
    if video.description.strip():
        texts.append(Text(TextSource.DESCRIPTION, video.description))
    if video.tags:
        texts.append(Text(TextSource.TAGS, ", ".join(video.tags)))
    texts += [Text(TextSource.CHAPTERS, mark.title, mark.start) for mark in video.chapters if mark.title.strip()]
    for caption in content.captions:
        texts.append(Text(TextSource.CAPTIONS, caption.label))
        try:
            data = b"".join([piece async for piece in storage.read(caption_key(caption))])
        except NotStored:
            gaps.append(_gap(CAPTIONS_GONE, f"The captions “{caption.label}” are not in storage."))
            continue
        texts += stretches(await asyncio.to_thread(caption_texts.parse, data, caption.language))
    judged = tuple(_bounded(texts))
    if sum(len(text.words) for text in texts) > MOST_WORDS:
        gaps.append(_gap(TOO_MANY_WORDS, f"Only the first {MOST_WORDS:,} characters were judged."))
    return judged, tuple(gaps)


def _gap(code: str, detail: str) -> Gap:
    """Words that nobody judged. No model is to blame, and none is excused."""
    return Gap(Aspect.TOXICITY, "", code, detail)


def stretches(cues: Iterable[caption_texts.Cue]) -> list[Text]:
    """Captions as texts of a few sentences, each at the time of its first."""
    found: list[Text] = []
    for cue in cues:
        words = html.unescape(_TAG.sub("", cue.text))
        last = found[-1] if found else None
        if last is not None and len(last.words) + len(words) < CAPTION_STRETCH:
            found[-1] = Text(last.source, f"{last.words}\n{words}", last.at)
        else:
            found.append(Text(TextSource.CAPTIONS, words, cue.start / 1000))
    return found


def _bounded(texts: Iterable[Text]) -> Iterable[Text]:
    left = MOST_WORDS
    for text in texts:
        if left <= 0:
            return
        yield text if len(text.words) <= left else Text(text.source, text.words[:left], text.at)
        left -= len(text.words)
