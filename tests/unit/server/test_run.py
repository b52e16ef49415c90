"""The end of a server."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from streamhost.server.run import drain


async def test_garbage_holds_up_nobody() -> None:
    """What an error in a circle has kept of an answered request, its connection too, goes while the server ends."""
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Request:
        """What is kept until nobody has it any more."""

        me: Any

    kept = Request()
    kept.me = kept
    weakref.finalize(kept, loop.call_soon_threadsafe, gone.set)
    gc.disable()
    try:
        del kept
        serving = asyncio.create_task(_until(gone))
        await drain(serving, 600)
        assert serving.done()
    finally:
        gc.enable()


async def test_patience_has_an_end() -> None:
    """A request that is never answered is cut off."""
    serving = asyncio.create_task(_until(asyncio.Event()))
    await drain(serving, 0.01)
    assert not serving.done()
    serving.cancel()


async def _until(event: asyncio.Event) -> None:
    await event.wait()
