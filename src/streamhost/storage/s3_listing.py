"""Lists what lies in a bucket in the order of the keys, byte by byte.

Amazon lists in that order; servers that keep objects in folders sort `a/b` before `a-b`. So the upper folders are gone
through one by one, and what lies below one of the lower ones (all of a video, say) is sorted here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore import ObjectMeta

FOLDERS = 2
"""Parts of a prefix from which on everything below it is listed at once and sorted in memory."""
PAGE = 1000


async def pages(store: S3Store, prefix: str) -> AsyncGenerator[list[ObjectMeta]]:
    """The objects below a prefix as the server lists them, without what stands for folders."""
    async for page in obstore.list(store, prefix or None, chunk_size=PAGE):
        yield [one for one in page if await _is_object(store, one)]


async def ordered(store: S3Store, prefix: str) -> AsyncGenerator[ObjectMeta]:
    """Every object below a prefix (empty, or ending in a slash)."""
    waiting: list[tuple[str, ObjectMeta | None]] = [(prefix, None)]
    while waiting:
        here, meta = waiting.pop()
        if meta is not None:
            yield meta
        elif here.count("/") >= FOLDERS:
            below = [one async for page in pages(store, here) for one in page]
            for one in sorted(below, key=_key):
                yield one
        else:
            level = await obstore.list_with_delimiter_async(store, here or None)
            found: list[tuple[str, ObjectMeta | None]] = [
                (one["path"], one) for one in level["objects"] if await _is_object(store, one)
            ]
            found += [(f"{folder}/", None) for folder in level["common_prefixes"]]
            waiting += sorted(found, key=_name, reverse=True)


async def _is_object(store: S3Store, meta: ObjectMeta) -> bool:
    """Whether this is more than an empty entry that some servers, and tools, keep for a folder."""
    if meta["size"] > 0:
        return True
    try:
        await obstore.head_async(store, meta["path"])
    except (obstore.exceptions.NotFoundError, FileNotFoundError):
        return False
    return bool(meta["path"])


def _key(meta: ObjectMeta) -> str:
    return meta["path"]


def _name(entry: tuple[str, ObjectMeta | None]) -> str:
    return entry[0]
