"""Decides which pictures of a chunk are encoded, and when each is shown. Pure; pictures are opaque here.

A chunk's output depends only on the plan and on the source's pictures, never on how other chunks went: pictures before
the chunk are remembered only to fill a hole at its start.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, TypeVar

from streamhost.model.streaming import Plan

P = TypeVar("P")
LONGEST_PICTURE = Fraction(1, 2)
"""Seconds; a picture that stands longer is repeated, since players lose time on long ones."""
CLOSEST = Fraction(9, 10)
"""Pictures nearer than this share of the shortest allowed distance are dropped; slack for rounded times."""


@dataclass(slots=True)
class Retimer(Generic[P]):
    """Turns the pictures of a chunk, in order of time, into ``(ticks, picture)`` to encode.

    ``repeated`` counts pictures shown again because the source had none.
    """

    plan: Plan
    chunk: int
    repeated: int = field(default=0, init=False)

    @property
    def start(self) -> int:
        """Ticks at which the chunk starts."""
        return self.plan.boundaries[self.plan.chunks[self.chunk].first]

    @property
    def end(self) -> int:
        """Ticks at which the next chunk starts."""
        return self.plan.boundaries[self.plan.chunks[self.chunk].last]

    def ticks(self, time: Fraction) -> int:
        """Return a source time in seconds as ticks of the presentation."""
        return round((time - self.plan.origin) * self.plan.timescale)

    def run(self, pictures: Iterable[tuple[Fraction, P]]) -> Iterator[tuple[int, P]]:
        """Yield what to encode; stops as soon as a picture at or after the chunk's end has come, or at the source's
        end.
        """
        if self.plan.frame_duration is None:
            return self._own_times(pictures)
        return self._grid(pictures, self.plan.frame_duration)

    def _grid(self, pictures: Iterable[tuple[Fraction, P]], duration: int) -> Iterator[tuple[int, P]]:
        """Constant rate: one picture for every place of the grid."""
        phase, thin = self.plan.phase, self.plan.thin
        place = (self.start - phase + duration - 1) // duration if self.start else 0
        stop = (self.end - phase) // duration
        last: P | None = None
        for time, picture in pictures:
            wanted = (2 * thin * (self.ticks(time) - phase) + duration) // (2 * thin * duration)
            while place < min(wanted, stop):
                self.repeated += 1
                yield self._place(place, duration), picture if last is None else last
                place += 1
            if wanted >= stop:
                return
            if wanted == place:
                yield self._place(place, duration), picture
                place += 1
            last = picture
        while last is not None and place < stop:
            self.repeated += 1
            yield self._place(place, duration), last
            place += 1

    def _place(self, place: int, duration: int) -> int:
        return self.plan.phase + place * duration if place else 0

    def _own_times(self, pictures: Iterable[tuple[Fraction, P]]) -> Iterator[tuple[int, P]]:
        """Irregular times are kept, except that each segment's start has a picture and none stands too long."""
        timescale = self.plan.timescale
        closest = int(Fraction(timescale, self.plan.max_frame_rate) * CLOSEST)
        longest = max(1, int(LONGEST_PICTURE * timescale))
        chunk = self.plan.chunks[self.chunk]
        starts = list(self.plan.boundaries[chunk.first : chunk.last + 1])
        if chunk is self.plan.chunks[-1]:
            starts.pop()
        last: P | None = None
        at: int | None = None
        standing: P | None = None
        """What stands until the next start, while the pictures right before that are left out for it."""
        for time, picture in pictures:
            ticks = self.ticks(time)
            if at is None and ticks >= self.start:
                at = self.start
                yield at, picture if last is None or ticks == at else last
                if last is None:
                    last = picture
                    continue
                self.repeated += ticks != at
            if at is not None:
                for fill in self._fills(at, min(ticks, self.end), starts, longest):
                    self.repeated += 1
                    standing = None if fill in starts else standing
                    yield fill, next(one for one in (standing, last, picture) if one is not None)
                    at = fill
                if ticks >= self.end:
                    return
                room = closest if ticks not in starts else 1
                if self._too_near_a_start(ticks, starts, closest):
                    standing = last if standing is None else standing
                elif ticks - at >= room:
                    yield ticks, picture
                    at, standing = ticks, None
            last = picture
        if last is None:
            return
        if at is None:
            yield self.start, last
            at = self.start
        for fill in self._fills(at, self.end, starts, longest):
            self.repeated += 1
            standing = None if fill in starts else standing
            yield fill, last if standing is None else standing

    @staticmethod
    def _fills(at: int, until: int, starts: list[int], longest: int) -> Iterator[int]:
        """Yield the times strictly between ``at`` and ``until`` at which the standing picture is shown again: at the
        starts of segments, and evenly between them.
        """
        while at < until:
            place = bisect_right(starts, at)
            following = min(starts[place], until) if place < len(starts) else until
            pieces = -(-(following - at) // longest)
            yield from (at + (following - at) * piece // pieces for piece in range(1, pieces))
            at = following
            if at < until:
                yield at

    @staticmethod
    def _too_near_a_start(ticks: int, starts: list[int], closest: int) -> bool:
        """Tell whether a segment starts so soon after ``ticks`` that a picture there would be shown too shortly."""
        place = bisect_right(starts, ticks)
        return ticks not in starts and place < len(starts) and starts[place] - ticks < closest
