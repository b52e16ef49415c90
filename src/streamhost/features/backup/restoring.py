"""Looking at a backup, and bringing it back. Everything is checked before anything that is there is touched."""

from __future__ import annotations

import asyncio
import hmac
import random
import shutil
import tarfile
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from streamhost import swapping
from streamhost.db import migrate
from streamhost.features.backup import pieces
from streamhost.features.backup.errors import BackupDamaged, NotEmpty, PassphraseNeeded
from streamhost.features.backup.making import Progress, Proof, Proves, Told
from streamhost.features.backup.manifest import (
    CATALOG,
    IN_FORCE,
    KEYRINGS,
    MEDIA,
    MEDIA_LIST,
    SECRETS,
    SETTINGS,
    SITE,
    Manifest,
    Part,
    media_part,
    parsed,
)
from streamhost.features.backup.places import Source
from streamhost.features.backup.sealing import Seal
from streamhost.instance import LOCK_FILE, DataDirectoryUnusable, InstanceLock, end_swap
from streamhost.model.clock import iso
from streamhost.model.ids import new_id

STAGE = ".restoring-"
ASIDE = "before-restore-"
"""What the name of a folder begins with that keeps what a restoration has replaced."""
HARMLESS = (LOCK_FILE, "lost+found")
"""What may lie in a data directory that counts as empty."""
LOCAL = "local"
SPARE = 64 * 1024**2
"""Bytes that a restoration leaves free."""
SQLITE = b"SQLite format 3\x00"
BESIDE = (f"{CATALOG}-wal", f"{CATALOG}-shm")
STALE = ("work", "uploads")
"""Folders whose content belongs to the catalog that is replaced."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at, and found to be whole. `media_read`: stored objects that were read through."""

    manifest: Manifest
    proof: Proof
    media_read: int = 0
    aside: Path | None = None
    """Where what was replaced lies now."""


