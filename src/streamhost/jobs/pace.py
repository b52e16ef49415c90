"""How fast work goes, measured by what was reported of it: the base of every "time left"."""

from __future__ import annotations

import math

from streamhost.model.clock import Timestamp

MEMORY = 20.0
"""Seconds after which an observation counts about a third: long enough for a calm number, short enough to follow."""
SEEN_ENOUGH = 1.5
"""Seconds that must have been seen before a rate is told."""


class Rate:
    """Work done a second, as a mean in which what is recent weighs more (exponential, time constant `memory`)."""

    def __init__(self, memory: float = MEMORY) -> None:
        self._memory = memory
        self._work = 0.0
        self._seconds = 0.0
        self._seen = 0.0
        self._last: Timestamp | None = None

    def add(self, work: float, now: Timestamp) -> None:
        """So much was done since the last call; the first call, and the first after `rest`, only starts the watch."""
        if self._last is None:
            self._last = now
            return
        passed = max(0.0, now - self._last)
        self._last = now
        fade = math.exp(-passed / self._memory)
        self._work = self._work * fade + work
        self._seconds = self._seconds * fade + passed
        self._seen += passed

    def rest(self) -> None:
        """Nothing runs: the time until the next call does not count."""
        self._last = None

    @property
    def value(self) -> float | None:
        """Work a second; None while too little was seen, or nothing was done."""
        if self._seen < SEEN_ENOUGH or self._work <= 0 or self._seconds <= 0:
            return None
        return self._work / self._seconds


class Share:
    """The rate of one piece of work that says how far it is (0..1), and how long it will still take."""

    def __init__(self) -> None:
        self._rate = Rate()
        self._share = 0.0

    def at(self, share: float, now: Timestamp) -> None:
        """It is so far now. One that fell back has begun anew, and so does the measuring."""
        if share < self._share:
            self._rate = Rate()
            self._share = share
        self._rate.add(share - self._share, now)
        self._share = share

    @property
    def left(self) -> float | None:
        """Seconds until it is done; None while that is not known."""
        rate = self._rate.value
        return None if rate is None else (1 - self._share) / rate
