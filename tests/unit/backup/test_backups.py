"""Backups of a small instance: whatever place they are in, they come back whole or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tarfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamhost import swapping
from streamhost.config import Settings, load
from streamhost.db import packages, videos
from streamhost.features.backup import (
    Backup,
    Backups,
    BucketShelf,
    FolderShelf,
    Manifest,
    ScheduledBackups,
    Shelf,
    TarShelf,
    Wishes,
    restore_snapshot,
)
from streamhost.features.backup.errors import (
    BackupDamaged,
    BackupImpossible,
    BackupPlaceUnusable,
    BackupTooNew,
    BackupUnstable,
    NoBackup,
    NotEmpty,
    PassphraseNeeded,
    WrongPassphrase,
)
from streamhost.host import assemble
from streamhost.host_backup import backups_of, proves, settle
from streamhost.instance import InstanceLocked, SecretsUnreadable, open_instance
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import JobCancelled
from streamhost.keyrings import Keyrings, Ring
from streamhost.model.accounts import Role
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import JobId, PackageId, VideoId
from streamhost.model.tasks import BackUp, Job, JobState, Lane
from streamhost.model.videos import Protection, Video
from streamhost.storage.memory import MemoryStorage
from tests.support.catalogs import instance_at
from tests.unit.backup.test_swapping import Killed, KillsAfter

MEDIA = {f"videos/v{n}/p/v240/{k}.m4s": bytes([n, k]) * 40_000 for n in range(2) for k in range(2)}
PASSPHRASE = "three little words"


@pytest.fixture(autouse=True)
def quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """What guessing costs is not what these tests are about."""
    monkeypatch.setattr("streamhost.features.backup.sealing.COST", 16)


@dataclass
class Little:
    """An instance with an account, two protected packages and some stored objects."""

    settings: Settings
    room: Backups

    @property
    def data(self) -> Path:
        """Its directory."""
        return self.settings.data


@pytest.fixture
async def little(tmp_path: Path) -> Little:
    """Nothing of it runs: backups need no running house."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "streamhost.toml").write_text('[server]\nsite_name = "Little"\n')
    settings = load(tmp_path / "data", {}, accounts__argon2_memory_kib=8192, accounts__argon2_rounds=1)
    instance = instance_at(settings.data)
    host = await assemble(settings, instance)
    alice = await host.accounts.people.add("alice@example.org", "correct horse", "Alice", Role.CREATOR)
    async with host.db.write() as conn:
        await videos.insert(conn, Video(VideoId("film"), alice.id, "Film", 1.0, 1.0))
        for package in ("one", "two"):
            row = packages.PackageRow(PackageId(package), VideoId("film"), "first", "{}", 1.0, None, Protection.CENC)
            await packages.insert(conn, row)
    for package in ("one", "two"):
        await host.protections.local.make(PackageId(package), 2)
        # The second package's keys are wrapped by a key that is in a file of its own.
        await host.protections.local.replace_wrapping()
    for key, content in MEDIA.items():
        await host.storage.put_bytes(key, content)
    await host.close()
    (settings.data / "templates" / "mail").mkdir(parents=True)
    (settings.data / "templates" / "mail" / "käse.txt").write_text("Hallo")
    (settings.data / "uploads").mkdir(exist_ok=True)
    (settings.data / "uploads" / "begun0001").write_bytes(b"half of it")
    return Little(settings, backups_of(settings, instance))


def shelves(folder: Path) -> Sequence[Shelf]:
    """One of each kind."""
    return FolderShelf(folder / "many"), TarShelf(folder / "one.tar"), BucketShelf(MemoryStorage(), "s3://b/x")


async def newest(shelf: Shelf, passphrase: str = "") -> Backup:
    """The newest backup there, opened."""
    return await Backup.open(shelf.source((await shelf.names())[-1]), passphrase)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE], ids=["clear", "sealed"])
@pytest.mark.parametrize("kind", range(3), ids=["folder", "tar", "bucket"])
async def test_there_and_back(kind: int, passphrase: str, little: Little, tmp_path: Path) -> None:
    """Accounts, keys, settings, templates, media and unfinished uploads are all there again, private to their owner."""
    shelf = shelves(tmp_path)[kind]
    made, removed = await little.room.make(shelf, Wishes(True, passphrase))
    assert (made.site, removed, made.media and made.media.objects) == ("Little", [], len(MEDIA))
    backup = await newest(shelf, passphrase)
    seen = await backup.verify(proves, None)
    assert (seen.proof.users, seen.proof.keys, seen.media_read) == (1, 4, len(MEDIA))
    new = tmp_path / "new"
    await backup.restore(new, proves, settle, force=False, media=True)
    assert tree(new / "media") == MEDIA
    assert (new / "uploads" / "begun0001").read_bytes() == b"half of it"
    for name in ("secrets.json", "keyrings.json", "streamhost.toml", "templates/mail/käse.txt"):
        assert (new / name).read_bytes() == (little.data / name).read_bytes()
        assert (new / name).stat().st_mode & 0o077 == 0
    assert not list(new.glob(".*"))
    host = await assemble(load(new, {}), open_instance(new))
    try:
        assert [user.email for user in await host.accounts.people.all()] == ["alice@example.org"]
        assert len(await host.protections.local.of(PackageId("two"))) == 2
    finally:
        await host.close()


