"""Subtitles that cannot be taken out of a file cost the captions, never the video."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamhost import sandbox
from streamhost.db import captions, jobs, videos
from streamhost.host import Host
from streamhost.media import tasks
from streamhost.media.run import run_task
from streamhost.model.accounts import Role
from streamhost.model.captions import Caption
from streamhost.model.tasks import JobState
from streamhost.model.videos import Video, VideoState
from streamhost.sandbox_process import Start
from tests.support.films import film
from tests.support.house import a_host

Report = Callable[[float, str], None]


class Stumbles:
    """Runs tasks in real children, but the taking of subtitles fails with these errors, one after the other."""

    def __init__(self, *errors: sandbox.ChildError) -> None:
        self.errors = list(errors)

    async def __call__(
        self,
        task: tasks.Task,
        report: Report,
        writable: Path | None,
        limits: sandbox.Limits,
        start: Start | None = None,
    ) -> tasks.Answer:
        """Stand in for `run_task`."""
        if isinstance(task, tasks.ExtractText) and self.errors:
            raise self.errors.pop(0)
        return await run_task(task, report, writable, limits, start)


@asynccontextmanager
async def running(folder: Path, monkeypatch: pytest.MonkeyPatch, run: Stumbles) -> AsyncIterator[Host]:
    """A host whose media tasks go through `run`."""
    monkeypatch.setattr("streamhost.media.run.run_task", run)
    async with a_host(folder, jobs__media_workers=2) as host:
        yield host


async def settled(host: Host, video: Video) -> tuple[Video, list[Caption]]:
    """The video and its captions once no job about it is left."""
    deadline = time.monotonic() + 300
    while True:
        async with host.db.read() as conn:
            found = await videos.get(conn, video.id)
            left = await jobs.listed(conn, (JobState.QUEUED, JobState.RUNNING))
            words = await captions.of_video(conn, video.id)
        open_jobs = [job for job in left if job.payload.get("video_id") == video.id]
        if found is not None and found.state in (VideoState.READY, VideoState.FAILED) and not open_jobs:
            return found, words
        assert time.monotonic() < deadline, (found, open_jobs)
        await asyncio.sleep(0.05)


async def received(host: Host, source: Path) -> Video:
    """The film, uploaded by alice."""
    alice = await host.accounts.people.add("alice@example.org", "correct horse", "Alice", Role.CREATOR)

    async def body() -> AsyncIterator[bytes]:
        yield source.read_bytes()

    _, video = await host.uploads.receive(alice.id, body(), lambda: {"filename": "film.mkv"})
    return video


async def test_a_file_whose_subtitles_break_still_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The video becomes ready, without captions, and says what happened."""
    run = Stumbles(sandbox.ChildFailed("damaged_source", "cut off", permanent=True))
    async with running(tmp_path / "data", monkeypatch, run) as host:
        video, words = await settled(host, await received(host, film(tmp_path)))
    assert video.state is VideoState.READY
    assert words == []
    assert [note for note in video.notes if note.startswith("The subtitles could not be taken over")]


async def test_a_second_try_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash of the child the subtitles are taken out again, once, and stand in the manifests."""
    async with running(tmp_path / "data", monkeypatch, Stumbles(sandbox.ChildCrashed("SIGSEGV"))) as host:
        video, words = await settled(host, await received(host, film(tmp_path)))
    assert video.state is VideoState.READY
    [caption] = words
    assert (caption.language, caption.package_id) == ("fr", video.package_id)
    assert not [note for note in video.notes if "subtitles" in note]
