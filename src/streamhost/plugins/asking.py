"""Asks plugins, one after the other, and remembers what went wrong with whom."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pluggy

from streamhost import log
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.plugins.calling import WORDS, Caller, PluginTooSlow, words_of
from streamhost.plugins.finding import Loaded
from streamhost.plugins.hosts import ProvidedHost

REMEMBERED = 50
SLOW_TIMES = 3
"""So often in a row a hook may take too long before it is left in peace."""
REST_SECONDS = 30.0
"""For how long it is then taken to fail without being asked, so that not every request waits for it."""

_logger = log.get("plugins")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a plugin did wrong: in which hook, when, and in words (one line)."""

    plugin: str
    hook: str
    at: Timestamp
    words: str


class PluginRests(PluginTooSlow):
    """A plugin of this site took too long, and is not asked for a while."""

    code = "plugin_rests"


@dataclass(slots=True)
class _Slow:
    times: int = 0
    rest_until: float = 0.0


class Asking:
    """Calls hooks of plugins, each with its own host."""

    def __init__(self, loaded: Loaded, hosts: Mapping[str, ProvidedHost], clock: Clock, *, trace: bool) -> None:
        self._loaded = loaded
        self._hosts = hosts
        self._clock = clock
        self._callers = {name: Caller(name, trace=trace) for name in hosts}
        self._slow: dict[tuple[str, str], _Slow] = {}
        self.troubles: deque[Trouble] = deque(maxlen=REMEMBERED)

    def who(self, hook: str) -> Iterator[pluggy.HookImpl]:
        """Who implements a hook, in the order in which they are asked."""
        return self._loaded.implementations(hook)

    def now(self, hook: str, impl: pluggy.HookImpl, **given: Any) -> Any:
        """Call a plain function at the start. Raises what it raises."""
        caller = self._callers[impl.plugin_name]
        return caller.call_now(hook, impl.function, self._taken(impl, given))

    async def ask(self, hook: str, impl: pluggy.HookImpl, patience: float, **given: Any) -> Any:
        """What one plugin answers. Raises `PluginFailed`, and `StreamhostError`s that the plugin raises."""
        name = impl.plugin_name
        slow = self._slow.setdefault((name, hook), _Slow())
        if time.monotonic() < slow.rest_until:
            raise PluginRests(f"{name}, {hook}: it is not asked for a while, because it took too long.")
        try:
            answer = await self._callers[name].call(hook, impl.function, self._taken(impl, given), patience)
        except PluginTooSlow:
            slow.times += 1
            if slow.times >= SLOW_TIMES:
                slow.times, slow.rest_until = 0, time.monotonic() + REST_SECONDS
            raise
        except StreamhostError:
            slow.times = 0
            raise
        slow.times = 0
        return answer

    def note(self, hook: str, plugin: str, error: BaseException | str) -> None:
        """Remember what went wrong, and say it in the log; of a plugin that rests, that was said before."""
        if isinstance(error, PluginRests):
            return
        words = error[:WORDS] if isinstance(error, str) else words_of(error.__cause__ or error)
        self.troubles.appendleft(Trouble(plugin, hook, self._clock(), words))
        _logger.error(
            "A plugin failed",
            action="plugin_failed",
            plugin=plugin,
            hook=hook,
            error=words,
            exc_info=error.__cause__ if isinstance(error, BaseException) else None,
        )

    def _taken(self, impl: pluggy.HookImpl, given: Mapping[str, Any]) -> dict[str, Any]:
        """As much of what is given as the plugin's function takes."""
        offered = {**given, "host": self._hosts[impl.plugin_name]}
        return {name: offered[name] for name in (*impl.argnames, *impl.kwargnames) if name in offered}
