"""Tasks that run beside everything else for as long as the server does, without a job of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from streamhost import log
from streamhost.model.errors import StreamhostError

_logger = log.get("background")


class Background:
    """One task, from `start` to `stop`."""

    def __init__(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._name = name
        self._run = run
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End it, wherever it is. Safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class Watch(Background):
    """Looks every `seconds`. A look that fails is logged under the watch's name and made again: nobody else would."""

    def __init__(self, name: str, look: Callable[[], Awaitable[None]], seconds: float) -> None:
        super().__init__(name, self._looking)
        self._look = look
        self._seconds = seconds

    async def _looking(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self._look()
            except StreamhostError as error:
                _logger.warning("A look failed", action=self._name, code=error.code, error=str(error))
            except Exception:
                _logger.exception("A look stumbled", action=self._name)
