"""The nearest level: a dictionary of this process, bounded by entries and by bytes; the longest unused goes first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

OVERHEAD = 400
"""Bytes that an entry takes beside what its value has when encoded: key, times, objects."""


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    until: float
    size: int


class Memory:
    """Values by name, each for so many seconds. Only for values that nobody changes."""

    def __init__(self, entries: int, size: int, now: Callable[[], float] = time.monotonic) -> None:
        """At most so many entries, and about so many bytes. `now`: a clock that never goes back."""
        self._entries = entries
        self._size = size
        self._now = now
        self._kept: OrderedDict[str, _Entry] = OrderedDict()
        self.used = 0
        """Bytes, as estimated."""

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: str) -> tuple[Any] | None:
        """The value in a tuple, for it may be None itself; None if there is none any more."""
        entry = self._kept.get(name)
        if entry is None:
            return None
        if self._now() >= entry.until:
            self.drop(name)
            return None
        self._kept.move_to_end(name)
        return (entry.value,)

    def put(self, name: str, value: Any, size: int, seconds: float) -> None:
        """Keep a value that has `size` bytes when encoded. One larger than an eighth of the room is not kept."""
        self.drop(name)
        size += OVERHEAD + len(name)
        if size > self._size // 8 or seconds <= 0:
            return
        self._kept[name] = _Entry(value, self._now() + seconds, size)
        self.used += size
        while len(self._kept) > self._entries or self.used > self._size:
            _, gone = self._kept.popitem(last=False)
            self.used -= gone.size

    def drop(self, name: str) -> None:
        """Forget one value, if it is there."""
        gone = self._kept.pop(name, None)
        if gone is not None:
            self.used -= gone.size
