"""A house without a worker: files are searched, settled and taken in step by step, by real parts."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streamhost.config import load
from streamhost.db import imports as rows
from streamhost.db import users, videos
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.model.accounts import Role, User
from streamhost.model.ids import UserId, new_id
from streamhost.model.imports import ImportFile, ImportFolder, ImportState, Wishes
from streamhost.model.videos import Video
from streamhost.testing.clips import Clip
from tests.support.clips import cached

CLIP = Clip(seconds=1.0, width=160, height=90, fps=Fraction(10), gop=10)
"""One second of film, a few kilobytes."""


@dataclass(slots=True)
class Bench:
    """A house, and the folder that it imports from."""

    host: Host
    folder: Path
    clip: Path

    def put(self, name: str, more: bytes = b"") -> Path:
        """A film in the folder; `more` at its end makes its content another one."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.clip, path)
        with path.open("ab") as file:
            file.write(more)
        return path

    def believe(self) -> None:
        """Look into no file: for tests that are about something else, and have many."""

        async def looks_good(*_: object) -> None:
            """What is no film is not the question."""

        self.host.imports._taking._run = looks_good  # type: ignore[assignment]

    async def search(self, wishes: Wishes | None = None) -> ImportFolder:
        """Search the folder, as a job of the server would."""
        return await self.host.imports.scan(self.folder, wishes or Wishes(), lambda _files: None)

    async def run(self, wishes: Wishes | None = None) -> ImportFolder:
        """Search, then settle and take in whatever is there."""
        found = await self.search(wishes)
        await self.host.imports.take_all(lambda _file: None, lambda _file: True)
        return found

    async def files(self) -> dict[str, ImportFile]:
        """What is known of files, by name."""
        async with self.host.db.read() as conn:
            return {file.name: file for file in await rows.of_state(conn, tuple(ImportState))}

    async def states(self) -> dict[str, str]:
        """The state of each file, by name."""
        return {name: file.state.value for name, file in (await self.files()).items()}

    async def videos(self) -> dict[str, Video]:
        """Every video of everybody, by title."""
        async with self.host.db.read() as conn:
            everybody = await users.everybody(conn)
            found = [video for one in everybody for video in await videos.owned(conn, one.id, None, 100)]
        return {video.title: video for video in found}

    def stored(self, video: Video) -> Path:
        """The video's file in storage."""
        assert video.source_key is not None
        path = self.host.storage.local_path(video.source_key)
        assert path is not None
        return path


@dataclass(slots=True)
class Benches:
    """Makes benches; each data directory begins as a copy of one that is ready, which is quicker than migrating."""

    blank: Path
    clip: Path

    @asynccontextmanager
    async def at(self, data: Path, **settings: Any) -> AsyncIterator[Bench]:
        """A bench on a data directory, with alice (creator) and root (admin)."""
        if not data.exists():
            shutil.copytree(self.blank, data)
        wished: dict[str, Any] = {"uploads__keep_free": 0, "imports__settle_seconds": 0.0, "imports__at_once": 1000}
        loaded = load(data, {}, **(wished | settings))
        host = await assemble(loaded, open_instance(loaded.data))
        try:
            folder = data / "import"
            folder.mkdir(exist_ok=True)
            yield Bench(host, Path(os.path.realpath(folder)), self.clip)
        finally:
            await host.close()


async def _make(data: Path) -> None:
    host = await assemble(load(data, {}), open_instance(data))
    try:
        async with host.db.write() as conn:
            for email, role in (("root@example.org", Role.ADMIN), ("alice@example.org", Role.CREATOR)):
                await users.insert(conn, User(UserId(new_id()), email, email, role, "", 1.0, 1.0, None))
    finally:
        await host.close()


@pytest.fixture(scope="session")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Benches:
    """What makes benches."""
    blank = tmp_path_factory.mktemp("blank") / "data"
    asyncio.run(_make(blank))
    return Benches(blank, cached(CLIP, ".mp4"))


@pytest.fixture
async def bench(tmp_path: Path, benches: Benches) -> AsyncIterator[Bench]:
    """A bench with the settings as they come, but that files are at rest at once."""
    async with benches.at(tmp_path / "data") as made:
        yield made
