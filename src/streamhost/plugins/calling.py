"""Calls functions of plugins so that none of them can take the server down.

A plain function runs in a thread of its own, which is left behind when it hangs; a coroutine runs in the server's
loop, is cancelled when it takes too long, and is named in the log when it holds up everybody else. Whatever comes out
is either the answer or `PluginFailed`. What no program can do in its own process is to survive a plugin that ends the
process or overwrites its memory: plugins are installed by people who trust them.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any

from streamhost import log
from streamhost.model.errors import StreamhostError

MOST_THREADS = 8
"""Calls of one plugin that may be in threads at the same time, those that hang included."""
LONG_STEP = 0.25
"""Seconds for which a coroutine may hold up the loop before the log names it."""
CLEANING_SECONDS = 5.0
"""How long a coroutine that was cancelled may go on; one that will not end would keep the server from stopping."""
WORDS = 300
"""Characters of what a plugin says that are kept."""

_logger = log.get("plugins")


class PluginFailed(StreamhostError):
    """A plugin of this site did not do its part."""

    code = "plugin_failed"
    hint = "Try again; if it stays, ask the administrator to look at the plugins of this site."


class PluginTooSlow(PluginFailed):
    """A plugin of this site took too long."""

    code = "plugin_too_slow"


def words_of(error: BaseException) -> str:
    """An exception in one line of bounded length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:WORDS]


