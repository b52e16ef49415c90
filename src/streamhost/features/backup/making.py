"""Making a backup beside a running server: the catalog as it is at one moment, the keys that belong to it, the rest
afterwards.

The catalog comes first: whatever it names was stored before it, and only what is deleted in the minutes after that can
be missing. Keys can be replaced meanwhile, so they are read before and after, until both are the same.
"""

from __future__ import annotations

import asyncio
import shutil
import tarfile
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from streamhost import log
from streamhost.db import migrate
from streamhost.features.backup import pieces
from streamhost.features.backup.errors import BackupDamaged, BackupPlaceUnusable, BackupUnstable, NoBackup
from streamhost.features.backup.manifest import (
    CATALOG,
    IN_FORCE,
    KEYRINGS,
    MEDIA,
    MEDIA_LIST,
    NAME,
    SECRETS,
    SETTINGS,
    SITE,
    UPLOADS,
    Manifest,
    MediaFacts,
    Part,
    media_part,
    parsed,
)
from streamhost.features.backup.places import Shelf, Sink
from streamhost.features.backup.sealing import Seal
from streamhost.model.clock import DAY, Clock, Timestamp, iso
from streamhost.model.ids import is_id
from streamhost.ports import NotStored, Storage

TRIES = 5
WORK = ".backup-"
"""What the name of a folder in the data directory begins with in which a backup is put together."""
PASSING = ("health/", "check/")
"""Stored objects that only serve for trying the storage."""

