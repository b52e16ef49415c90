"""Taking a file in, ended at every step that leaves a trace: begun again, it is one video, and nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import jobs
from streamhost.db.core import Connection, Database
from streamhost.features.imports import contents
from streamhost.model.tasks import JobState
from streamhost.storage.local import LocalStorage
from tests.unit.imports.conftest import Benches, benches

__all__ = ["benches"]

SRT = "1\n00:00:00,100 --> 00:00:00,900\nHello\n"
MOST = 40
"""More steps than there are."""


class Killed(BaseException):
    """The process is no more."""


class Steps:
    """Ends everything at the step of some number, before it or just after it."""

    def __init__(self, last: int) -> None:
        self.left = last
        self.dead = False

    def step(self) -> None:
        """One more step is about to be done, or has been done."""
        if self.dead or self.left == 0:
            self.dead = True
            raise Killed
        self.left -= 1


def dangerous(patch: pytest.MonkeyPatch, steps: Steps) -> None:
    """Let every transaction, every file put into storage and every file removed be a step, before and after."""
    write, put, removed = Database.write, LocalStorage.put_file, contents.removed

    @asynccontextmanager
    async def dying_write(self: Database) -> AsyncIterator[Connection]:
        steps.step()
        async with write(self) as conn:
            yield conn
        steps.step()

    async def dying_put(self: LocalStorage, key: str, source: Path) -> Any:
        steps.step()
        stored = await put(self, key, source)
        steps.step()
        return stored

    def dying_removed(path: bytes, mark: Any) -> bool:
        steps.step()
        gone = removed(path, mark)
        steps.step()
        return gone

    patch.setattr(Database, "write", dying_write)
    patch.setattr(LocalStorage, "put_file", dying_put)
    patch.setattr(contents, "removed", dying_removed)


@pytest.mark.parametrize("policy", ["move", "keep", "link"])
async def test_ended_at_every_step(tmp_path: Path, benches: Benches, policy: str) -> None:
    """Whatever the last step was, the next start finds one film, whole, with its captions, once."""
    reached = 0
    for number in range(MOST):
        data = tmp_path / str(number)
        steps = Steps(number)
        async with benches.at(data, imports__policy=policy) as bench:
            path = bench.put("film.mp4")
            (bench.folder / "film.en.srt").write_text(SRT)
            content = path.read_bytes()
            await bench.search()
            bench.believe()
            with pytest.MonkeyPatch.context() as patch:
                dangerous(patch, steps)
                try:
                    await bench.host.imports.take_all(lambda _file: None, lambda _file: True)
                except Killed:
                    reached += 1
        async with benches.at(data, imports__policy=policy) as bench:
            bench.believe()
            await bench.run()
            for file in (await bench.files()).values():
                await bench.host.imports.take(file.id)
            (video,) = (await bench.videos()).values()
            assert bench.stored(video).read_bytes() == content, f"ended at step {number}"
            assert list(await bench.states()) == ["film.mp4"]
            assert path.exists() is (policy != "move")
            async with bench.host.db.read() as conn:
                found = await jobs.listed(conn, (JobState.QUEUED,), kind="probe_source")
                tracks = await bench.host.captions.of(video)
            assert (len(found), len(tracks)) == (1, 1)
            assert [one for one in (data / "taking").rglob("*") if one.is_file()] == []
        if not steps.dead:
            break
    assert reached >= 8, "the steps were not met"
