"""How a task tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

Report = Callable[[float, str], None]
"""Called with the share done, 0..1, and the step's name."""

SHORTEST_PAUSE = 0.25
"""Seconds between two reports."""


class Progress:
    """Passes on at most four reports a second, and never goes back."""

    def __init__(self, report: Report, step: str) -> None:
        self._report = report
        self._step = step
        self._next = 0.0
        self._done = 0.0

    def at(self, share: float) -> None:
        """Say that ``share`` of the work is done."""
        now = time.monotonic()
        self._done = min(1.0, max(self._done, share))
        if now >= self._next:
            self._next = now + SHORTEST_PAUSE
            self._report(self._done, self._step)


def silent(_share: float, _step: str) -> None:
    """Report nothing."""
