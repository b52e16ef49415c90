"""What every implementation of the `Storage` port must do.

Subclass `StorageContract`, override the fixture `storage`, and run pytest (with `asyncio_mode = "auto"`).
`FullStorageContract` is for backends that can be made full.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streamhost.ports import InvalidKey, NotStored, Storage, StorageUnavailable

BAD_KEYS = (
    *("", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.hidden", "a\\b", "a b", "ä"),
    *("a\0b", "a\n", "a%2e%2e", "~", "C:", "a/b:c", "*", "x" * 300, "a/" * 600 + "a"),
)
BIG = os.urandom(700_000)
"""Larger than a chunk of any backend, and no multiple of one."""


async def content(storage: Storage, key: str, start: int = 0, end: int | None = None) -> bytes:
    """All of a read in one piece."""
    return b"".join([chunk async for chunk in storage.read(key, start, end)])


async def keys(storage: Storage, prefix: str = "") -> list[str]:
    """The keys of a listing, in its order."""
    return [stored.key async for stored in storage.list(prefix)]


def tree(directory: Path, files: dict[str, bytes]) -> Path:
    """A directory with these files."""
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return directory


class StorageContract:
    """The suite."""

    @pytest.fixture
    def storage(self) -> Storage:
        """A fresh, empty storage."""
        raise pytest.UsageError("override the fixture `storage`")

    async def test_bytes_come_back(self, storage: Storage) -> None:
        """What was put is read back, and described truly."""
        stored = await storage.put_bytes("videos/a/v/0.m4s", BIG)
        assert (stored.key, stored.size) == ("videos/a/v/0.m4s", len(BIG))
        assert stored.etag and '"' not in stored.etag
        assert stored.modified > 1_500_000_000
        assert await content(storage, "videos/a/v/0.m4s") == BIG
        assert await storage.stat("videos/a/v/0.m4s") == stored

    async def test_empty_object(self, storage: Storage) -> None:
        """An object may be empty."""
        assert (await storage.put_bytes("a", b"")).size == 0
        assert await content(storage, "a") == b""

    @pytest.mark.parametrize(
        ("start", "end"), [(0, 1), (1, None), (5, 300_000), (262_143, 262_145), (700_000, None), (10, 10), (3, 10**9)]
    )
    async def test_ranges(self, storage: Storage, start: int, end: int | None) -> None:
        """A read from `start` up to, not including, `end` gives exactly these bytes; beyond the end there are none."""
        await storage.put_bytes("a", BIG)
        assert await content(storage, "a", start, end) == BIG[start:end]

    async def test_replacing(self, storage: Storage) -> None:
        """Writing a key again replaces the object and its ETag."""
        first = await storage.put_bytes("a/b", b"first")
        second = await storage.put_bytes("a/b", b"other")
        assert await content(storage, "a/b") == b"other"
        assert second.etag != first.etag

    async def test_put_file_takes_over(self, storage: Storage, tmp_path: Path) -> None:
        """A file that was put is gone from where it was."""
        source = tmp_path / "source"
        source.write_bytes(BIG)
        assert (await storage.put_file("a/b.mp4", source)).size == len(BIG)
        assert not source.exists()
        assert await content(storage, "a/b.mp4") == BIG

    async def test_put_file_that_is_missing(self, storage: Storage, tmp_path: Path) -> None:
        """A source that is not there is an error and stores nothing."""
        with pytest.raises(StorageUnavailable):
            await storage.put_file("a", tmp_path / "nothing")
        assert await keys(storage) == []

    async def test_put_file_that_is_a_link(self, storage: Storage, tmp_path: Path) -> None:
        """A symbolic link is not followed."""
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "link").symlink_to(tmp_path / "secret")
        with pytest.raises(StorageUnavailable):
            await storage.put_file("a", tmp_path / "link")
        assert await keys(storage) == []

    async def test_put_tree(self, storage: Storage, tmp_path: Path) -> None:
        """Every file of a tree is stored below the prefix, and the directory is gone."""
        files = {"master.m3u8": b"m", "v720/0.m4s": BIG, "v720/4.m4s": b"4", "a-main/init.mp4": b"i"}
        source = tree(tmp_path / "out", files)
        assert await storage.put_tree("videos/x/p/", source) == 4
        assert not source.exists()
        for name, data in files.items():
            assert await content(storage, f"videos/x/p/{name}") == data

    async def test_put_tree_repeated(self, storage: Storage, tmp_path: Path) -> None:
        """A tree that was half stored before a crash can be put again; what was there is replaced or kept."""
        await storage.put_bytes("p/v/0.m4s", b"old")
        await storage.put_bytes("p/w/0.m4s", b"kept")
        assert await storage.put_tree("p/", tree(tmp_path / "out", {"v/0.m4s": b"new"})) == 1
        assert await content(storage, "p/v/0.m4s") == b"new"
        assert await content(storage, "p/w/0.m4s") == b"kept"

    async def test_put_tree_of_nothing(self, storage: Storage, tmp_path: Path) -> None:
        """An empty directory stores nothing."""
        (tmp_path / "out").mkdir()
        assert await storage.put_tree("p/", tmp_path / "out") == 0

    @pytest.mark.parametrize("sort", ["symbolic", "symbolic folder", "hard"])
    async def test_put_tree_with_links(self, storage: Storage, tmp_path: Path, sort: str) -> None:
        """A tree with links is refused before anything is stored: a link could point at somebody's secret."""
        secrets = tree(tmp_path / "secrets", {"key": b"secret"})
        source = tree(tmp_path / "out", {"0.m4s": b"0"})
        if sort == "symbolic":
            (source / "1.m4s").symlink_to(secrets / "key")
        elif sort == "symbolic folder":
            (source / "v").symlink_to(secrets)
        else:
            (source / "1.m4s").hardlink_to(secrets / "key")
        with pytest.raises(InvalidKey):
            await storage.put_tree("p/", source)
        assert await keys(storage) == []

    async def test_put_tree_with_bad_names(self, storage: Storage, tmp_path: Path) -> None:
        """A tree with a name that is no key is refused before anything is stored."""
        source = tree(tmp_path / "out", {"0.m4s": b"0", "what a name": b"1"})
        with pytest.raises(InvalidKey):
            await storage.put_tree("p/", source)
        assert await keys(storage) == []

    async def test_missing_objects(self, storage: Storage, tmp_path: Path) -> None:
        """What is not there is `NotStored`, also where a prefix of that name is; deleting it is no error."""
        await storage.put_bytes("a/b/c", b"x")
        for key in ("nothing", "a", "a/b", "a/b/c/d", "a/nothing"):
            with pytest.raises(NotStored):
                await storage.stat(key)
            with pytest.raises(NotStored):
                await content(storage, key)
            with pytest.raises(NotStored):
                await storage.fetch(key, tmp_path)
            await storage.delete(key)
        assert await keys(storage) == ["a/b/c"]

    @pytest.mark.parametrize("key", BAD_KEYS)
    async def test_bad_keys(self, storage: Storage, tmp_path: Path, key: str) -> None:
        """A key that is no plain relative path is refused everywhere, so nothing outside is ever reached."""
        source = tree(tmp_path, {"source": b"x"}) / "source"
        with pytest.raises(InvalidKey):
            await storage.put_bytes(key, b"x")
        with pytest.raises(InvalidKey):
            await storage.put_file(key, source)
        with pytest.raises(InvalidKey):
            await storage.stat(key)
        with pytest.raises(InvalidKey):
            await content(storage, key)
        with pytest.raises(InvalidKey):
            await storage.fetch(key, tmp_path)
        with pytest.raises(InvalidKey):
            storage.local_path(key)
        with pytest.raises(InvalidKey):
            await storage.delete(key)
        assert source.exists()

    @pytest.mark.parametrize("prefix", ["", "/", "a", "../", "a/../", "a//", ".a/", "a b/"])
    async def test_bad_prefixes(self, storage: Storage, tmp_path: Path, prefix: str) -> None:
        """A prefix ends in a slash and is otherwise a key; only a listing may be of everything."""
        await storage.put_bytes("a/b", b"x")
        with pytest.raises(InvalidKey):
            await storage.delete_prefix(prefix)
        with pytest.raises(InvalidKey):
            await storage.put_tree(prefix, tmp_path)
        if prefix:
            with pytest.raises(InvalidKey):
                await keys(storage, prefix)
        assert await keys(storage) == ["a/b"]

    async def test_listing(self, storage: Storage) -> None:
        """A listing is ordered by key, byte by byte, and bounded by its prefix."""
        names = ["a-b/x", "a.b", "a/b", "a/b-c", "a/b0/x", "a0", "ab/x", "b", "v/10.m4s", "v/9.m4s"]
        for name in reversed(names):
            await storage.put_bytes(name, name.encode())
        assert await keys(storage) == sorted(names)
        assert await keys(storage, "a/") == ["a/b", "a/b-c", "a/b0/x"]
        assert await keys(storage, "nothing/") == []
        assert [stored.size async for stored in storage.list("v/")] == [8, 7]

    async def test_deleting(self, storage: Storage) -> None:
        """Deleted objects are gone; a deleted prefix takes everything below it and nothing beside it."""
        for name in ("v/a/0", "v/a/1", "v/a/deep/2", "v/ab/0", "v/b"):
            await storage.put_bytes(name, b"x")
        await storage.delete("v/a/0")
        assert await keys(storage) == ["v/a/1", "v/a/deep/2", "v/ab/0", "v/b"]
        assert await storage.delete_prefix("v/a/") == 2
        assert await storage.delete_prefix("v/a/") == 0
        assert await keys(storage) == ["v/ab/0", "v/b"]
        await storage.put_bytes("v/a/0", b"again")
        assert await content(storage, "v/a/0") == b"again"

    async def test_fetch(self, storage: Storage, tmp_path: Path) -> None:
        """A fetched object is a local file with its bytes; one that lies on disk is not copied."""
        await storage.put_bytes("a/b.mp4", BIG)
        path = await storage.fetch("a/b.mp4", tmp_path)
        assert path.read_bytes() == BIG
        local = storage.local_path("a/b.mp4")
        assert path == local if local else path.is_relative_to(tmp_path)

    async def test_room(self, storage: Storage) -> None:
        """The room that is left is a number of bytes, or not known."""
        free = await storage.free_bytes()
        assert free is None or free >= 0


