"""The farther level: a store that outlives the process. It may be slow or away, and nothing waits or fails for that."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from streamhost import log
from streamhost.caching.sealing import Seal
from streamhost.model.clock import Clock, system_clock
from streamhost.model.errors import StreamhostError
from streamhost.ports import SharedCache

PATIENCE = 0.1
"""Seconds that one question may take; working the answer out anew is rarely slower."""
REST = 5.0
"""Seconds for which a store that failed is left alone."""
MOST_UNDERWAY = 256
"""Writes at the same time; what comes on top is not kept."""

_UNTIL = struct.Struct(">d")
"""In front of the data, under the seal: until when they are good. Nobody can make the store give out old ones."""

T = TypeVar("T")
_logger = log.get("cache")


class Shared:
    """A `SharedCache` behind a fuse: after a failure it is not asked for a while."""

    def __init__(
        self,
        store: SharedCache,
        seal: Seal,
        *,
        remote: bool,
        patience: float = PATIENCE,
        rest: float = REST,
        clock: Clock = system_clock,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`remote`: it is a server that other processes may use too, not files of this one."""
        self.remote = remote
        self.errors = 0
        """How often the store failed or took too long."""
        self._store = store
        self._seal = seal
        self._patience = patience
        self._rest = rest
        self._clock = clock
        self._now = now
        self._asleep_until = 0.0
        self._failing = False
        self._underway: set[asyncio.Task[Any]] = set()

    @property
    def awake(self) -> bool:
        """Whether the store is asked at the moment."""
        return self._now() >= self._asleep_until

    async def get(self, name: str) -> bytes | None:
        """What was kept under a name; None if nothing was, or the store does not answer."""
        sealed = await self._ask(self._store.get(name)) if self.awake else None
        data = None if sealed is None else self._seal.open(name, sealed)
        if data is None or len(data) < _UNTIL.size or self._clock() >= _UNTIL.unpack_from(data)[0]:
            return None
        return data[_UNTIL.size :]

    async def put(self, name: str, data: bytes, seconds: float) -> bool:
        """Keep data; False if that could not be done."""
        if not self.awake:
            return False
        sealed = self._seal.close(name, _UNTIL.pack(self._clock() + seconds) + data)
        return await self._ask(self._done(self._store.set(name, sealed, seconds))) is True

    async def drop(self, name: str) -> bool:
        """Forget a name; False if it may still be there."""
        return self.awake and await self._ask(self._done(self._store.delete(name))) is True

    async def sweep(self) -> None:
        """Have the store remove what is over, in its own time."""
        try:
            await self._store.sweep()
        except StreamhostError as error:
            _logger.warning("The shared cache could not be swept", error=str(error))

    def later(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Have something done that nobody waits for; False if there is too much of it already."""
        if len(self._underway) >= MOST_UNDERWAY:
            return False
        task = asyncio.get_running_loop().create_task(work())
        self._underway.add(task)
        task.add_done_callback(self._underway.discard)
        return True

    async def settled(self) -> None:
        """Wait for what is underway."""
        while self._underway:
            await asyncio.gather(*self._underway, return_exceptions=True)

    async def close(self) -> None:
        """End what is underway, and let go of the store."""
        underway = [*self._underway]
        for task in underway:
            task.cancel()
        if underway:
            await asyncio.wait(underway, timeout=self._patience)
        await self._ask(self._store.close())

    @staticmethod
    async def _done(work: Coroutine[Any, Any, None]) -> bool:
        await work
        return True

    async def _ask(self, work: Coroutine[Any, Any, T]) -> T | None:
        # As a task of its own: a thread that hangs in the file system cannot be cancelled, only left alone.
        task = asyncio.get_running_loop().create_task(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._patience)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            self._underway.add(task)
            task.add_done_callback(self._gone)
            self._failed("It is too slow.")
            return None
        try:
            answer = task.result()
        except StreamhostError as error:
            self._failed(str(error))
            return None
        if self._failing:
            self._failing = False
            _logger.info("The shared cache answers again")
        return answer

    def _failed(self, why: str) -> None:
        self.errors += 1
        self._asleep_until = self._now() + self._rest
        if not self._failing:
            self._failing = True
            _logger.warning("The shared cache does not answer; going on without it", error=why)

    def _gone(self, task: asyncio.Task[Any]) -> None:
        self._underway.discard(task)
        if not task.cancelled():
            task.exception()
