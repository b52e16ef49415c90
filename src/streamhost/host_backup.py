"""Joins the room of backups to the rest of the house, and builds it for commands that must not change the catalog."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from streamhost import __version__
from streamhost.config import Settings, fields, hidden, value_of
from streamhost.db import counting, migrate
from streamhost.db import storage_places as places_rows
from streamhost.db.core import Database
from streamhost.features.backup import (
    FILE,
    Backups,
    BucketShelf,
    FolderShelf,
    FolderSource,
    Maker,
    NoBackup,
    Proof,
    ScheduledBackups,
    Shelf,
    Site,
    Source,
    TarShelf,
    Tells,
    Told,
    Wishes,
)
from streamhost.features.backup.manifest import CATALOG, KEYRINGS, SECRETS
from streamhost.features.protection import LocalKeySource
from streamhost.features.storekeeping import LOCAL, S3, Places
from streamhost.host_basis import MEDIA_FOLDER, Basis
from streamhost.instance import Instance, open_instance
from streamhost.jobs.schedule import Periodic, every
from streamhost.jobs.worker import Handler
from streamhost.keyrings import Keyrings
from streamhost.model.clock import HOUR, Clock, system_clock
from streamhost.model.tasks import BackUp, Task
from streamhost.ports import Storage

FOLDERS = ("templates",)
"""Folders of a data directory that people fill by hand."""
BUCKET = "s3://"
TAR = ".tar"


def backups_of(
    settings: Settings, instance: Instance, clock: Clock = system_clock, told: Told = lambda _progress: None
) -> Backups:
    """The room, for one instance. Nothing is opened before a backup is made; `told` hears how far it is."""
    site = Site(
        data=settings.data,
        name=settings.server.site_name,
        instance=instance.id,
        version=__version__,
        settings=settings.file,
        in_force=_in_force(settings),
        folders=FOLDERS,
    )

    async def opens(catalog: Path) -> tuple[str, Storage]:
        with tempfile.TemporaryDirectory(dir=catalog.parent) as folder:
            db = await _scratch(catalog, Path(folder))
            try:
                places = Places(settings.storage, settings.data / MEDIA_FOLDER)
                storage = await places.open(db)
                return places.name if places.used == (places.name,) else "several", storage
            finally:
                await db.close()

    return Backups(Maker(site, proves, opens, clock, told))


def scheduled_of(basis: Basis, tells: Tells) -> tuple[Mapping[type[Task], Handler], list[Periodic]]:
    """The job, and when it is due; `tells` administrators of one that was given up.

    Raises `InvalidSettings` for a place that cannot be."""
    wanted = basis.settings.backup
    shelf = shelf_of(basis.settings, wanted.to) if wanted.to else None
    wishes = Wishes(wanted.media, wanted.passphrase, wanted.keep)
    backups = backups_of(basis.settings, basis.instance, basis.clock)
    room = ScheduledBackups(basis.db, backups, shelf, wishes, tells)
    basis.queue.on_failed(BackUp, room.gave_up)
    return {BackUp: room.back_up}, [every(wanted.every_hours * HOUR, BackUp())] if wanted.to else []


def shelf_of(settings: Settings, place: str) -> Shelf:
    """Where backups are put: `s3://bucket/folder`, a file that ends in `.tar`, or a folder.

    Raises `InvalidSettings` for a bucket that cannot be spoken to."""
    if place.startswith(BUCKET):
        parts = urlsplit(place)
        return BucketShelf(_bucket(settings, parts.netloc, parts.path.strip("/")), place)
    path = Path(place).expanduser().absolute()
    return TarShelf(path) if path.suffix == TAR else FolderShelf(path)


async def source_of(settings: Settings, place: str) -> Source:
    """One backup: the place itself, or the newest one in it. Raises `NoBackup`."""
    alone = _alone(place)
    if alone is not None:
        return alone
    shelf = shelf_of(settings, place)
    names = await shelf.names()
    if not names and place.startswith(BUCKET):
        above, _, name = place.rstrip("/").rpartition("/")
        shelf = shelf_of(settings, above)
        names = [one for one in await shelf.names() if one == name]
    if not names:
        raise NoBackup(place)
    return shelf.source(names[-1])


def _alone(place: str) -> Source | None:
    """The backup in a folder, if that is one."""
    path = Path(place).expanduser().absolute()
    return FolderSource(path) if not place.startswith(BUCKET) and (path / FILE).is_file() else None


async def proves(folder: Path) -> Proof:
    """Open a copy of the catalog in `folder` with the keys there: read it through, bring it to this version, unwrap
    every key. Raises what is wrong."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        work = Path(place)
        for name in (SECRETS, KEYRINGS):
            if (folder / name).exists():
                shutil.copyfile(folder / name, work / name)
        instance = open_instance(work)
        await asyncio.to_thread(migrate.copy, folder / CATALOG, work / CATALOG)
        step = await asyncio.to_thread(migrate.whole, work / CATALOG)
        await asyncio.to_thread(migrate.migrate, work / CATALOG)
        db = await Database.open(work / CATALOG, readers=1)
        try:
            keys = await LocalKeySource(db, Keyrings(instance), system_clock).check()
            async with db.read() as conn:
                users, videos = await counting.rows_of(conn, "users"), await counting.rows_of(conn, "videos")
        finally:
            await db.close()
        return Proof(instance.id, step, users, videos, keys)


async def settle(folder: Path) -> None:
    """Note in the catalog in `folder` that media lies on this disk now, and takes precedence nowhere."""
    await asyncio.to_thread(migrate.migrate, folder / CATALOG)
    db = await Database.open(folder / CATALOG, readers=1)
    try:
        async with db.write() as conn:
            await places_rows.add(conn, LOCAL, 0.0)
    finally:
        await db.close()


async def _scratch(catalog: Path, folder: Path) -> Database:
    """A copy of a catalog, brought to this version."""
    copy = folder / CATALOG
    await asyncio.to_thread(migrate.copy, catalog, copy)
    await asyncio.to_thread(migrate.migrate, copy)
    return await Database.open(copy, readers=1)


def _bucket(settings: Settings, name: str, prefix: str) -> Storage:
    own = settings.backup
    said: dict[str, str] = {"s3_bucket": name, "s3_prefix": prefix}
    if own.s3_endpoint:
        said |= {"s3_endpoint": own.s3_endpoint, "s3_public_endpoint": ""}
    if own.s3_region:
        said["s3_region"] = own.s3_region
    if own.s3_access_key_id:
        said |= {
            "s3_access_key_id": own.s3_access_key_id,
            "s3_secret_access_key": own.s3_secret_access_key,
            "s3_session_token": "",
        }
    storage = msgspec.structs.replace(settings.storage, backend=S3, **said)
    return Places(storage, settings.data / MEDIA_FOLDER).place(S3)


def _in_force(settings: Settings) -> bytes:
    """What is set, as JSON, without secrets."""
    shown: dict[str, object] = {"data": str(settings.data)}
    for field in fields():
        shown[field.key] = hidden(field, value_of(settings, field))
    for name, table in settings.for_plugins.tables.items():
        shown[f"plugins.{name}"] = _names(table)
    return json.dumps(shown, indent=1, ensure_ascii=False).encode() + b"\n"


def _names(table: object) -> Sequence[str]:
    """Of a plugin's settings only what they are called: which are secret is known to the plugin."""
    return sorted(table) if isinstance(table, dict) else ()