async def test_under_a_passphrase_nothing_can_be_read(little: Little, tmp_path: Path) -> None:
    """Neither addresses nor keys nor media stand in the files, and only the passphrase opens them."""
    shelf = FolderShelf(tmp_path / "many")
    made, _ = await little.room.make(shelf, Wishes(True, PASSPHRASE))
    everything = b"".join(tree(tmp_path / "many").values())
    secret = (little.data / "secrets.json").read_bytes().split(b'"')[5]
    for word in (b"alice@example.org", secret, next(iter(MEDIA.values()))[:64], b"SQLite"):
        assert word not in everything
    with pytest.raises(PassphraseNeeded):
        await newest(shelf)
    with pytest.raises(WrongPassphrase):
        await newest(shelf, "three little word")
    manifest = tmp_path / "many" / made.name / "manifest.json"
    manifest.write_text(manifest.read_text().replace(made.made_at, "2020-01-01T00:00:00.000Z"))
    with pytest.raises(BackupDamaged):
        await newest(shelf, PASSPHRASE)
    # Whoever can write there cannot put one in clear in its place, where the passphrase was asked for.
    clear, _ = await little.room.make(shelf, Wishes())
    assert (await Backup.open(shelf.source(clear.name), PASSPHRASE)).manifest == clear
    with pytest.raises(BackupDamaged, match="not encrypted"):
        await Backup.open(shelf.source(clear.name), PASSPHRASE, sealed=True)


async def test_a_place_that_cannot_be_used(little: Little, tmp_path: Path) -> None:
    """Where nothing can be written, or read, that is said with the place and the reason."""
    (tmp_path / "file").write_text("no folder")
    for shelf in (FolderShelf(tmp_path / "file" / "many"), TarShelf(tmp_path / "file" / "one.tar")):
        with pytest.raises(BackupPlaceUnusable, match="file"):
            await little.room.make(shelf, Wishes())
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(BackupPlaceUnusable, match="symbolic links"):
        await FolderShelf(loop).names()
    assert not list(little.data.glob(".backup-*"))


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE], ids=["clear", "sealed"])
async def test_damage_is_noticed_before_anything_is_touched(passphrase: str, little: Little, tmp_path: Path) -> None:
    """A byte changed, a byte missing or a file missing, in any part: refused, and the directory stays as it was."""
    shelf = FolderShelf(tmp_path / "many")
    made, _ = await little.room.make(shelf, Wishes(True, passphrase))
    folder = tmp_path / "many" / made.name
    new = tmp_path / "new"
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json"):
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 1
        for wrong in (bytes(changed), whole[:-1], None):
            path.unlink()
            if wrong is not None:
                path.write_bytes(wrong)
            backup = await newest(shelf, passphrase)
            with pytest.raises(BackupDamaged, match=path.name):
                await backup.verify(proves, None)
            if path.name not in ("settings-in-force.json",):
                with pytest.raises(BackupDamaged, match=path.name):
                    await backup.restore(new, proves, settle, force=False, media=True)
            assert {p.name for p in new.iterdir()} <= {"instance.lock"} if new.exists() else True
            path.unlink(missing_ok=True)
            path.write_bytes(whole)
    await (await newest(shelf, passphrase)).restore(new, proves, settle, force=False, media=True)


async def test_keys_and_catalog_of_different_sites_are_refused(little: Little, tmp_path: Path) -> None:
    """A backup whose keys do not open its catalog is not made: who restores it would find protected videos dead."""
    (little.data / "keyrings.json").unlink()
    shelf = FolderShelf(tmp_path / "many")
    with pytest.raises(StreamhostError, match="cannot be unwrapped"):
        await little.room.make(shelf, Wishes())
    (little.data / "secrets.json").write_text("{}")
    with pytest.raises(SecretsUnreadable):
        await little.room.make(shelf, Wishes())
    assert list((tmp_path / "many").iterdir()) == []


