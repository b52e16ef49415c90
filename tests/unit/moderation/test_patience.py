"""A classifier that hangs is given up, one that takes its time is not, and whoever cancels a screening ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from streamhost.features.moderation import patience
from streamhost.features.moderation.patience import screened
from streamhost.model.moderation import Aspect, Findings, Material
from streamhost.ports import ClassifierUnavailable

FOUND = Findings()


class Slow:
    """Tells of its progress so often, and then hangs unless it is released."""

    aspects: frozenset[Aspect] = frozenset()

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.released = asyncio.Event()
        self.began = asyncio.Event()
        self.ended = False

    async def screen(self, _material: Material, report: Callable[[float], None]) -> Findings:
        """Look."""
        self.began.set()
        try:
            for step in range(self.steps):
                await asyncio.sleep(0)
                report(step / self.steps)
            await self.released.wait()
            return FOUND
        finally:
            self.ended = True


class Hands:
    """A clock that the test moves."""

    now = 0.0

    def monotonic(self) -> float:
        """The seconds that it shows."""
        return self.now


async def test_one_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some time without a word of progress, and not before; its work has ended then."""
    slow, heard, clock = Slow(5), list[float](), Hands()
    monkeypatch.setattr(patience, "time", clock)

    def hear(share: float) -> None:
        heard.append(share)
        # Altogether it takes longer than it may be silent, and after the last word it is just as long silent.
        clock.now += 0.009 if len(heard) < 5 else 0.01

    with pytest.raises(ClassifierUnavailable, match="no progress"):
        await screened(slow, Material(), hear, still=0.01)
    assert len(heard) == 5
    assert slow.ended


async def test_one_that_goes_on_is_waited_for() -> None:
    """However long it takes altogether."""
    slow = Slow(3)
    slow.released.set()
    assert await screened(slow, Material(), lambda _share: None, still=60) is FOUND


async def test_a_screening_that_is_cancelled_ends() -> None:
    """The job that is taken back leaves nothing running."""
    slow = Slow(0)
    job = asyncio.create_task(screened(slow, Material(), lambda _share: None))
    await slow.began.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert slow.ended