class Backup:
    """One backup, opened: its manifest is what was written, and the passphrase is right."""

    def __init__(self, source: Source, manifest: Manifest, seal: Seal | None) -> None:
        self.manifest = manifest
        self.where = source.where
        self._source = source
        self._seal = seal

    @classmethod
    async def open(cls, source: Source, passphrase: str = "", *, sealed: bool = False) -> Backup:
        """`sealed`: one in clear is refused, for anybody who can write to its place may have made it.

        Raises `NoBackup`, `BackupDamaged`, `BackupTooNew`, `PassphraseNeeded`, `WrongPassphrase`."""
        manifest, text, code = parsed(await source.manifest())
        seal = None
        if manifest.seal is None and sealed:
            hint = "If you know that it was made without a passphrase, leave out --passphrase-file."
            raise BackupDamaged("It is not encrypted, so the passphrase does not prove who made it.", hint=hint)
        if manifest.seal is not None:
            if not passphrase:
                raise PassphraseNeeded(source.where)
            seal = await asyncio.to_thread(Seal.opening, manifest.seal, passphrase)
            if not hmac.compare_digest(seal.authenticate(text), code):
                raise BackupDamaged("Its manifest is not what was written.")
        return cls(source, manifest, seal)

    async def verify(self, proves: Proves, sample: int | None, told: Told = lambda _progress: None) -> Verdict:
        """Prove that it can be restored, without restoring it: read every part, open the catalog and every key, read
        `sample` stored objects by chance (None: all)."""
        with tempfile.TemporaryDirectory(prefix="streamhost-verify-") as folder:
            work = Path(folder)
            proof = await self._prove(work, proves)
            for part in (*self._others(), *self.manifest.unfinished):
                await self._read(part, work)
            progress = Progress()
            for part in await asyncio.to_thread(self._chosen, work, sample):
                await self._read(part, work)
                progress.objects, progress.size = progress.objects + 1, progress.size + part.size
                told(progress)
            return Verdict(self.manifest, proof, progress.objects)

    async def restore(
        self,
        data: Path,
        proves: Proves,
        settle: Callable[[Path], Awaitable[None]],
        told: Told = lambda _progress: None,
        *,
        force: bool,
        media: bool,
    ) -> Verdict:
        """Bring it back into a data directory. `settle` notes in the catalog in a folder that media is local now.

        Raises `NotEmpty`, `InstanceLocked` while a server runs there, `DataDirectoryUnusable` without room, and
        whatever is wrong with the backup; the directory is as it was then."""
        media = media and self.manifest.media is not None
        with _held(data, force=force):
            self._room(data, media=media)
            with _staged(data) as (work, stage):
                proof = await self._prove(stage, proves)
                (stage / MEDIA_LIST).unlink(missing_ok=True)
                if self.manifest.part(SITE):
                    await self._unpack(stage, work)
                number = 0
                if media:
                    number = await self._bring_media(stage, work, told)
                    if self.manifest.media and self.manifest.media.place != LOCAL:
                        await settle(stage)
                aside = await asyncio.to_thread(_swap, stage, data)
        return Verdict(self.manifest, proof, number, aside)

    async def _prove(self, folder: Path, proves: Proves) -> Proof:
        for name in (CATALOG, SECRETS, KEYRINGS, SETTINGS, MEDIA_LIST):
            part = self.manifest.part(name)
            if part is not None:
                await self._bring(part, folder / name, folder)
        if not (folder / CATALOG).exists() or not (folder / SECRETS).exists():
            raise BackupDamaged("It holds no catalog, or no secrets.")
        proof = await proves(folder)
        if proof.instance != self.manifest.instance:
            raise BackupDamaged("Its secrets are those of another instance.")
        return proof

    def _others(self) -> Iterator[Part]:
        return (part for part in self.manifest.parts if part.name in (SITE, IN_FORCE))

    async def _read(self, part: Part, work: Path) -> None:
        async with self._source.opened(part, work) as file:
            for _ in pieces.checked(part, file, self._seal):
                # Others have their turn: this may be the loop of a server.
                await asyncio.sleep(0)

    async def _bring(self, part: Part, target: Path, work: Path) -> None:
        async with self._source.opened(part, work) as file:
            await asyncio.to_thread(pieces.written, target, pieces.checked(part, file, self._seal))

    def _chosen(self, work: Path, sample: int | None) -> list[Part]:
        """Parts of the list of media by chance, in its order; each is as likely as any other (reservoir sampling)."""
        chosen: list[tuple[int, Part]] = []
        number = 0
        for number, part in enumerate(self._media(work), 1):
            if sample is None or len(chosen) < sample:
                chosen.append((number, part))
            elif (place := random.randrange(number)) < sample:  # a sample, no secret
                chosen[place] = (number, part)
        if self.manifest.media is not None and number != self.manifest.media.objects:
            raise BackupDamaged(f"{number} of {self.manifest.media.objects} stored objects are listed.")
        return [part for _, part in sorted(chosen, key=lambda pair: pair[0])]

    def _media(self, work: Path) -> Iterator[Part]:
        path = work / MEDIA_LIST
        if path.exists():
            with path.open("rb") as file:
                yield from map(media_part, file)

    async def _bring_media(self, stage: Path, work: Path, told: Told) -> int:
        listed = self.manifest.part(MEDIA_LIST)
        assert listed is not None, "it was looked for"
        await self._bring(listed, work / MEDIA_LIST, work)
        progress = Progress()
        (stage / "media").mkdir(mode=pieces.PRIVATE_FOLDER)
        for part in self._media(work):
            if not part.name.startswith(MEDIA):
                raise BackupDamaged(f"{part.name} is no stored object.")
            await self._bring(part, stage / part.name, work)
            progress.objects, progress.size = progress.objects + 1, progress.size + part.size
            told(progress)
        for part in self.manifest.unfinished:
            await self._bring(part, stage / part.name, work)
        return progress.objects

    async def _unpack(self, stage: Path, work: Path) -> None:
        part = self.manifest.part(SITE)
        assert part is not None, "it was looked for"
        await self._bring(part, work / SITE, work)
        await asyncio.to_thread(_unpacked, work / SITE, stage)

    def _room(self, data: Path, *, media: bool) -> None:
        needed = SPARE + sum(part.size for part in self.manifest.parts)
        if media and self.manifest.media is not None:
            needed += self.manifest.media.size + sum(part.size for part in self.manifest.unfinished)
        free = shutil.disk_usage(data).free
        if needed > free:
            raise DataDirectoryUnusable(f"{data}: {needed} bytes are needed, {free} are free.")


