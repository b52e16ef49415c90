"""Figures of the running program, for whoever watches over it: counted where things happen, read when asked.

Whoever has something to say adds a source, which is asked at every look:

    measures.add(lambda: [gauge("streamhost_queue_events", "Events that wait.", queue.waiting)])
"""

from __future__ import annotations

import inspect
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Labels = tuple[tuple[str, str], ...]
"""Names and values that tell samples of one figure apart, the same names for each."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, in seconds, of the boxes for how long requests took."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its samples. Names are those of Prometheus: units in the name, `_total` is added to counters."""

    name: str
    text: str
    kind: Literal["counter", "gauge"]
    samples: Mapping[Labels, float]


def gauge(name: str, text: str, value: float | Mapping[Labels, float]) -> Figure:
    """A figure that goes up and down."""
    return Figure(name, text, "gauge", value if isinstance(value, Mapping) else {(): value})


def counter(name: str, text: str, value: float | Mapping[Labels, float]) -> Figure:
    """A figure that only goes up, until the program starts anew."""
    return Figure(name, text, "counter", value if isinstance(value, Mapping) else {(): value})


Source = Callable[[], Iterable[Figure] | Awaitable[Iterable[Figure]]]


class Measures:
    """Counts requests, and knows who has more to say."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], int] = {}
        """Answers by method and class of status, such as `2xx`."""
        self.seconds = [0] * (len(BUCKETS) + 1)
        """How many answers took as long as each of `BUCKETS` allows, the last: longer."""
        self.total_seconds = 0.0
        self.delivered = 0
        """Requests for manifests, segments and whatever else lies below `/s/`."""
        self._sources: list[Source] = []

    @property
    def asked(self) -> int:
        """Requests so far."""
        return self.delivered + sum(self.requests.values())

    def answered(self, method: str, status: int, seconds: float) -> None:
        """A request was answered by a route."""
        key = (method, f"{status // 100}xx")
        self.requests[key] = self.requests.get(key, 0) + 1
        self.seconds[bisect_left(BUCKETS, seconds)] += 1
        self.total_seconds += seconds

    def add(self, source: Source) -> None:
        """Ask this one too."""
        self._sources.append(source)

    async def read(self) -> list[Figure]:
        """Everything that the sources say now."""
        found: list[Figure] = []
        for source in self._sources:
            said = source()
            found += await said if inspect.isawaitable(said) else said
        return found
