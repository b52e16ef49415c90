"""Waiting in tests for something to come true, instead of sleeping and hoping; and for how long."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

from streamhost.testing.waiting import patience

__all__ = ["patience", "until"]


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 150) -> None:
    """Return as soon as `true` says so; fail when it has not after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        said = true()
        if await said if inspect.isawaitable(said) else said:
            return
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)
