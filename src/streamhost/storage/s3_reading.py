"""Reading objects of a bucket: in windows of bounded size, each a request of its own.

A slow viewer so never holds a connection to the bucket's server, a request that fails is tried again for its window
alone, and a time-out can be short. Every window after the first asks for the version that the first one had.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore import exceptions
from obstore.store import S3Store

from streamhost.ports import StoredObject

if TYPE_CHECKING:
    from obstore import GetOptions

PIECE = 256 * 1024
"""Bytes handed on at a time."""
FIRST_WINDOW = 1024**2
"""The first window is small, so that the first byte is there soon; later ones double up to the size of a part."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some bytes of one version of an object, from `start` on; `size` and `etag` are the whole object's."""

    start: int
    data: memoryview
    size: int
    etag: str


async def window(store: S3Store, key: str, start: int, end: int, etag: str | None = None) -> Window:
    """The bytes from `start` up to at most `end`, of this version if one is named; none past the end.

    Raises the client's errors: not found, another version by now."""
    options: GetOptions = {"range": (start, end)}
    if etag is not None:
        options["if_match"] = etag
    try:
        answer = await obstore.get_async(store, key, options=options)
        meta, (at, _) = answer.meta, answer.range
        data = memoryview(await answer.bytes_async())
    except exceptions.BaseError as error:
        if isinstance(error, exceptions.NotFoundError | exceptions.PreconditionError) or start < 0:
            raise
        # Servers refuse a range of which there is not one byte; an empty object has no other ranges.
        meta = await obstore.head_async(store, key)
        if start < meta["size"]:
            raise
        return Window(start, memoryview(b""), meta["size"], meta["e_tag"] or "")
    return Window(at, data, meta["size"], meta["e_tag"] or "")


async def pieces(store: S3Store, key: str, start: int, end: int | None, largest: int) -> AsyncGenerator[memoryview]:
    """The bytes from `start` up to `end`; while they are taken, the next window is on its way."""
    length = FIRST_WINDOW
    stop = start + length if end is None else min(end, start + length)
    coming: asyncio.Task[Window] | None = asyncio.create_task(window(store, key, start, max(stop, start + 1)))
    try:
        while coming is not None:
            came = await coming
            last = came.size if end is None else min(end, came.size)
            at = came.start + len(came.data)
            coming = None
            if came.data and at < last:
                length = min(2 * length, largest)
                coming = asyncio.create_task(window(store, key, at, min(at + length, last), came.etag))
            data = came.data[: max(0, last - came.start)]
            for offset in range(0, len(data), PIECE):
                yield data[offset : offset + PIECE]
    finally:
        if coming is not None:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, exceptions.BaseError):
                await coming


async def fetch(store: S3Store, found: StoredObject, key: str, target: Path, part: int, at_once: int) -> None:
    """Write an object into the new file `target`, several parts at the same time. The file is gone if that fails."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        starts = iter(range(0, found.size, part))

        async def work() -> None:
            for start in starts:
                came = await window(store, key, start, min(start + part, found.size), f'"{found.etag}"')
                await asyncio.to_thread(_write, handle, came.data, start)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, max(1, -(-found.size // part)))):
                group.create_task(work())
        if os.fstat(handle).st_size != found.size:
            raise OSError(f"{os.fstat(handle).st_size} of {found.size} bytes came")
    except BaseException:
        os.unlink(target)
        raise
    finally:
        os.close(handle)


def _write(handle: int, data: memoryview, start: int) -> None:
    while data:
        written = os.pwrite(handle, data, start)
        data, start = data[written:], start + written
