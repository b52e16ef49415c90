"""Writes what players read of a package: the manifests of every rendition that stands, and the captions beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamhost.db import captions as caption_rows
from streamhost.db import packages, stills
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding import pipeline
from streamhost.jobs.queue import Queue
from streamhost.media import wire
from streamhost.model.captions import Caption, caption_key
from streamhost.model.ids import CaptionId, PackageId, VideoId
from streamhost.model.stills import Stills
from streamhost.model.streaming import CAPTIONS_FILE, Rendition
from streamhost.model.tasks import RewriteManifests
from streamhost.model.videos import package_prefix
from streamhost.ports import NotStored, Storage


@dataclass(frozen=True, slots=True)
class Published:
    """What the manifests speak of now."""

    renditions: tuple[Rendition, ...]
    poster: bool
    captions: tuple[CaptionId, ...]


def manifests_lock(video_id: VideoId) -> str:
    """Jobs that write the manifests of a video take turns by this, so that none writes over what is newer."""
    return f"manifests:{video_id}"


async def ask_to_rewrite(conn: Connection, queue: Queue, video_id: VideoId) -> None:
    """Have the manifests of a video written anew, in the transaction that changed what they speak of."""
    lock = manifests_lock(video_id)
    await queue.add(conn, RewriteManifests(video_id), lock=lock, queueing_lock=lock, subject=lock)


async def write(db: Database, storage: Storage, room: Path, video_id: VideoId, package_id: PackageId) -> Published:
    """Write everything; `room` is an empty folder for it. Safe to repeat: what changes is replaced at one moment."""
    async with db.read() as conn:
        parts = await packages.parts(conn, package_id)
        captions = await caption_rows.of_video(conn, video_id)
        found = await stills.of_package(conn, package_id)
    standing, poster = pipeline.standing((p.name, p.facts if p.done_at is not None else None) for p in parts)
    prefix = package_prefix(video_id, package_id)
    shown = [caption for caption in captions if await _bring(storage, caption, prefix, package_id)]
    storyboard = wire.loads(found, Stills).storyboard if found else None
    texts = pipeline.manifests(standing, [caption.track for caption in shown], storyboard)
    for name, text in texts.playlists.items():
        path = room / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    await storage.put_tree(prefix, room)
    for name, text in texts.entries.items():
        await storage.put_bytes(prefix + name, text.encode())
    return Published(standing, poster, tuple(caption.id for caption in shown))


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