class FullStorageContract:
    """For backends that can be full: the fixture `full` has room for 100 kB and not for 1 MB."""

    @pytest.fixture
    def full(self) -> Storage:
        """A storage with little room."""
        raise pytest.UsageError("override the fixture `full`")

    async def test_no_room_for_bytes(self, full: Storage) -> None:
        """What does not fit is an error with a hint; nothing of it appears, and what was there stays."""
        await full.put_bytes("a", b"old")
        with pytest.raises(StorageUnavailable) as refusal:
            await full.put_bytes("a", bytes(4_000_000))
        assert "space" in (refusal.value.hint or "")
        assert await content(full, "a") == b"old"
        await full.put_bytes("b", bytes(100_000))
        assert await keys(full) == ["a", "b"]

    async def test_no_room_for_a_file(self, full: Storage, tmp_path: Path) -> None:
        """A file that does not fit stays where it was."""
        source = tmp_path / "source"
        source.write_bytes(bytes(4_000_000))
        with pytest.raises(StorageUnavailable):
            await full.put_file("a", source)
        assert source.stat().st_size == 4_000_000
        assert await keys(full) == []

    async def test_no_room_for_a_tree(self, full: Storage, tmp_path: Path) -> None:
        """A tree that does not fit can be put again when there is room: nothing of it was lost or torn."""
        source = tree(tmp_path / "out", {"0.m4s": b"small", "1.m4s": bytes(4_000_000)})
        with pytest.raises(StorageUnavailable):
            await full.put_tree("p/", source)
        for stored in [stored async for stored in full.list("p/")]:
            assert stored.size in (5, 4_000_000)
        assert (source / "1.m4s").stat().st_size == 4_000_000