async def test_keys_replaced_meanwhile(little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When keys change between the looks at them it is tried again; when they never stand still that is said."""
    rings = Keyrings(open_instance(little.data))
    from_sqlite = shutil.copyfile
    turns = iter(range(3))

    def copy(source: Path, target: Path) -> None:
        target.unlink(missing_ok=True)
        from_sqlite(source, target)
        if next(turns, None) is not None:
            rings.replace(Ring.GRANTS, 1.0)

    monkeypatch.setattr("streamhost.features.backup.making.migrate.copy", copy)
    maker = little.room._maker
    (work := tmp_path / "work").mkdir()
    maker._catalog_and_keys(work)
    assert (work / "keyrings.json").read_bytes() == (little.data / "keyrings.json").read_bytes()
    turns = iter(range(100))
    (again := tmp_path / "again").mkdir()
    with pytest.raises(BackupUnstable):
        maker._catalog_and_keys(again)


async def test_the_next_backup_takes_the_room_of_what_is_new(little: Little, tmp_path: Path) -> None:
    """Media is a hard link: on one disk to the stored file itself, else to the backup before; what changed is not."""
    shelf = FolderShelf(tmp_path / "many")
    first, _ = await little.room.make(shelf, Wishes(True))
    key, other = sorted(MEDIA)[:2]
    stored, kept = little.data / "media" / key, tmp_path / "many" / first.name / "media" / key
    assert stored.stat().st_ino == kept.stat().st_ino
    # A copy, as on another disk: the same bytes and times, but another file.
    fresh = kept.with_name("copy")
    shutil.copy2(kept, fresh)
    fresh.replace(kept)
    changed = little.data / "media" / other
    (tmp_path / "changed").write_bytes(b"other")
    (tmp_path / "changed").replace(changed)
    second, _ = await little.room.make(shelf, Wishes(True))
    folder = tmp_path / "many" / second.name / "media"
    assert (folder / key).stat().st_ino == kept.stat().st_ino != stored.stat().st_ino
    assert (folder / other).read_bytes() == b"other"
    shutil.rmtree(tmp_path / "many" / first.name)
    await (await newest(shelf)).verify(proves, None)


@pytest.mark.parametrize("kind", [0, 2], ids=["folder", "bucket"])
async def test_only_so_many_are_kept(kind: int, little: Little, tmp_path: Path) -> None:
    """The oldest of this site go; others' backups, and other files, are left alone."""
    shelf = shelves(tmp_path)[kind]
    stranger = "streamhost-00000000-20200101T000000000Z"
    if isinstance(shelf, FolderShelf):
        (tmp_path / "many" / stranger).mkdir(parents=True)
        (tmp_path / "many" / stranger / "manifest.json").write_text("{}")
        (tmp_path / "many" / "notes.txt").write_text("mine")
    made: list[Manifest] = []
    for _ in range(4):
        manifest, removed = await little.room.make(shelf, Wishes(keep=2))
        made.append(manifest)
    assert removed == [made[1].name]
    assert [name for name in await shelf.names() if name != stranger] == [one.name for one in made[2:]]
    if isinstance(shelf, FolderShelf):
        assert {p.name for p in (tmp_path / "many").iterdir()} == {stranger, "notes.txt", made[2].name, made[3].name}


async def test_a_full_directory_is_not_overwritten(little: Little, tmp_path: Path) -> None:
    """Without --force nothing happens; with it the old state is kept beside, and a running server is never touched."""
    shelf = FolderShelf(tmp_path / "many")
    await little.room.make(shelf, Wishes(media=False))
    backup = await newest(shelf)
    before = tree(little.data)
    with pytest.raises(NotEmpty):
        await backup.restore(little.data, proves, settle, force=False, media=True)
    with open_instance(little.data).lock(), pytest.raises(InstanceLocked):
        await backup.restore(little.data, proves, settle, force=True, media=True)
    assert tree(little.data) | {"instance.lock": b""} == before | {"instance.lock": b""}
    with closing(sqlite3.connect(little.data / "catalog.sqlite3")) as conn:
        conn.execute("DELETE FROM users")
        conn.commit()
    (left := little.data / ".restoring-killed").mkdir()
    (left / "secrets.json").write_text("keys")
    verdict = await backup.restore(little.data, proves, settle, force=True, media=True)
    assert verdict.aside is not None and not left.exists()
    assert {"catalog.sqlite3", "secrets.json", "uploads"} <= {p.name for p in verdict.aside.iterdir()}
    assert tree(little.data / "media") == MEDIA, "it was not in the backup, so it stayed"
    with closing(sqlite3.connect(little.data / "catalog.sqlite3")) as conn:
        assert conn.execute("SELECT email FROM users").fetchall() == [("alice@example.org",)]


@pytest.mark.parametrize("moves", [0, 1, 5, 9])
async def test_killed_midway(moves: int, little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the journal is there, or after any move: the next command finds all of the old state or all of the new."""
    shelf = FolderShelf(tmp_path / "many")
    await little.room.make(shelf, Wishes(media=True))
    backup = await newest(shelf)
    with closing(sqlite3.connect(little.data / "catalog.sqlite3")) as conn:
        conn.execute("DELETE FROM users")
        conn.commit()
    (little.data / "streamhost.toml").write_text('[server]\nsite_name = "Later"\n')
    with monkeypatch.context() as patched:
        patched.setattr(swapping, "os", KillsAfter(moves))
        with pytest.raises(Killed):
            await backup.restore(little.data, proves, settle, force=True, media=True)
    settings = load(little.data, {}) if moves else little.settings
    assert open_instance(little.data).id == backup.manifest.instance
    with closing(sqlite3.connect(little.data / "catalog.sqlite3")) as conn:
        assert conn.execute("SELECT count(*) FROM users").fetchone() == (1 if moves else 0,)
    assert settings.server.site_name == "Little" and not list(little.data.glob(".re*"))
    await backup.restore(little.data, proves, settle, force=True, media=True)


async def test_a_snapshot_is_put_back(little: Little, tmp_path: Path) -> None:
    """A copy of the catalog from before an upgrade takes its place; keys, settings and media stay."""
    snapshot = tmp_path / "catalog-m0001_first-20260101T000000000Z.sqlite3"
    with closing(sqlite3.connect(little.data / "catalog.sqlite3")) as old, closing(sqlite3.connect(snapshot)) as new:
        old.backup(new)
        old.execute("UPDATE users SET email = 'mallory@example.org', email_key = 'mallory@example.org'")
        old.commit()
    verdict = await restore_snapshot(snapshot, little.data, proves)
    assert verdict.proof.users == 1
    assert verdict.aside is not None and (verdict.aside / "catalog.sqlite3").exists()
    with closing(sqlite3.connect(little.data / "catalog.sqlite3")) as conn:
        assert conn.execute("SELECT email FROM users").fetchall() == [("alice@example.org",)]
    assert tree(little.data / "media") == MEDIA


async def test_what_is_no_backup(little: Little, tmp_path: Path) -> None:
    """An unfinished one, one of a later version, and something else are told apart in words."""
    with pytest.raises(NoBackup):
        await Backup.open(FolderShelf(tmp_path).source("none"))
    (tmp_path / "x.tar").write_bytes(b"no tar")
    with pytest.raises(NoBackup):
        await Backup.open(TarShelf(tmp_path / "x.tar").source("x.tar"))
    folder = tmp_path / "later"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"format": 2, "version": "9.0"}')
    with pytest.raises(BackupTooNew, match=r"9\.0"):
        await Backup.open(FolderShelf(tmp_path).source("later"))
    (folder / "manifest.json").write_text('{"format": 1, "name": "x"}')
    with pytest.raises(BackupDamaged):
        await Backup.open(FolderShelf(tmp_path).source("later"))


async def test_names_that_lead_elsewhere(little: Little, tmp_path: Path) -> None:
    """A manifest, or the archive of templates, cannot make a restoration write outside of the data directory."""
    shelf = FolderShelf(tmp_path / "many")
    made, _ = await little.room.make(shelf, Wishes(True))
    folder = tmp_path / "many" / made.name
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace('"uploads/begun0001"', '"../begun0001"'))
    with pytest.raises(BackupDamaged):
        await newest(shelf)
    shutil.rmtree(little.data / "templates")
    (little.data / "templates").mkdir()
    os.symlink("/etc/passwd", little.data / "templates" / "link")
    made, _ = await little.room.make(shelf, Wishes())
    with tarfile.open(tmp_path / "many" / made.name / "site.tar") as tar:
        assert [one.issym() for one in tar] == [False, True]
    new = tmp_path / "new"
    await (await newest(shelf)).restore(new, proves, settle, force=False, media=False)
    assert not (new / "templates" / "link").exists() and not (new / "templates" / "link").is_symlink()


async def test_a_backup_that_fails_by_itself_is_told_of(little: Little) -> None:
    """Administrators hear of it with the cause; of one that somebody has called off nobody does."""
    host = await assemble(little.settings, open_instance(little.data))
    try:
        root = await host.accounts.people.add("root@example.org", "correct horse", "Root", Role.ADMIN, verified=True)
        room = ScheduledBackups(host.db, little.room, None, Wishes(), host.notifications.dead_letter)
        job = Job(JobId("job"), BackUp.kind, {}, Lane.LIGHT, JobState.FAILED, 0, 3, 3, 0.0, 0.0)
        for error, heard in ((JobCancelled(), 0), (BackupUnstable(), 1)):
            async with host.db.write() as conn:
                await room.gave_up(conn, job, error)
            assert await host.notifications.bell.unread(root.id) == heard
        with pytest.raises(BackupImpossible, match=r"backup\.to"):
            await room.back_up(BackUp(), JobContext(job, host.clock))
    finally:
        await host.close()
