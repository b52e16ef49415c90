"""The watch: what the system tells of is searched where it happened; all is searched now and then."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from streamhost.features.imports import watching
from streamhost.features.imports.watching import Watch
from tests.support.server import until as waited

PATIENCE = 150.0


class Told:
    """Remembers what the watch made happen; the first search of each kind fails."""

    def __init__(self) -> None:
        self.searches = 0
        self.steps = 0
        self.folders: list[bytes] = []

    async def search(self) -> bool:
        """Once in vain."""
        self.searches += 1
        if self.searches == 1:
            raise OSError("The disk is away.")
        return True

    async def noticed(self, folders: Sequence[bytes]) -> None:
        """Remember."""
        self.folders += folders

    async def step(self) -> bool:
        """There is always more to do."""
        self.steps += 1
        return True


async def until(true: Callable[[], object]) -> None:
    """Wait for a condition, while the loop goes on."""
    await asyncio.to_thread(waited, true, PATIENCE)


async def test_changes_are_noticed_where_they_happen(tmp_path: Path) -> None:
    """A file in a new folder: the folder is named. What fails once is tried again."""
    told = Told()
    root = os.fsencode(os.path.realpath(tmp_path))
    watch = Watch(told, [root], tells=True, search_every=0.05, step_every=0.05)
    watch.start()
    try:
        await until(lambda: told.searches > 1 and told.steps > 1)
        (tmp_path / "new").mkdir()

        def written() -> bool:
            (tmp_path / "new/film.mp4").write_bytes(os.urandom(8))
            return root + b"/new" in told.folders

        # The watch of a new folder begins a moment after the folder: what was written before is found by a search.
        await until(written)
    finally:
        await watch.stop()


async def test_the_first_moment_is_not_missed(tmp_path: Path) -> None:
    """A file that came before the system was asked to tell, and after the first search: the folder is looked at once
    more, though the system tells of nothing."""
    told = Told()
    root = os.fsencode(os.path.realpath(tmp_path))
    watch = Watch(told, [root], tells=True, search_every=3600.0, step_every=0.05)
    watch.start()
    try:
        await until(lambda: told.folders == [root])
    finally:
        await watch.stop()


async def test_many_changes_have_everything_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a number of folders one search of everything is less work."""
    # The system may tell of them one by one, so that each alone has to be too many.
    monkeypatch.setattr(watching, "MANY", 0)
    told = Told()
    root = os.fsencode(os.path.realpath(tmp_path))
    watch = Watch(told, [root], tells=True, search_every=3600.0, step_every=0.05)
    for name in "abc":
        (tmp_path / name).mkdir()
    watch.start()
    try:
        await until(lambda: told.searches > 1)  # the look at the beginning
        looked = told.searches

        def written() -> bool:
            for name in "abc":
                (tmp_path / name / "film.mp4").write_bytes(os.urandom(8))
            return told.searches > looked

        await until(written)
        assert told.folders == []
    finally:
        await watch.stop()


async def test_without_folders_and_without_the_system(tmp_path: Path) -> None:
    """A folder that is not there, and a system that tells nothing: searches go on all the same."""
    for tells in (True, False):
        told = Told()
        watch = Watch(told, [os.fsencode(tmp_path / "away")], tells=tells, search_every=0.05, step_every=0.05)
        watch.start()
        try:
            await until(lambda told=told: told.searches > 2)  # type: ignore[misc]
        finally:
            await watch.stop()
