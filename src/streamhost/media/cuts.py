"""Finds changes of scene in tiny grey pictures, as FFmpeg's ``scdet`` does in whole ones. Pure arithmetic.

A cut is where the difference from the picture before is large, and much larger than the difference before that one:
motion changes every picture, a cut only one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from streamhost.late import late
from streamhost.model.stills import Cut

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = late("numpy")

LOOK_SIZE = (32, 18)
"""Width and height of the tiny pictures: enough to tell scenes, too little to mind noise and small motion."""
CUT = 0.08
"""Score from which it is a cut: 8 % of the whole range of brightness, on average over the picture."""
MIN_SCENE = Fraction(1, 4)
"""Seconds; flashes and flicker are no scenes."""
STILL = 0.05
"""A smaller difference (of 255) is none: the picture before, shown again or coded anew."""
RANGE = 219
"""Distance of white from black in limited range (ITU-R BT.709, 4.6)."""

Luma: TypeAlias = "NDArray[np.uint8]"


def change(before: Luma, after: Luma) -> float:
    """Return the mean absolute difference of two tiny pictures, 0..255; 0 where it is too small to count."""
    return _counted(float(np.abs(after.ravel().astype(np.int16) - before.ravel()).mean()))


def kept_change(before: bytes, after: bytes) -> float:
    """Return the same of two that were kept, a byte for each pixel. Once a chunk, that is not worth loading NumPy."""
    return _counted(sum(abs(b - a) for a, b in zip(before, after, strict=True)) / len(before))


def _counted(difference: float) -> float:
    return difference if difference >= STILL else 0.0


def score(now: float, earlier: float) -> float:
    """Return how much of a cut a difference is, 0..1, given the difference shortly before it (0 if there was none)."""
    return round(min(now, abs(now - earlier)) / RANGE, 4)


@dataclass(slots=True)
class CutFinder:
    """Takes the pictures of one chunk in order.

    What came before the first one counts for a change soon after it, and is not known here: ``stills.merge`` knows.
    """

    cuts: list[Cut] = field(default_factory=list, init=False)
    first: Luma | None = field(default=None, init=False)
    last: Luma | None = field(default=None, init=False)
    first_change: float = field(default=0.0, init=False)
    first_change_at: Fraction = field(default=Fraction(0), init=False)
    last_change: float = field(default=0.0, init=False)
    last_change_at: Fraction = field(default=Fraction(0), init=False)
    _start: Fraction = field(default=Fraction(0), init=False)

    def see(self, at: Fraction, luma: Luma) -> Cut | None:
        """Take the picture shown from ``at`` on; return the cut if it begins a scene."""
        if self.last is None:
            self.first = self.last = luma
            self._start = self.first_change_at = self.last_change_at = at
            return None
        now = change(self.last, luma)
        if now == 0:
            return None
        earlier = self.last_change if at - self.last_change_at <= MIN_SCENE else 0.0
        is_first = self.last_change == 0
        self.last, self.last_change, self.last_change_at = luma, now, at
        if is_first and at - self._start <= MIN_SCENE:
            self.first_change, self.first_change_at = now, at
            return None
        found = Cut(at, score(now, earlier))
        if found.score < CUT or (self.cuts and at - self.cuts[-1].at < MIN_SCENE):
            return None
        self.cuts.append(found)
        return found
