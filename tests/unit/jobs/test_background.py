"""Tasks beside everything else: they outlive what goes wrong, and end when they are told."""

from __future__ import annotations

import asyncio

import pytest

from streamhost.jobs.background import Background, Watch
from streamhost.model.errors import NotFound


@pytest.mark.parametrize("trouble", [NotFound, ZeroDivisionError])
async def test_a_watch_looks_on_after_a_failure(trouble: type[Exception]) -> None:
    """Whatever a look raises, the next one comes; after the end there is none."""
    looks = 0
    seen = asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise trouble
        seen.set()

    watch = Watch("test", look, 0.0)
    watch.start()
    async with asyncio.timeout(150):
        await seen.wait()
    await watch.stop()
    before = looks
    await asyncio.sleep(0)
    assert looks == before


async def test_ending_twice_and_beginning_again() -> None:
    """Nothing that was not begun has to be ended, what was ended is over, and it may begin again."""
    begun: list[int] = []

    async def run() -> None:
        begun.append(len(begun))
        await asyncio.Event().wait()

    background = Background("test", run)
    await background.stop()
    for number in range(2):
        background.start()
        await asyncio.sleep(0)
        assert begun == list(range(number + 1))
        await background.stop()
        await background.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
