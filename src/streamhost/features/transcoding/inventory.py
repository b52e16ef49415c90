"""Which objects a video has in storage, by what the catalog says of it."""

from __future__ import annotations

from streamhost.db import captions as caption_rows
from streamhost.db import packages, replacements, stills, videos
from streamhost.db.core import Connection
from streamhost.features.transcoding import pipeline
from streamhost.features.transcoding.recipe import Recipe
from streamhost.media import wire
from streamhost.model.captions import Caption, caption_key
from streamhost.model.ids import VideoId
from streamhost.model.objects import Named
from streamhost.model.stills import STORYBOARD, Stills, sheet_name
from streamhost.model.streaming import CAPTIONS_FILE, INIT_SEGMENT, segment_name
from streamhost.model.videos import folder_of, package_prefix, package_stills


async def named(conn: Connection, video_id: VideoId) -> Named:
    """What must be stored of a video, and what may be; nothing of one that is gone."""
    video = await videos.get(conn, video_id)
    if video is None:
        return Named()
    files: dict[str, int | None] = {}
    prefixes: list[str] = []
    if video.source_key:
        files[video.source_key] = video.source_size or None
    awaited = await replacements.get(conn, video_id)
    if awaited is not None:
        prefixes.append(folder_of(awaited.source_key))
        if awaited.error is None:
            files[awaited.source_key] = awaited.source_size or None
    captions = await caption_rows.of_video(conn, video_id)
    for caption in captions:
        files[caption_key(caption)] = None
    for package in await packages.of_video(conn, video_id):
        prefixes += [package_prefix(video_id, package.id), package_stills(video_id, package.id)]
        shown = [caption for caption in captions if caption.package_id == package.id]
        files |= await _of_package(conn, package, shown, plays=package.id == video.package_id)
    choice = await stills.chosen(conn, video_id)
    if choice is not None:
        prefixes.append(package_prefix(video_id, choice.set_id))
    if video.poster_key:
        files[video.poster_key] = None
    return Named(files, tuple(prefixes))


async def _of_package(
    conn: Connection, package: packages.PackageRow, captions: list[Caption], *, plays: bool
) -> dict[str, int | None]:
    prefix = package_prefix(package.video_id, package.id)
    parts = [(part.name, part.facts) for part in await packages.parts(conn, package.id)]
    files: dict[str, int | None] = {}
    for facts in filter(None, (text for _, text in parts)):
        for rendition in wire.loads(facts, pipeline.PartFacts).renditions:
            files[f"{prefix}{rendition.name}/{INIT_SEGMENT}"] = None
            for segment in rendition.segments:
                files[f"{prefix}{rendition.name}/{segment_name(segment.start)}"] = segment.size
    found = await stills.of_package(conn, package.id)
    pictures = wire.loads(found, Stills) if found else Stills()
    for still in (*pictures.posters, *pictures.screening):
        files[package_stills(package.video_id, package.id) + still.file] = None
    if pictures.storyboard is not None:
        for number, size in enumerate(pictures.storyboard.sizes, 1):
            files[f"{prefix}{STORYBOARD}/{sheet_name(number)}"] = size
    if plays:
        shown, _ = pipeline.playing(Recipe.from_json(package.recipe), parts)
        texts = pipeline.manifests(shown, [caption.track for caption in captions], pictures.storyboard)
        files |= dict.fromkeys((prefix + name for name in (*texts.playlists, *texts.entries)), None)
        files |= dict.fromkeys((f"{prefix}{caption.folder}/{CAPTIONS_FILE}" for caption in captions), None)
    return files
