"""What a file says in words: its subtitles become captions of the video, its chapters the video's chapters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streamhost.db import captions as rows
from streamhost.db.core import Connection
from streamhost.db.packages import PackageRow
from streamhost.features.transcoding.publishing import ask_to_rewrite
from streamhost.jobs.queue import Queue
from streamhost.media.tasks import Extracted
from streamhost.model import languages
from streamhost.model.captions import LABEL_LENGTH, Caption, Origin, caption_key, captions_prefix
from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import CaptionId, PackageId, VideoId
from streamhost.model.streaming import CAPTIONS_FOLDER, MediaInfo, SubtitleTrack, TextTrack
from streamhost.model.tasks import DeleteMedia, ExtractCaptions
from streamhost.model.videos import ChapterMark, Video
from streamhost.ports import Storage

SOON = 20
"""Priority of taking subtitles out: a quick read, which has to come before the source may be thrown away."""


def chapters_of(video: Video, info: MediaInfo) -> tuple[ChapterMark, ...]:
    """The chapters that a video has with this file: those that somebody wrote, else the file's."""
    if video.chapters_edited:
        return video.chapters
    marks = {round(float(chapter.start), 3): chapter.title for chapter in reversed(info.chapters)}
    return tuple(sorted(ChapterMark(start, title) for start, title in marks.items()))


async def ask_for_captions(conn: Connection, queue: Queue, package: PackageRow, info: MediaInfo) -> None:
    """Have the text subtitles of a file taken out of it, before heavier work; those of a file before it are gone."""
    if any(track.text for track in info.subtitles):
        task = ExtractCaptions(package.video_id, package.id)
        await queue.add(conn, task, priority=SOON, subject=f"captions:{package.video_id}")
    else:
        await replace_extracted(conn, queue, package.video_id, ())


def captions_of(
    video_id: VideoId, package_id: PackageId, info: MediaInfo, answer: Extracted, now: Timestamp
) -> list[Caption]:
    """The captions that were taken out of a file. Their ids follow from the package, so a repeated job finds its own.

    None is the default: writers of files mark the first one as that, whoever is to read it."""
    return [
        Caption(
            id=CaptionId(f"{package_id}s{found.index}"),
            video_id=video_id,
            language=track.language,
            label=track.label,
            origin=Origin.FILE,
            size=found.size,
            created_at=now,
            forced=track.forced,
            hearing_impaired=track.hearing_impaired,
        )
        for found, track in zip(answer.tracks, text_tracks(info, answer), strict=True)
    ]


def text_tracks(info: MediaInfo, answer: Extracted) -> list[TextTrack]:
    """What manifests say of the subtitles that were taken out of a file, each in a folder named after its track."""
    tracks = {track.index: track for track in info.subtitles}
    return [
        TextTrack(
            f"{CAPTIONS_FOLDER}/s{found.index}",
            tracks[found.index].language or languages.UNKNOWN,
            _label(tracks[found.index], place),
            forced=tracks[found.index].forced,
            hearing_impaired=tracks[found.index].hearing_impaired,
        )
        for place, found in enumerate(answer.tracks, 1)
    ]


def not_taken(error: StreamhostError) -> str:
    """The note on a video whose subtitles could not be taken out of the file: a pity, and nothing more."""
    return f"The subtitles could not be taken over: {error}"


def _label(track: SubtitleTrack, place: int) -> str:
    name = track.title or (languages.name(track.language) if track.language else f"Subtitles {place}")
    return name[:LABEL_LENGTH]


async def store(storage: Storage, captions: Sequence[Caption], answer: Extracted, out: Path) -> None:
    """Put the words into storage, where they stay whichever package shows them."""
    for caption, found in zip(captions, answer.tracks, strict=True):
        await storage.put_file(caption_key(caption), out / found.name)


async def replace_extracted(conn: Connection, queue: Queue, video_id: VideoId, captions: Sequence[Caption]) -> None:
    """Make these the captions out of the file, in place of those of an earlier file; uploaded ones stay."""
    fresh = {caption.id for caption in captions}
    known = set()
    for old in await rows.of_video(conn, video_id):
        known.add(old.id)
        if old.origin is Origin.FILE and old.id not in fresh:
            await rows.delete(conn, old.id)
            await queue.add(conn, DeleteMedia(f"{captions_prefix(video_id)}{old.id}/"))
    for caption in captions:
        await rows.insert(conn, caption)
    if captions or known:
        await ask_to_rewrite(conn, queue, video_id)


async def discard(conn: Connection, queue: Queue, captions: Sequence[Caption]) -> None:
    """Remove words that were stored for a package that is gone."""
    for caption in captions:
        await queue.add(conn, DeleteMedia(f"{captions_prefix(caption.video_id)}{caption.id}/"))
