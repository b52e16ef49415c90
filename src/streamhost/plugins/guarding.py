"""Things that plugins bring, such as notifiers: the house calls them in its own loop, as it calls its own.

So that none of them ends the server, an exit becomes an error of the call; what holds up the loop is named in the log;
and where nobody else does, who waits is let go after a while.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from streamhost.plugins.calling import LONG_STEP, Caller, Watched, held_up, words_of


class Guarded:
    """Stands before one thing and has everything that this has; only how its calls end is different."""

    def __init__(self, plugin: str, hook: str, thing: object, patience: float | None = None) -> None:
        """`patience`: seconds after which a coroutine of it has failed (`PluginTooSlow`); None: its callers see to
        that."""
        self._of = (plugin, hook)
        self._thing = thing
        self._patience = patience
        self._caller = Caller(plugin)

    def __repr__(self) -> str:
        return f"<{self._of[0]}: {self._thing!r}>"

    def __getattr__(self, name: str) -> Any:
        found = _kept(functools.partial(getattr, self._thing, name))
        if not inspect.isroutine(found):
            return found
        if inspect.iscoroutinefunction(found):

            @functools.wraps(found)
            async def wait(*given: Any, **named: Any) -> Any:
                return await self._watched(found(*given, **named))

            return wait

        @functools.wraps(found)
        def call(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            answer = _kept(functools.partial(found, *given, **named))
            if (took := time.perf_counter() - began) > LONG_STEP:
                held_up(*self._of, took)
            if inspect.iscoroutine(answer):
                return self._watched(answer)
            return self._steps(answer) if isinstance(answer, AsyncIterator) else answer

        return call

    async def _watched(self, waiting: Awaitable[Any]) -> Any:
        if self._patience is not None:
            return await self._caller.within(self._of[1], waiting, self._patience)
        return await Watched(waiting, functools.partial(held_up, *self._of))

    async def _steps(self, iterator: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Each step of an iterator guarded; it is closed with its guard."""
        try:
            while True:
                try:
                    step = await self._watched(anext(iterator))
                except StopAsyncIteration:
                    return
                yield step
        finally:
            if inspect.isasyncgen(iterator):
                await self._watched(iterator.aclose())


def _kept(function: Callable[[], Any]) -> Any:
    """What a plain function returns. Raises what it raises, but nothing that ends the program."""
    try:
        return function()
    except (SystemExit, KeyboardInterrupt) as end:
        raise RuntimeError(words_of(end)) from end
