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
_SOURCE = re.compile(r"videos/[^/]+/source[^/]*/.+")
"""What people brought: under such a name nothing else is ever written, so another content there is a bad copy."""


async def move(old: Storage, new: Storage, key: str, room: Path) -> int | None:
    """Copy an object, read the copy back, compare the SHA-256 of both, then remove the original; its size.

    None if it went away meanwhile. An object that is there already is newer, and stays; a source, which never changes,
    is the copy of a run that was killed before it compared, and is compared now. `room` is a folder for a local copy.
    Killed anywhere it can be done again, but not by two at once: each would take what the other has moved for deleted.
    Raises `StorageUnavailable`, also where the copy is not the same."""
    try:
        path = await old.fetch(key, room)
    except NotStored:
        return None
    try:
        digest, size = await asyncio.to_thread(_digest, path)
        put = await _put_new(new, key, path, room)
        mark = (await new.stat(key)).etag if put else ""
        if (put or _SOURCE.fullmatch(key)) and await _digest_of(new, key) != digest:
            if put and (await new.stat(key)).etag != mark:
                # Somebody wrote it anew while the copy was read: theirs is the newer one, the original goes.
                await old.delete(key)
                return size
            if put:
                await new.delete(key)
            raise StorageUnavailable(f"The copy of {key} is not the same.", hint="Look at the disks of both places.")
    except (FileNotFoundError, NotStored):
        # It was deleted before it, or its copy, was read.
        return None
    except OSError as error:
        raise StorageUnavailable(f"{error.strerror or error}.") from error
    finally:
        if path.parent == room:
            await asyncio.to_thread(path.unlink, missing_ok=True)
    try:
        await old.stat(key)
    except NotStored:
        # Whoever deletes does so here first and there second: this copy may have come after both.
        if put:
            await new.delete(key)
        return None
    await old.delete(key)
    return size


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
