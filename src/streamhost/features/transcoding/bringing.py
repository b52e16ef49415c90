"""Files of a package in a local folder, for the children that read a package as a whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from streamhost.ports import Storage

AT_ONCE = 8
"""Files that are fetched at the same time: most of a small one's time is waiting."""


async def folder_with(storage: Storage, prefix: str, names: Iterable[str], room: Path) -> Path:
    """A folder with these files of the package below `prefix`: its own place where that is on local disk, else `room`,
    into which they are fetched under their names."""
    wanted = list(names)
    places = [storage.local_path(prefix + name) for name in wanted[:1]]
    if places and places[0] is not None:
        return places[0].parents[wanted[0].count("/")]
    todo = iter(wanted)

    async def bring() -> None:
        for name in todo:
            target = room / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (await storage.fetch(prefix + name, target.parent)).replace(target)

    os.makedirs(room, exist_ok=True)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(wanted))):
                group.create_task(bring())
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return room