_logger = log.get("backup")


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found in a catalog together with its keys: everything could be read, and every key be opened."""

    instance: str
    step: str
    users: int
    videos: int
    keys: int


@dataclass(frozen=True, slots=True)
class Site:
    """What is to be backed up: a data directory, and what is known of it. `settings`: the file, wherever it lies;
    `in_force`: what was set, as JSON without secrets; `folders`: those in the data directory that are filled by
    hand."""

    data: Path
    name: str
    instance: str
    version: str
    settings: Path | None
    in_force: bytes
    folders: tuple[str, ...] = ()
    uploads: str = "uploads"


@dataclass(slots=True)
class Progress:
    """How far a backup or a restoration is: objects and bytes done."""

    objects: int = 0
    size: int = 0
    vanished: int = 0
    """Objects that were deleted while the backup was made."""


Told = Callable[[Progress], None]
Proves = Callable[[Path], Awaitable[Proof]]
"""Looks at the catalog and the keys in a folder, on a copy of its own. Raises what is wrong with them."""
Opens = Callable[[Path], Awaitable[tuple[str, Storage]]]
"""The storage that the catalog at a path knows, and the name of the one that takes what is new."""


def name_of(instance: str, now: Timestamp) -> str:
    """What a backup made now is called."""
    moment = str(iso(now)).replace("-", "").replace(":", "").replace(".", "")
    return f"streamhost-{instance[:8]}-{moment}"


@dataclass(slots=True)
class Maker:
    """Makes backups of one site."""

    site: Site
    proves: Proves
    opens: Opens
    clock: Clock
    told: Told = field(default=lambda _progress: None)

    async def make(self, shelf: Shelf, passphrase: str, *, media: bool) -> Manifest:
        """A new backup on the shelf; under a passphrase unless that is empty.

        Raises `BackupPlaceUnusable`, `BackupUnstable`, errors of the catalog and of the storage; nothing is left on the
        shelf then."""
        try:
            manifest = await self._made(shelf, passphrase, media=media)
        except OSError as error:
            raise BackupPlaceUnusable(f"{error.filename or shelf.where}: {error.strerror or error}.") from error
        facts = {"name": manifest.name, "place": shelf.where, "bytes": manifest.size}
        _logger.info("A backup was made", action="backed_up", **facts)
        return manifest

    async def _made(self, shelf: Shelf, passphrase: str, *, media: bool) -> Manifest:
        await asyncio.to_thread(self._tidy)
        await shelf.tidy(self.clock())
        name = name_of(self.site.instance, self.clock())
        seal = await asyncio.to_thread(Seal.new, passphrase) if passphrase else None
        with tempfile.TemporaryDirectory(prefix=WORK, dir=self.site.data) as folder:
            work = Path(folder)
            before = await self._before(shelf, work) if media and seal is None else None
            sink = await shelf.sink(name, before)
            try:
                manifest = await self._fill(sink, name, seal, work, media=media)
                await sink.finish(manifest.text(seal))
            except BaseException:
                await sink.abandon()
                raise
        return manifest

    async def _fill(self, sink: Sink, name: str, seal: Seal | None, work: Path, *, media: bool) -> Manifest:
        await asyncio.to_thread(self._catalog_and_keys, work)
        proof = await self.proves(work)
        await asyncio.to_thread(self._small_things, work)
        small = (CATALOG, SECRETS, KEYRINGS, SETTINGS, IN_FORCE, SITE)
        parts = [await sink.put(one, work / one, seal) for one in small if (work / one).exists()]
        facts, unfinished = None, []
        if media:
            facts = await self._media(sink, seal, work)
            parts.append(await sink.put(MEDIA_LIST, work / MEDIA_LIST, seal))
            unfinished = [await self._upload(sink, path, seal, work) for path in self._uploads()]
        return Manifest(
            name=name,
            instance=proof.instance,
            site=self.site.name,
            made_at=str(iso(self.clock())),
            version=self.site.version,
            step=proof.step,
            parts=tuple(parts),
            holds=_words(proof, {part.name for part in parts}, facts),
            leaves_out=_left_out(media=media),
            media=facts,
            seal=seal.described() if seal else None,
            unfinished=tuple(part for part in unfinished if part),
        )

    def _catalog_and_keys(self, work: Path) -> None:
        for _ in range(TRIES):
            keys = self._keys()
            migrate.copy(self.site.data / CATALOG, work / CATALOG)
            if self._keys() == keys:
                for name, content in keys.items():
                    pieces.written(work / name, [content])
                return
        raise BackupUnstable

    def _keys(self) -> dict[str, bytes]:
        found = {}
        for name in (SECRETS, KEYRINGS):
            with suppress(FileNotFoundError):
                found[name] = (self.site.data / name).read_bytes()
        return found

    def _small_things(self, work: Path) -> None:
        if self.site.settings is not None:
            pieces.written(work / SETTINGS, [self.site.settings.read_bytes()])
        pieces.written(work / IN_FORCE, [self.site.in_force])
        folders = [self.site.data / one for one in self.site.folders if (self.site.data / one).is_dir()]
        if folders:
            with tarfile.open(work / SITE, "w", format=tarfile.PAX_FORMAT) as tar:
                for folder in folders:
                    tar.add(folder, folder.relative_to(self.site.data).as_posix())

    async def _media(self, sink: Sink, seal: Seal | None, work: Path) -> MediaFacts:
        place, storage = await self.opens(work / CATALOG)
        progress, size, number = Progress(), 0, 0
        known = _Earlier(work / "before.jsonl")
        with closing(known), (work / MEDIA_LIST).open("wb") as listed:
            async for stored in storage.list():
                if stored.key.startswith(PASSING):
                    continue
                name = MEDIA + stored.key
                part = known.find(name)
                same = part is not None and (part.etag, part.size) == (stored.etag, stored.size)
                if part is None or not (same and stored.etag and await sink.again(part)):
                    try:
                        part = await self._object(sink, storage, stored.key, name, seal, work, stored.etag)
                    except NotStored:
                        progress.vanished += 1
                        continue
                listed.write(part.line())
                number, size = number + 1, size + part.size
                progress.objects, progress.size = number, size
                self.told(progress)
        return MediaFacts(number, size, place)

    async def _object(
        self, sink: Sink, storage: Storage, key: str, name: str, seal: Seal | None, work: Path, etag: str
    ) -> Part:
        path = await storage.fetch(key, work)
        try:
            return await sink.put(name, path, seal, etag)
        except FileNotFoundError as error:
            raise NotStored(key) from error
        finally:
            if path.is_relative_to(work):
                path.unlink(missing_ok=True)

    def _uploads(self) -> list[Path]:
        folder = self.site.data / self.site.uploads
        return sorted(path for path in folder.iterdir() if is_id(path.name)) if folder.is_dir() else []

    @staticmethod
    async def _upload(sink: Sink, path: Path, seal: Seal | None, work: Path) -> Part | None:
        """A copy of a file that still grows; it may also be done at this moment."""
        copy = work / path.name
        try:
            await asyncio.to_thread(shutil.copyfile, path, copy)
        except FileNotFoundError:
            return None
        try:
            return await sink.put(UPLOADS + path.name, copy, seal)
        finally:
            copy.unlink()

    async def _before(self, shelf: Shelf, work: Path) -> str | None:
        """The newest backup of this site there, if its media can be shared; its list is put into `work`."""
        mine = [one for one in await shelf.names() if (found := NAME.fullmatch(one))
                and found["instance"] == self.site.instance[:8]]  # fmt: skip
        if not mine:
            return None
        source = shelf.source(mine[-1])
        with suppress(NoBackup, BackupDamaged):
            manifest = parsed(await source.manifest())[0]
            listed = manifest.part(MEDIA_LIST)
            if listed is not None and manifest.seal is None:
                async with source.opened(listed, work) as file:
                    pieces.written(work / "before.jsonl", pieces.checked(listed, file, None))
                return mine[-1]
        return None

    def _tidy(self) -> None:
        """Remove what backups that were killed have left in the data directory."""
        for path in self.site.data.glob(f"{WORK}*"):
            if path.stat().st_mtime < time.time() - DAY:
                shutil.rmtree(path, ignore_errors=True)


class _Earlier:
    """The list of the backup before, walked along with the storage's, which has the same order."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb") if path.exists() else None
        self._lines: Iterator[bytes] = iter(self._file or ())
        self._next: Part | None = None
        self._advance()

    def find(self, name: str) -> Part | None:
        """The part of that name. Ask in the order of the names."""
        while self._next is not None and self._next.name < name:
            self._advance()
        return self._next if self._next is not None and self._next.name == name else None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _advance(self) -> None:
        line = next(self._lines, None)
        self._next = media_part(line) if line else None


def _words(proof: Proof, parts: set[str], media: MediaFacts | None) -> tuple[str, ...]:
    words = [
        f"the catalog: {proof.users} accounts, {proof.videos} videos",
        f"the keys: the secrets of the instance, and {proof.keys} keys of protected videos in the catalog",
    ]
    if SETTINGS in parts:
        words.append("the settings file")
    if SITE in parts:
        words.append("templates of the site's own")
    if media is not None:
        words.append(f"media: {media.objects} files")
    return tuple(words)


def _left_out(*, media: bool) -> tuple[str, ...]:
    words = [
        "settings and secrets that come from the environment (what they were stands in settings-in-force.json)",
        "models (streamhost models install), plugins (pip install), files that wait in import folders",
    ]
    return tuple(words if media else ["media and unfinished uploads", *words])
