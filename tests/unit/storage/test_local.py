"""What only storage in a directory has: an order of syncing, leftovers of crashes, permissions, links."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from streamhost.ports import NotStored, StorageUnavailable
from streamhost.storage.local import LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """An empty storage."""
    return LocalStorage(tmp_path / "media")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The order in which files and folders are synced and renamed."""
    seen: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def note_sync(descriptor: int) -> None:
        fsync(descriptor)
        seen.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))

    def note_rename(source: Any, target: Any) -> None:
        seen.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_rename)
    return seen


async def test_synced_before_renamed(storage: LocalStorage, tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    """The bytes are on disk before the name is, and the name before the call returns; so are the new folders."""
    (tmp_path / "source").write_bytes(b"x")
    await storage.put_file("videos/a/0.m4s", tmp_path / "source")
    assert calls[:2] == [("sync", "source"), ("rename", "0.m4s")]
    assert set(calls[2:]) == {("sync", "a"), ("sync", "videos"), ("sync", "media"), ("sync", tmp_path.name)}


async def test_tree_synced_before_renamed(storage: LocalStorage, tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    """Of a tree every file is synced before the first is renamed, and each folder once at the end."""
    for number in range(20):
        (tmp_path / "out" / "v").mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / "v" / f"{number}.m4s").write_bytes(b"x")
    await storage.put_tree("p/", tmp_path / "out")
    kinds = [kind for kind, _ in calls]
    assert kinds[:40] == ["sync"] * 20 + ["rename"] * 20
    assert sorted(name for _, name in calls[40:]) == sorted({"v", "p", "media", tmp_path.name})


async def test_many_small_files_are_quick(storage: LocalStorage, tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    """1,800 segments, the renditions of half an hour, are taken over with one wait for the disk each, and one for each
    folder: seconds even on a busy machine."""
    for rendition in range(6):
        folder = tmp_path / "out" / f"v{rendition}"
        folder.mkdir(parents=True)
        for number in range(300):
            (folder / f"{number}.m4s").write_bytes(b"x" * 2000)
    assert await storage.put_tree("videos/a/p/", tmp_path / "out") == 1800
    assert sum(kind == "sync" for kind, _ in calls) <= 1800 + 6 + 5


async def test_failing_disk(storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When syncing fails nothing appears under the key, and the source is still there."""

    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "source").write_bytes(b"x")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageUnavailable, match="Input/output error"):
        await storage.put_file("a", tmp_path / "source")
    with pytest.raises(StorageUnavailable):
        await storage.put_bytes("b", b"x")
    monkeypatch.undo()
    assert (tmp_path / "source").exists()
    assert [stored.key async for stored in storage.list()] == []
    assert list((storage.root / ".incoming").iterdir()) == []


@pytest.mark.parametrize("call", ["replace", "mkdir"])
async def test_no_permission(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Missing permissions are an error that names them and points at permissions."""
    await storage.put_bytes("there/a", b"x")

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(StorageUnavailable, match="Permission denied") as refusal:
        await storage.put_bytes("other/a", b"x")
    assert "permissions" in (refusal.value.hint or "")


async def test_leftovers_of_crashes(storage: LocalStorage) -> None:
    """What a crash left half-written is invisible, and goes when somebody writes again; what others are writing stays,
    for a day if the file system knows no locks."""
    incoming = storage.root / ".incoming"
    incoming.mkdir(parents=True)
    with contextlib.ExitStack() as writers:
        for name, age, locked in (
            ("old", 2 * 86400, True),
            ("left", 60, False),
            ("held", 60, True),
            ("new", 0, False),
        ):
            file = writers.enter_context((incoming / name).open("wb"))
            if locked:
                fcntl.flock(file, fcntl.LOCK_EX)
            os.utime(file.fileno(), (time.time() - age, time.time() - age))
        assert [stored.key async for stored in storage.list()] == []
        await storage.put_bytes("a", b"x")
        assert sorted(path.name for path in incoming.iterdir()) == ["held"]


async def test_taken_for_left_over(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody removes a file before its writer has locked it, another one is written: one that is locked."""
    lock, replace, removed = fcntl.flock, os.replace, list[Path]()

    def late(file: BinaryIO, operation: int) -> None:
        if not removed:
            [fresh] = (storage.root / ".incoming").iterdir()
            fresh.unlink()
            removed.append(fresh)
        lock(file, operation)

    def looked_at(source: Path, target: Path) -> None:
        with source.open("rb") as other, pytest.raises(BlockingIOError):
            lock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        replace(source, target)

    monkeypatch.setattr(fcntl, "flock", late)
    monkeypatch.setattr(os, "replace", looked_at)
    await storage.put_bytes("a", b"x")
    assert removed
    assert b"".join([piece async for piece in storage.read("a")]) == b"x"
    assert list((storage.root / ".incoming").iterdir()) == []


async def test_cancelled_while_storing(storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is cancelled goes on only when nothing more is written: a clean-up that follows finds everything."""
    out = tmp_path / "out"
    out.mkdir()
    for number in range(50):
        (out / f"{number}.m4s").write_bytes(b"x")
    renamed, replace = threading.Event(), os.replace

    def slowly(source: Any, target: Any) -> None:
        renamed.set()
        time.sleep(0.002)
        replace(source, target)

    monkeypatch.setattr(os, "replace", slowly)
    task = asyncio.create_task(storage.put_tree("p/", out))
    await asyncio.to_thread(renamed.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await storage.delete_prefix("p/") == 50
    await asyncio.sleep(0.05)
    assert [stored.key async for stored in storage.list()] == []


async def test_folders_come_and_go(storage: LocalStorage) -> None:
    """Objects that are stored while the last ones beside them are deleted are neither lost nor refused."""

    async def store(number: int) -> None:
        for turn in range(30):
            await storage.put_bytes(f"v/p/{number}-{turn}", b"x")
            await storage.delete(f"v/p/{number}-{turn}")

    await asyncio.gather(*(store(number) for number in range(6)))
    assert not (storage.root / "v").exists()
    assert storage.root.exists()


@pytest.mark.parametrize("meddling", ["removes", "stores"])
async def test_removing_what_others_change(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, meddling: str
) -> None:
    """Somebody else removes a folder of a prefix, or stores something there, in the middle: all of it goes."""
    for number in range(6):
        await storage.put_bytes(f"v/{number}/a", b"x")
    left, unlink = [0, 1, 2, 3, 4, 5], os.unlink

    def meddles(path: Any, **more: Any) -> None:
        unlink(path, **more)
        while left:
            folder = storage.root / "v" / str(left.pop())
            if meddling == "stores" and folder.exists():
                (folder / "late").write_bytes(b"x")
            elif folder.exists() and any(folder.iterdir()):
                unlink(folder / "a")
                folder.rmdir()

    monkeypatch.setattr(os, "unlink", meddles)
    assert await storage.delete_prefix("v/") == 6
    assert left == []
    assert not (storage.root / "v").exists()


async def test_links_inside_are_not_listed_as_folders(storage: LocalStorage, tmp_path: Path) -> None:
    """A link that somebody put into the directory is not followed when listing or deleting."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_bytes(b"x")
    await storage.put_bytes("v/a", b"x")
    (storage.root / "v" / "link").symlink_to(tmp_path / "elsewhere")
    assert [stored.key async for stored in storage.list()] == ["v/a"]
    await storage.delete_prefix("v/")
    assert (tmp_path / "elsewhere" / "precious").exists()


async def test_read_survives_deletion(storage: LocalStorage) -> None:
    """A reader that has begun gets the whole object, also when it is deleted meanwhile."""
    data = os.urandom(2_000_000)
    await storage.put_bytes("a", data)
    reading = storage.read("a")
    first = await anext(reading)
    await storage.delete("a")
    assert first + b"".join([chunk async for chunk in reading]) == data
    with pytest.raises(NotStored):
        await storage.stat("a")


async def test_directory_that_vanished(storage: LocalStorage) -> None:
    """When the whole directory is gone, what was there is not stored any more, and new objects can be."""
    await storage.put_bytes("a/b", b"x")
    shutil.rmtree(storage.root)
    with pytest.raises(NotStored):
        await storage.stat("a/b")
    await storage.put_bytes("a/b", b"x")
