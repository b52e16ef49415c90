"""Empties storages into the one that takes what is new, beside a running server or without one."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from streamhost import log
from streamhost.db import storage_places as rows
from streamhost.db.core import Database
from streamhost.features.storekeeping.building import Places
from streamhost.model.clock import Clock
from streamhost.model.errors import Conflict
from streamhost.ports import Storage, StorageUnavailable
from streamhost.storage.moving import NOTES, move

AT_ONCE = 8
"""Objects on their way at the same time."""
FOLDER = "moving"
"""In the data directory: local copies on their way between two remote storages, or back to this disk."""
TRIES = 3

_logger = log.get("storekeeping")


class WrongTarget(Conflict):
    """Things are moved to the storage that takes what is new, and that is another one."""

    code = "wrong_storage_target"


class MoveRuns(Conflict):
    """Things are being moved already."""

    code = "move_runs"
    hint = "Let that one go on, or end it first: what was moved stays moved."


class MoveIncomplete(Conflict):
    """Not everything could be moved."""

    code = "move_incomplete"
    hint = "What was moved stays moved. Run the same command again to go on."


@dataclass(slots=True)
class Moved:
    """How far a move is: objects and bytes moved, and what there was to move, as far as that is known."""

    objects: int = 0
    size: int = 0
    all_objects: int = 0
    all_size: int = 0
    failed: int = 0


Told = Callable[[Moved], None]


class Mover:
    """Moves every object of other storages to the one of the settings."""

    def __init__(self, db: Database, places: Places, data: Path, clock: Clock) -> None:
        self._db = db
        self._places = places
        self._room = data / FOLDER
        self._clock = clock

    async def move(self, to: str, *, server_runs: bool, told: Told = lambda _moved: None) -> Moved:
        """Empty all other storages into `to`. Ended anywhere, it goes on when it is called again.

        Raises `WrongTarget`, `MoveRuns`, `MoveIncomplete` naming the first cause, `InvalidSettings`."""
        await self._check(to, server_runs)
        moved = Moved()
        with _alone(self._room):
            for name in self._places.used:
                if name != to:
                    await self._empty(name, to, moved, told)
            # What notes are left is of objects that somebody has deleted.
            shutil.rmtree(self._room, ignore_errors=True)
        return moved

    async def _check(self, to: str, server_runs: bool) -> None:
        if to != self._places.name:
            hint = f'Set storage.backend = "{to}" and restart the server. New media goes there then, what is stored '
            hint += "stays where it is and plays, and this command brings it over."
            raise WrongTarget(f"The settings say {self._places.name}.", hint=hint)
        async with self._db.write() as conn:
            known = sorted(await rows.all_of(conn), key=lambda place: place.since)
            if server_runs and (not known or known[-1].name != to):
                raise WrongTarget(
                    f"The server that runs was started with {known[-1].name if known else 'another one'}.",
                    hint="Restart it, so that it knows the new setting; then run this again.",
                )
            for name in self._places.used:
                await rows.add(conn, name, self._clock())
            if not server_runs:
                await rows.takes_new(conn, to, self._clock())

    async def _empty(self, name: str, to: str, moved: Moved, told: Told) -> None:
        old, new = self._places.place(name), self._places.place(to)
        async with self._db.write() as conn:
            await rows.moving(conn, name, to, self._clock())
        async for stored in old.list():
            moved.all_objects += 1
            moved.all_size += stored.size
        cause: StorageUnavailable | None = None
        for _ in range(TRIES):
            # Until nothing is left: what a server that ends just now had begun to write may come late.
            before, cause = moved.objects, await self._round(name, old, new, moved, told)
            if cause is None and moved.objects == before:
                break
        if cause is not None:
            raise MoveIncomplete(f"{moved.failed} objects stay in {name}. {cause}")
        if [one async for one in old.list()]:
            raise MoveIncomplete(f"Something is still being written to {name}.")
        async with self._db.write() as conn:
            await rows.emptied(conn, name)
        _logger.info("A storage was emptied", action="storage_moved", place=name, to=to, objects=moved.objects)

    async def _round(
        self, name: str, old: Storage, new: Storage, moved: Moved, told: Told
    ) -> StorageUnavailable | None:
        """Move all that is there now; the first thing that went wrong."""
        moved.failed = 0
        waiting: asyncio.Queue[str | None] = asyncio.Queue(4 * AT_ONCE)
        causes: list[StorageUnavailable] = []

        async def work() -> None:
            while (key := await waiting.get()) is not None:
                try:
                    size = await move(old, new, key, self._room)
                except StorageUnavailable as error:
                    moved.failed += 1
                    causes.append(error)
                    continue
                if size is not None:
                    moved.objects += 1
                    moved.size += size
                    async with self._db.write() as conn:
                        await rows.moved(conn, name, 1, size)
                told(moved)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
            async for stored in old.list():
                await waiting.put(stored.key)
            for _ in range(AT_ONCE):
                await waiting.put(None)
        return causes[0] if causes else None


@contextlib.contextmanager
def _alone(room: Path) -> Iterator[None]:
    """A folder for copies on their way, for one move at a time: of two, each would take what the other has just moved
    for something that was deleted. Empty but for the notes of a run that was killed. The lock is the kernel's and ends
    with the process. Raises `MoveRuns`."""
    handle = os.open(room.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MoveRuns from error
        room.mkdir(parents=True, exist_ok=True)
        _clear(room)
        try:
            yield
        finally:
            _clear(room)
            with contextlib.suppress(OSError):
                room.rmdir()
    finally:
        os.close(handle)


def _clear(room: Path) -> None:
    """Remove copies, and keep notes."""
    with contextlib.suppress(FileNotFoundError):
        for path in room.iterdir():
            if path.suffix != NOTES:
                path.unlink(missing_ok=True)
