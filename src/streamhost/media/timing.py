"""When a source's pictures are shown: what one reading pass found, and whether it is a constant rate. Pure
arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

MIN_TIMESCALE, MAX_TIMESCALE, USUAL_TIMESCALE = 1_000, 1_000_000, 90_000
FINE_TIMESCALE = 10_000
"""A constant rate's timescale is doubled until it reaches this, so that an offset to the audio is exact to 0.1 ms."""
RATES = (
    *(Fraction(n, 1001) for n in (24000, 30000, 48000, 60000, 120000)),
    *map(Fraction, (10, 12, 15, 24, 25, 30, 48, 50, 60, 100, 120)),
)
"""Rates that video is made in; a measured rate near one of them is that one."""
RATE_TOLERANCE = 0.0004
"""Relative; under half the distance between 24 and 24000/1001."""
MAX_JITTER = 0.3
"""How far, in pictures, a time may stand off the grid of a usual rate: rounding to milliseconds at 60/s is 0.03."""
MAX_JITTER_UNUSUAL = 0.05
"""The same for a rate that only this source has: with more slack, any nearly even times would make one."""
MAX_HOLES = 0.02
"""Up to this share of missing pictures a rate still counts as constant; they are then repeated."""
SLOWEST = Fraction(2)
"""Pictures a second. Slower ones keep their times, and long ones are repeated."""
STILL = 2
"""A single picture that stands for longer than so many of its kind is no video but a still."""

WILD = Fraction(10)
"""Seconds. A single time that stands off by more than this from those before and after it is a mistake."""
NEIGHBOURS = 4
"""How many times on either side say whether one is a mistake."""

Times = NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timing:
    """The video packets of a source: presentation times in ticks of ``time_base``, sorted; ``end`` of the last picture.

    ``keys`` are the times of keyframes at which decoding can start.
    """

    times: Times
    keys: Times
    end: int
    time_base: Fraction

    @property
    def first(self) -> Fraction:
        """When the first picture is shown, in seconds of the source's clock."""
        return self.seconds(int(self.times[0]))

    def seconds(self, ticks: int) -> Fraction:
        """Return ticks as exact seconds of the source's clock."""
        return ticks * self.time_base

    def decode_from(self, start: Fraction, *, with_past: bool) -> Fraction:
        """Return the time of the keyframe from which to decode the picture at ``start``.

        ``with_past`` goes one keyframe further back, for filters that look at earlier pictures.
        """
        ticks = round(start / self.time_base)
        place = int(np.searchsorted(self.keys, ticks, side="right")) - (2 if with_past else 1)
        return self.seconds(int(self.keys[place])) if place >= 0 else self.first


def believable(times: Times, time_base: Fraction) -> NDArray[np.bool_]:
    """Tell which of ``times``, in the order of the file, are no single mistakes: near the median of their neighbours.

    A long pause is no mistake: there the neighbours on one side agree.
    """
    if len(times) <= 2 * NEIGHBOURS:
        return np.ones(len(times), np.bool_)
    padded = np.pad(times, NEIGHBOURS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    return np.asarray(np.abs(times - np.median(windows, axis=1)) <= int(WILD / time_base))


def steadied(
    things: Iterable[tuple[Fraction | None, T]], start: Fraction, step: Fraction
) -> Iterator[tuple[Fraction, T]]:
    """Give things in order times that rise: a missing one, one that runs back, or a single wild one becomes the last
    plus ``step``. ``start`` is the first's if it has none.
    """
    latest: Fraction | None = None
    held: tuple[Fraction, T] | None = None
    for time, thing in things:
        if held is not None:
            # Now that the next time is known, the held one shows itself as the beginning of a pause, or as wild.
            back = held[0] - time if time is not None else Fraction(0)
            if latest is None:
                latest = time - step if time is not None and back > WILD else held[0]
            else:
                latest = latest + step if back > 0 else held[0]
            yield latest, held[1]
            held = None
        time = start if time is None and latest is None else time
        if time is not None and (latest is None or time - latest > WILD):
            held = (time, thing)
            continue
        assert latest is not None, "the first thing is always held"
        latest = latest + step if time is None or time <= latest else time
        yield latest, thing
    if held is not None:
        yield held


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns a track's times into ticks of a rendition, in whole numbers: this runs for every packet of a file."""

    factor: int
    shift: int
    divisor: int

    @classmethod
    def between(cls, time_base: Fraction, origin: Fraction, timescale: int) -> Clock:
        """From ticks of ``time_base`` to ticks of ``1/timescale``, counted from ``origin`` seconds."""
        step, start = time_base * timescale, origin * timescale
        divisor = step.denominator * start.denominator
        return cls(step.numerator * start.denominator, start.numerator * step.denominator, divisor)

    def __call__(self, time: int) -> int:
        """Return the nearest tick; halves go up."""
        return (2 * (time * self.factor - self.shift) + self.divisor) // (2 * self.divisor)


def constant_rate(timing: Timing, nominal: Fraction) -> Fraction | None:
    """Return the frame rate if all times stand on the grid of one rate, with few holes; else ``None``.

    Tried are the rate that the times themselves give and the nominal one of the container.
    """
    times = timing.times * float(timing.time_base)
    if len(times) == 1:
        length = timing.seconds(timing.end) - timing.first
        return nominal if nominal >= SLOWEST and length * nominal <= STILL else None
    measured = (len(times) - 1) / float(times[-1] - times[0])
    for rate in (usual_rate(float(nominal)), usual_rate(measured)):
        if rate < SLOWEST:
            continue
        jitter = MAX_JITTER if rate in RATES else MAX_JITTER_UNUSUAL
        places = (times - times[0]) * float(rate)
        slots = np.rint(places)
        holes = slots[-1] + 1 - len(slots)
        on_grid = bool(np.abs(places - slots).max() <= jitter and (np.diff(slots) > 0).all())
        if on_grid and holes <= max(1, MAX_HOLES * len(slots)):
            return rate
    return None


def usual_rate(rate: float) -> Fraction:
    """Return the usual rate within tolerance, else the simplest fraction near ``rate``."""
    nearest = min(RATES, key=lambda usual: abs(float(usual) - rate))
    if abs(float(nearest) - rate) <= RATE_TOLERANCE * rate:
        return nearest
    return Fraction(rate).limit_denominator(1001)


def source_timescale(time_base: Fraction) -> int:
    """Return the timescale that keeps a source's times exact if it is sensible, else 90000."""
    fits = time_base.numerator == 1 and MIN_TIMESCALE <= time_base.denominator <= MAX_TIMESCALE
    return time_base.denominator if fits else USUAL_TIMESCALE


def grid(rate: Fraction) -> tuple[int, int]:
    """Return a timescale in which a picture of this rate lasts a whole number of ticks, and that number."""
    timescale, duration = rate.numerator, rate.denominator
    while timescale < FINE_TIMESCALE:
        timescale, duration = timescale * 2, duration * 2
    return timescale, duration
