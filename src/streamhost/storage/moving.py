"""Brings one object from a storage to another one, so that it can be found in one of them at every moment."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from pathlib import Path

from streamhost.model.ids import new_id
from streamhost.ports import NotStored, Storage, StorageUnavailable
from streamhost.storage.abilities import PutsNew

BLOCK = 1024**2
NOTES = ".begun"
"""How the names of notes end, which are to outlive a run that was killed."""
_SOURCE = re.compile(r"videos/[^/]+/source[^/]*/.+")
"""What people brought: under such a name nothing else is ever written, so another content there is a bad copy."""


async def move(old: Storage, new: Storage, key: str, room: Path) -> int | None:
    """Copy an object, read the copy back, compare the SHA-256 of both, then remove the original; its size.

    None if it went away meanwhile. An object that is there already is newer, and stays; unless `room` has a note that a
    run before this one began to copy it and was killed before it had compared: then it is compared now, and copied anew
    if it is not the same. So is a source, which never changes. `room` is a folder for notes and for a local copy.
    Killed anywhere it can be done again, but not by two at once: each would take what the other has moved for deleted.
    Raises `StorageUnavailable`, also where the copy is not the same."""
    note = _Note(room, key)
    try:
        size = await _moved(old, new, key, room, note)
    except (FileNotFoundError, NotStored):
        # It was deleted before it, or its copy, was read.
        size = None
    except OSError as error:
        raise StorageUnavailable(f"{error.strerror or error}.") from error
    note.remove()
    return size


async def _moved(old: Storage, new: Storage, key: str, room: Path, note: _Note) -> int | None:
    begun = note.read()
    path = await old.fetch(key, room)
    try:
        digest, size = await asyncio.to_thread(_digest, path)
        if begun is None:
            note.write("")
        put = await _put_new(new, key, path, room)
    finally:
        if path.parent == room:
            await asyncio.to_thread(path.unlink, missing_ok=True)
    if put:
        begun = (await new.stat(key)).etag
        note.write(begun)
    compared = begun is not None or _SOURCE.fullmatch(key)
    if compared and await _digest_of(new, key) != digest and not await _newer(new, key, begun):
        if begun:
            await new.delete(key)
            note.remove()
        raise StorageUnavailable(f"The copy of {key} is not the same.", hint="Look at the disks of both places.")
    try:
        await old.stat(key)
    except NotStored:
        # Whoever deletes does so here first and there second: this copy may have come after both.
        if put:
            await new.delete(key)
        return None
    await old.delete(key)
    return size


class _Note:
    """Says, in a file that a kill leaves behind, that an object is being copied: nothing yet, or the tag of the copy
    that has not been compared."""

    def __init__(self, room: Path, key: str) -> None:
        self._path = room / f"{hashlib.sha256(key.encode()).hexdigest()}{NOTES}"

    def read(self) -> str | None:
        """What a run before this one has left; None if it had not begun, or had compared."""
        return self._path.read_text("utf-8") if self._path.exists() else None

    def write(self, tag: str) -> None:
        """Write it down, at once or not at all."""
        new = self._path.with_suffix(".part")
        new.write_text(tag, "utf-8")
        new.replace(self._path)

    def remove(self) -> None:
        """It was compared, or there is nothing to compare."""
        self._path.unlink(missing_ok=True)


async def _newer(new: Storage, key: str, tag: str | None) -> bool:
    """Whether somebody has written an object anew since it was copied: theirs stays, and the original goes."""
    return bool(tag) and (await new.stat(key)).etag != tag


async def _put_new(new: Storage, key: str, path: Path, room: Path) -> bool:
    if isinstance(new, PutsNew):
        return await new.put_new(key, path)
    try:
        await new.stat(key)
    except NotStored:
        copy = room / new_id()
        await asyncio.to_thread(shutil.copyfile, path, copy)
        try:
            await new.put_file(key, copy)
        finally:
            await asyncio.to_thread(copy.unlink, missing_ok=True)
        return True
    return False


def _digest(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return digest, os.fstat(file.fileno()).st_size


async def _digest_of(storage: Storage, key: str) -> bytes:
    digest = hashlib.sha256()
    async for piece in storage.read(key):
        if len(piece) < BLOCK:
            digest.update(piece)
        else:
            await asyncio.to_thread(digest.update, piece)
    return digest.digest()
