"""A graphics card that fails amid a video costs time, not the video."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streamhost import sandbox
from streamhost.db import videos
from streamhost.features.transcoding import encoder
from streamhost.features.transcoding import recipe as recipes
from streamhost.host import Host
from streamhost.media import compat, ladder, tasks
from streamhost.media.run import run_task
from streamhost.model.accounts import Role
from streamhost.model.videos import Video, VideoState
from streamhost.sandbox_process import Start
from streamhost.testing import clips
from tests.support.house import a_host
from tests.unit.media import facts

CHIP = "h264_amf"
"""Known to FFmpeg, and not to be had on a machine without such a card."""
Report = Callable[[float, str], None]


class LosesItsCard:
    """Runs tasks in real children. The trial finds the chip working; chunk 0 is made while it still works (by libx264
    in its name); then the card is gone, and chunks meet the real encoder, which cannot be opened."""

    def __init__(self) -> None:
        self.chunks: list[tuple[int, str]] = []
        self.first_is_made = asyncio.Event()

    async def __call__(
        self,
        task: tasks.Task,
        report: Report,
        writable: Path | None,
        limits: sandbox.Limits,
        start: Start | None = None,
    ) -> tasks.Answer:
        """Stand in for `run_task`."""
        if isinstance(task, tasks.TryEncoders):
            return tasks.EncodersTried((CHIP,), {})
        if not isinstance(task, tasks.EncodeChunk):
            return await run_task(task, report, writable, limits, start)
        self.chunks.append((task.chunk, task.plan.encoder))
        if task.plan.encoder == CHIP and task.chunk == 0:
            answer = await run_task(
                replace(task, plan=replace(task.plan, encoder="libx264")), report, writable, limits, start
            )
            self.first_is_made.set()
            return answer
        if task.plan.encoder == CHIP:
            await self.first_is_made.wait()
        return await run_task(task, report, writable, limits, start)


@asynccontextmanager
async def running(folder: Path, monkeypatch: pytest.MonkeyPatch, run: LosesItsCard) -> AsyncIterator[Host]:
    """A host whose media tasks go through `run`."""
    monkeypatch.setattr("streamhost.media.run.run_task", run)
    chosen: dict[str, Any] = {"media__encoder": CHIP, "media__preset": "ultrafast", "media__chunk_seconds": 8.0}
    async with a_host(folder, jobs__media_workers=2, media__copy_rate=0, **chosen) as host:
        yield host


async def ready(host: Host, video: Video) -> Video:
    """The video once nothing is left to do."""
    deadline = time.monotonic() + 300
    while True:
        async with host.db.read() as conn:
            found = await videos.get(conn, video.id)
        if found is not None and found.state in (VideoState.READY, VideoState.FAILED):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def test_software_goes_on_where_a_card_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chunk is made by libx264 in the end, also one that the card had made; the video says why, and plays."""
    run = LosesItsCard()
    source = clips.make(tmp_path / "a.mp4", clips.Clip(seconds=32, width=160, height=90, fps=Fraction(10), gop=20))
    async with running(tmp_path / "data", monkeypatch, run) as host:
        alice = await host.accounts.people.add("alice@example.org", "correct horse", "Alice", Role.CREATOR)

        async def body() -> AsyncIterator[bytes]:
            yield source.read_bytes()

        _, received = await host.uploads.receive(alice.id, body(), lambda: {"filename": "a.mp4"})
        video = await ready(host, received)
    assert video.state is VideoState.READY
    by_software = [number for number, name in run.chunks if name == "libx264"]
    assert sorted(by_software) == sorted({number for number, _ in run.chunks})
    assert (0, CHIP) in run.chunks
    [said] = [note for note in video.notes if CHIP in note]
    assert said.endswith("libx264 encodes this video instead.")


@pytest.mark.parametrize(
    ("error", "part", "blamed"),
    [
        (sandbox.ChildFailed("encoder_failed", "gone"), "chunk-3", True),
        (sandbox.ChildCrashed("SIGSEGV"), "chunk-3", True),
        (sandbox.ChildSilent("120 s"), "chunk-3", True),
        (sandbox.ChildFailed("damaged_source", "cut off"), "chunk-3", False),
        (sandbox.ChildNotConfined("no seccomp"), "chunk-3", False),
        (sandbox.ChildFailed("encoder_failed", "gone"), "plan", False),
    ],
)
def test_what_is_blamed_on_an_encoder(error: sandbox.ChildError, part: str, blamed: bool) -> None:
    """A driver may fail, crash or hang; a damaged source is not its doing, and software is blamed for nothing."""
    chip = tasks.Encoding(encoder=CHIP)
    hardware = recipes.choose(facts.info(facts.video_track()), ladder.LadderSettings(), chip, compat.CopyLimits())
    assert encoder.blames_encoder(hardware, part, error) is blamed
    assert not encoder.blames_encoder(encoder.by_software(hardware), part, error)
