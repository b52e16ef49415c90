"""Memory that was freed goes back to the system while nobody asks for anything."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from pathlib import Path

import pytest

from streamhost.measures import Measures
from streamhost.server import resting

PIECES, PIECE = 20_000, 2_000
"""40 MB, in pieces that the C library hands out (Python's own arenas are for smaller ones)."""
LOOKS = 5


class Looked(Measures):
    """Counts how often it was looked at. `busy`: there was a request between two looks, each time."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__()
        self.busy = busy
        self.looks = 0
        self.enough = asyncio.Event()

    @property
    def asked(self) -> int:
        """Requests so far."""
        self.looks += 1
        if self.looks == LOOKS:
            self.enough.set()
        return self.looks if self.busy else 1


def resident() -> int:
    """Bytes that this process has written to. What it only reads from files, the system may take and bring as it
    likes."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return sum(int(status[name].split()[0]) for name in ("RssAnon", "VmSwap")) * 1024


async def looked(measures: Looked) -> None:
    """Let some quiet, or busy, times go by."""
    task = asyncio.create_task(resting.rest(measures))
    async with asyncio.timeout(120):
        await measures.enough.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_lies_free_is_given_back_once_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces that were freed between others that stay are ours still; not any more after a quiet time, and a busy
    time is not used for it."""
    monkeypatch.setattr(resting, "QUIET_SECONDS", 0.001)
    gc.collect()  # what others have left here is not to go meanwhile
    pieces = [bytes(PIECE) for _ in range(PIECES)]
    full = resident()
    kept = pieces[::100]
    pieces.clear()
    await looked(Looked(busy=True))
    assert resident() > full - PIECES * PIECE * 0.2
    await looked(Looked(busy=False))
    assert resident() < full - PIECES * PIECE * 0.6
    assert len(kept) == PIECES // 100