async def restore_snapshot(snapshot: Path, data: Path, proves: Proves) -> Verdict:
    """Put a copy of the catalog that was taken before a change of its schema back, with the keys that are there.

    The catalog that it replaces is kept beside it. Raises as `Backup.restore`."""
    if not (data / SECRETS).exists():
        raise DataDirectoryUnusable(f"{data}: a copy of the catalog is of use only beside its {SECRETS}.")
    made = str(iso((await asyncio.to_thread(snapshot.stat)).st_mtime))
    with _held(data, force=True), _staged(data) as (_, stage):
        await asyncio.to_thread(migrate.copy, snapshot, stage / CATALOG)
        for name in (SECRETS, KEYRINGS):
            with suppress(FileNotFoundError):
                shutil.copyfile(data / name, stage / name)
        proof = await proves(stage)
        for name in (SECRETS, KEYRINGS):
            (stage / name).unlink(missing_ok=True)
        aside = await asyncio.to_thread(_swap, stage, data, stale=())
    manifest = Manifest(snapshot.name, proof.instance, "", made, "", proof.step, ())
    return replace(Verdict(manifest, proof), aside=aside)


def is_catalog(path: Path) -> bool:
    """Whether a file is a catalog, such as a snapshot of one."""
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def _held(data: Path, *, force: bool) -> InstanceLock:
    """The data directory, made if need be, and nobody else's meanwhile."""
    end_swap(data)
    try:
        data.mkdir(mode=pieces.PRIVATE_FOLDER, parents=True, exist_ok=True)
        found = [one.name for one in data.iterdir() if one.name not in HARMLESS and not one.name.startswith(STAGE)]
    except OSError as error:
        raise DataDirectoryUnusable(f"{data}: {error.strerror}.") from error
    if found and not force:
        raise NotEmpty(f"{data} holds {', '.join(sorted(found)[:5])}{' and more' if len(found) > 5 else ''}.")
    lock = InstanceLock(data / LOCK_FILE)
    # What a restoration that was killed has left: a copy of everything, keys too.
    for left in data.glob(f"{STAGE}*"):
        shutil.rmtree(left, ignore_errors=True)
    return lock


@contextmanager
def _staged(data: Path) -> Iterator[tuple[Path, Path]]:
    """A folder to work in, and one in it for what is to come; both are gone at the end, unless what was begun can only
    be ended with them."""
    work = Path(tempfile.mkdtemp(prefix=STAGE, dir=data))
    try:
        (stage := work / "stage").mkdir()
        yield work, stage
    finally:
        if not swapping.is_begun(data):
            shutil.rmtree(work, ignore_errors=True)


def _swap(stage: Path, data: Path, stale: tuple[str, ...] = STALE) -> Path | None:
    """Put what is in `stage` into the place of what is there, which is kept: all of it, also when this is killed."""
    aside = data / f"{ASIDE}{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{new_id()}"
    coming = sorted((one.name for one in stage.iterdir()), key=lambda name: (name == CATALOG, name != "media", name))
    for name in coming:
        if (data / name).is_symlink() or (data / name).is_mount():
            hint = "Restore into a new directory on the same disk, then put things where they belong."
            raise DataDirectoryUnusable(f"{data / name} is a link or a disk of its own.", hint=hint)
    going = [name for name in dict.fromkeys((*coming, *BESIDE, *stale)) if (data / name).exists()]
    try:
        swapping.swap(data, swapping.Swap(str(stage.relative_to(data)), aside.name, coming, going))
    except OSError as error:
        later = " The next command there goes on with it." if swapping.is_begun(data) else ""
        raise DataDirectoryUnusable(f"{data}: {error.strerror}.{later}") from error
    return aside if going else None


def _unpacked(packed: Path, stage: Path) -> None:
    """The regular files of a site's own folders; whatever would lead elsewhere is left out."""
    with tarfile.open(packed) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not member.isreg() or path.is_absolute() or ".." in path.parts:
                continue
            file = tar.extractfile(member)
            assert file is not None, "a regular file"
            pieces.written(stage / path, pieces.of_file(file))
