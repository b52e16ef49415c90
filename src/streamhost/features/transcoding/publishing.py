"""Writes what players read of a package: the manifests of every rendition that stands, and the captions beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamhost.db import captions as caption_rows
from streamhost.db import packages, stills
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding import pipeline, stages
from streamhost.features.transcoding.recipe import Recipe
from streamhost.jobs.queue import Queue
from streamhost.media import wire
from streamhost.model.captions import Caption, caption_key
from streamhost.model.clock import Timestamp
from streamhost.model.ids import CaptionId, PackageId, VideoId
from streamhost.model.stills import Stills
from streamhost.model.streaming import CAPTIONS_FILE, Presentation, Rendition
from streamhost.model.tasks import RewriteManifests
from streamhost.model.videos import package_prefix
from streamhost.ports import NotStored, Storage


@dataclass(frozen=True, slots=True)
class Published:
    """What the manifests speak of now: `shown`, beside captions and storyboard."""

    shown: Presentation
    poster: bool
    captions: tuple[CaptionId, ...]

    @property
    def whole(self) -> tuple[Rendition, ...]:
        """The renditions of which nothing is missing."""
        return () if self.shown.growing else self.shown.renditions


def manifests_lock(video_id: VideoId) -> str:
    """Jobs that write the manifests of a video take turns by this, so that none writes over what is newer."""
    return f"manifests:{video_id}"


async def ask_to_rewrite(conn: Connection, queue: Queue, video_id: VideoId) -> None:
    """Have the manifests of a video written anew, in the transaction that changed what they speak of."""
    lock = manifests_lock(video_id)
    await queue.add(conn, RewriteManifests(video_id), lock=lock, queueing_lock=lock, subject=lock)


async def write(
    db: Database, storage: Storage, room: Path, video_id: VideoId, package_id: PackageId, now: Timestamp
) -> Published:
    """Write everything; `room` is an empty folder for it. Safe to repeat: what changes is replaced at one moment."""
    async with db.read() as conn:
        package = await packages.get(conn, package_id)
        known = [(part.name, part.facts) for part in await packages.parts(conn, package_id)]
        captions = await caption_rows.of_video(conn, video_id)
        found = await stills.of_package(conn, package_id)
    shown, poster = Presentation(()), False
    if package is not None:
        recipe = Recipe.from_json(package.recipe)
        growth = pipeline.growth(recipe, known, package.created_at, now)
        renditions, poster = pipeline.playing(recipe, known)
        shown = Presentation(renditions, growth=growth)
    prefix = package_prefix(video_id, package_id)
    read = [caption for caption in captions if await _bring(storage, caption, prefix, package_id)]
    storyboard = wire.loads(found, Stills).storyboard if found else None
    texts = pipeline.manifests(shown.renditions, [caption.track for caption in read], storyboard, shown.growth)
    for name, text in texts.playlists.items():
        path = room / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    await storage.put_tree(prefix, room)
    for name, text in texts.entries.items():
        await storage.put_bytes(prefix + name, text.encode())
    return Published(shown, poster, tuple(caption.id for caption in read))


async def noted(conn: Connection, package: packages.PackageRow, part: str, now: Timestamp) -> bool:
    """Note that a part which publishes is done; whether anything follows from that: once, but for what grows."""
    if not package.underway:
        return False
    return await packages.part_done(conn, package.id, part, "{}", now) or part == stages.GROWING


async def _bring(storage: Storage, caption: Caption, prefix: str, package_id: PackageId) -> bool:
    """Put the words of a caption track into the package, unless they are there; False if they are gone."""
    if caption.package_id == package_id:
        return True
    try:
        words = b"".join([piece async for piece in storage.read(caption_key(caption))])
    except NotStored:
        return False
    await storage.put_bytes(f"{prefix}{caption.folder}/{CAPTIONS_FILE}", words)
    return True
