"""Waiting in tests for something to come true, instead of sleeping and hoping; and for how long."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

import pytest

ENDLESS = frozenset({"silent", "dripping", "hang", "drip"})
"""Faults of servers that only somebody's patience ends."""


def patience(request: pytest.FixtureRequest, little: float) -> float:
    """Seconds to wait for an answer: `little` where the test's `fault` is that none ever comes to its end, else so many
    that no busy machine is taken for a fault."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return little if parameters.get("fault") in ENDLESS else 60.0


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 150) -> None:
    """Return as soon as `true` says so; fail when it has not after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        said = true()
        if await said if inspect.isawaitable(said) else said:
            return
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)