class Caller:
    """Calls the functions of one plugin."""

    def __init__(self, plugin: str, *, trace: bool = False) -> None:
        self._plugin = plugin
        self._trace = trace
        self._threads = 0
        self._strays: set[asyncio.Task[Any]] = set()

    async def call(self, hook: str, function: Callable[..., Any], given: Mapping[str, Any], patience: float) -> Any:
        """What `function` returns for as much of `given` as it takes, within `patience` seconds.

        Raises `PluginTooSlow`, `PluginFailed` with what it raised as its cause, or the `StreamhostError` it raised."""
        began = time.perf_counter()
        try:
            answer = await self._call(hook, function, given, patience)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # of a thread, or of a coroutine: both have been made harmless
            self._say(hook, given, f"raised {words_of(error)}", began)
            if isinstance(error, StreamhostError):
                raise
            raise PluginFailed(f"{self._plugin}, {hook}: {words_of(error)}") from error
        self._say(hook, given, f"-> {answer!r}", began)
        return answer

    def call_now(self, hook: str, function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        """What a plain function returns, called in this thread; for the start. Raises what it raises."""
        began = time.perf_counter()
        warning = threading.Timer(10, _logger.warning, ("The start waits for a plugin",), self._names(hook))
        warning.daemon = True
        warning.start()
        try:
            answer = function(**given)
        except BaseException as error:
            self._say(hook, given, f"raised {words_of(error)}", began)
            raise
        finally:
            warning.cancel()
        self._say(hook, given, f"-> {answer!r}", began)
        return answer

    async def _call(self, hook: str, function: Callable[..., Any], given: Mapping[str, Any], patience: float) -> Any:
        deadline = time.monotonic() + patience
        if inspect.iscoroutinefunction(function):
            return await self.within(hook, function(**given), patience)
        answer = await self._in_thread(hook, lambda: function(**given), patience)
        if inspect.iscoroutine(answer):
            return await self.within(hook, answer, max(0.0, deadline - time.monotonic()))
        return answer

    async def within(self, hook: str, coroutine: Awaitable[Any], patience: float) -> Any:
        """Run a coroutine for so long, and go on whether it ends then or not. Raises `PluginTooSlow`, and what it
        raises."""
        watched = Watched(coroutine, lambda seconds: held_up(self._plugin, hook, seconds))
        task: asyncio.Task[Any] = asyncio.create_task(self._bound(watched), name=f"plugin-{self._plugin}-{hook}")
        self._strays.add(task)
        task.add_done_callback(self._over)
        try:
            await asyncio.wait((task,), timeout=patience)
        except asyncio.CancelledError:
            _leave(task, watched)
            raise
        if not task.done():
            _leave(task, watched)
            raise PluginTooSlow(f"{self._plugin}, {hook}: more than {patience:g} seconds.")
        if task.cancelled():
            raise PluginFailed(f"{self._plugin}, {hook}: it cancelled itself.")
        return task.result()

    async def _bound(self, watched: Watched) -> Any:
        log.bind(plugin=self._plugin)
        return await watched

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._strays.discard(task)
        if not task.cancelled():
            task.exception()

    async def _in_thread(self, hook: str, function: Callable[[], Any], patience: float) -> Any:
        """Run a plain function in a thread that nobody waits for at the end of the program."""
        if self._threads >= MOST_THREADS:
            raise PluginTooSlow(f"{self._plugin}, {hook}: {MOST_THREADS} of its calls have not returned.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def told(answer: Any, error: BaseException | None) -> None:
            self._threads -= 1
            if not future.done():
                if error is None:
                    future.set_result(answer)
                else:
                    future.set_exception(error)

        def run() -> None:
            answer, failure = None, None
            try:
                context.run(log.bind, plugin=self._plugin)
                answer = context.run(function)
            except BaseException as error:  # a future takes neither StopIteration nor what ends programs
                odd = isinstance(error, StopIteration) or not isinstance(error, Exception)
                failure = RuntimeError(words_of(error)) if odd else error
            with contextlib.suppress(RuntimeError):  # the loop is over, and nobody waits
                loop.call_soon_threadsafe(told, answer, failure)

        threading.Thread(target=run, name=f"plugin-{self._plugin}-{hook}", daemon=True).start()
        self._threads += 1
        done, _ = await asyncio.wait((future,), timeout=patience)
        if not done:
            future.cancel()
            raise PluginTooSlow(f"{self._plugin}, {hook}: more than {patience:g} seconds.")
        return future.result()

    def _names(self, hook: str) -> dict[str, str]:
        return {"plugin": self._plugin, "hook": hook}

    def _say(self, hook: str, given: Mapping[str, Any], what: str, began: float) -> None:
        if self._trace:
            shown = ", ".join(f"{name}={value!r}" for name, value in given.items() if name != "host")
            took = (time.perf_counter() - began) * 1000
            line = f"plugin {self._plugin}: {hook}({shown[:WORDS]}) {what[:WORDS]} ({took:.1f} ms)"
            sys.stderr.write(line.replace("\n", " ") + "\n")


def held_up(plugin: str, hook: str, seconds: float) -> None:
    """Name a plugin in the log that has kept everybody waiting."""
    _logger.warning(
        "A plugin held up the whole server; what blocks belongs into a plain function",
        action="plugin_blocked",
        seconds=round(seconds, 3),
        plugin=plugin,
        hook=hook,
    )


def _leave(task: asyncio.Task[Any], watched: Watched) -> None:
    """Cancel a coroutine: it may clean up for a while, and is ended then if it has not."""

    def end() -> None:
        if not task.done():
            watched.over = True
            task.cancel()

    task.cancel()
    asyncio.get_running_loop().call_later(CLEANING_SECONDS, end)


class Watched:
    """A coroutine whose steps are timed, and which cannot end the program."""

    def __init__(self, waiting: Awaitable[Any], held_up: Callable[[float], None]) -> None:
        self._steps = waiting.__await__()
        self._held_up = held_up
        self.over = False
        """Its next cancellation ends it, whatever it makes of that."""

    def __await__(self) -> Generator[Any, Any, Any]:
        value: Any = None
        error: BaseException | None = None
        while True:
            began = time.perf_counter()
            try:
                # With nothing to throw, `send` begins or goes on.
                awaited = self._steps.send(value) if error is None else self._steps.throw(error)
            except StopIteration as end:
                return end.value
            except (SystemExit, KeyboardInterrupt) as end:
                raise RuntimeError(words_of(end)) from end
            finally:
                if (took := time.perf_counter() - began) > LONG_STEP:
                    self._held_up(took)
            value, error = None, None
            try:
                value = yield awaited
            except BaseException as thrown:  # handed on to the coroutine, as `yield from` does
                if self.over:
                    with contextlib.suppress(BaseException):
                        self._steps.close()
                    raise
                error = thrown
