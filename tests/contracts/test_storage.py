"""The contract of the storage port, run on every implementation."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamhost.model.ids import new_id
from streamhost.plugins.hosts import OwnFolderStorage
from streamhost.ports import Storage
from streamhost.storage.local import LocalStorage
from streamhost.storage.memory import MemoryStorage
from streamhost.storage.places import PlacesStorage
from streamhost.storage.s3 import S3Storage
from streamhost.testing.storage_contract import FullStorageContract, StorageContract
from tests.support.s3 import S3Server, s3_server

SMALL = 2_000_000
"""Bytes that fit the small disk."""


def _mount(place: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", place]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _may_mount() -> bool:
    with tempfile.TemporaryDirectory() as place:
        return _mount(place) and subprocess.run(["umount", "-l", place], check=False).returncode == 0


DISKS = ("pretended", "mounted") if os.geteuid() == 0 and _may_mount() else ("pretended",)


def _pretend(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the calls of the system answer as they do for another, nearly full file system."""
    replace, copyfile, write_bytes = os.replace, shutil.copyfile, Path.write_bytes

    def replace_within(source: Path, target: Path) -> None:
        if target.is_relative_to(place) and not source.is_relative_to(place):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    def copy_what_fits(source: Path, target: Path) -> Path:
        if source.stat().st_size > SMALL:
            target.write_bytes(bytes(1000))
            raise OSError(errno.ENOSPC, "No space left on device")
        return copyfile(source, target)

    def write_what_fits(path: Path, data: bytes) -> int:
        if len(data) > SMALL and path.is_relative_to(place):
            write_bytes(path, data[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(os, "replace", replace_within)
    monkeypatch.setattr(shutil, "copyfile", copy_what_fits)
    monkeypatch.setattr(Path, "write_bytes", write_what_fits)


@pytest.fixture(params=DISKS)
def small_disk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A file system of 2 MB of its own where this user may mount one, and a pretended one everywhere."""
    place = tmp_path_factory.mktemp("disk")
    if request.param == "pretended":
        _pretend(place, monkeypatch)
        yield place
        return
    assert _mount(str(place))
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


class TestMemory(StorageContract):
    """In memory."""

    @pytest.fixture
    def storage(self) -> Storage:
        """No bound."""
        return MemoryStorage()


class TestOwnFolderStorage(StorageContract):
    """What plugins are given, with everything as their folder."""

    @pytest.fixture
    def storage(self) -> Storage:
        """In memory."""
        return OwnFolderStorage(MemoryStorage(), "")


class TestLocal(StorageContract):
    """In a directory of the same file system as what is put."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        """A directory that does not exist yet."""
        return LocalStorage(tmp_path / "data" / "media")


class TestLocalElsewhere(StorageContract):
    """In a directory on another file system than what is put: renaming is not possible."""

    @pytest.fixture
    def storage(self, small_disk: Path) -> Storage:
        """On the small disk."""
        return LocalStorage(small_disk / "media")


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[S3Server]:
    """A real S3 server."""
    with s3_server() as server:
        yield server


class TestS3(StorageContract):
    """In a folder of a bucket."""

    @pytest.fixture
    def storage(self, bucket_server: S3Server) -> Storage:
        """A folder that nobody has used."""
        return S3Storage(bucket_server.bucket(f"contract/{new_id()}"))


class TestPlacesNewInFirst(StorageContract):
    """In a bucket, with a folder on disk where things lay before."""

    @pytest.fixture
    def storage(self, bucket_server: S3Server, tmp_path: Path) -> Storage:
        """Both are empty."""
        return PlacesStorage(S3Storage(bucket_server.bucket(f"contract/{new_id()}")), [LocalStorage(tmp_path / "old")])


class TestFullMemory(FullStorageContract):
    """A bounded memory."""

    @pytest.fixture
    def full(self) -> Storage:
        """Room for 2 MB."""
        return MemoryStorage(capacity=SMALL)


class TestFullLocal(FullStorageContract):
    """A small disk."""

    @pytest.fixture
    def full(self, small_disk: Path) -> Storage:
        """Room for 2 MB."""
        return LocalStorage(small_disk / "media")
