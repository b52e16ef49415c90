"""The process that forks children: who asks for it first may go away, and under the server's loop it keeps no files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from streamhost import sandbox
from streamhost.sandbox_nursery import Nursery
from tests.support.processes import started
from tests.support.waiting import until

HERE = Path(__file__).parent


async def answered(nursery: Nursery, word: str) -> bool:
    """Whether a child of the nursery answers."""
    result = await sandbox.run(
        "children",
        {"trick": "answer", "word": word},
        limits=sandbox.Limits(silence_seconds=60.0),
        on_message=lambda _: None,
        readable=[HERE],
        start=nursery.start,
    )
    return bool(result["echo"] == word)


@pytest.mark.parametrize("alone", [False, True])
async def test_who_asked_first_may_go_away(monkeypatch: pytest.MonkeyPatch, from_now: None, *, alone: bool) -> None:
    """While everything is loaded for somebody who stops waiting, others get what they wait for; with nobody left the
    process becomes idle, and ends."""
    monkeypatch.syspath_prepend(str(HERE))
    nursery = Nursery(["streamhost.sandbox"], idle_seconds=0.1 if alone else 60.0)
    first = asyncio.create_task(answered(nursery, "first"))
    await until(lambda: bool(started()))
    others = [] if alone else [asyncio.create_task(answered(nursery, str(number))) for number in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert all(await asyncio.gather(*others))
    await until(lambda: not (alone and started()))
    await nursery.close()
    assert started() == []


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_files_are_closed_once(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch, from_now: None
) -> None:
    """After a child has ended none of its pipes is open; a loop that closes numbers by itself is not followed by
    Python, which would close a file that somebody has opened in between."""
    monkeypatch.syspath_prepend(str(HERE))
    given: list[bool] = []
    fdopen = os.fdopen

    def noted(number: int, mode: str, buffering: int, *, closefd: bool) -> object:
        given.append(closefd)
        return fdopen(number, mode, buffering, closefd=closefd)

    async def life() -> None:
        nursery = Nursery(["streamhost.sandbox"])
        await answered(nursery, "warm")
        before = set(os.listdir("/proc/self/fd"))
        for number in range(5):
            assert await answered(nursery, str(number))
        assert set(os.listdir("/proc/self/fd")) == before
        await nursery.close()

    monkeypatch.setattr("streamhost.sandbox_nursery.os.fdopen", noted)
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(life())
    assert given == [loop is asyncio.new_event_loop] * 18
