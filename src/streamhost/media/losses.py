"""What was lost of a source, in sentences for its owner. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from streamhost.model.streaming import Seam

BEARABLE = Fraction(1)
"""Seconds that may be missing at either end without a word: containers round, tracks end apart."""
BEARABLE_SHARE = Fraction(2, 100)
"""The same as a share of the whole, for containers that only estimate their length."""
ONE_PLACE = 2.0
"""Seconds; damage nearer than this is one place."""
MOST_PLACES = 5
"""Places named in a sentence; more are counted."""


def breaks_off(claimed: Fraction, found: Fraction) -> tuple[str, ...]:
    """Say that a file of ``claimed`` seconds ends after ``found``, if that is more than bearable."""
    missing = claimed - found
    if missing <= max(BEARABLE, claimed * BEARABLE_SHARE):
        return ()
    return (f"The file breaks off: {clock(missing)} of its {clock(claimed)} are missing at the end.",)


def begins_late(seconds: Fraction) -> tuple[str, ...]:
    """Say that the first pictures could not be decoded, if they last longer than is bearable."""
    if seconds <= BEARABLE:
        return ()
    return (f"The first {clock(seconds)} of the picture could not be decoded, since its beginning is missing.",)


def joined(seams: Sequence[Seam]) -> tuple[str, ...]:
    """Say that the clock jumps."""
    jumps = len({seam.shift for seam in seams})
    if not jumps:
        return ()
    times = "once" if jumps == 1 else f"{jumps} times"
    return (f"The file's clock jumps {times}; its parts were joined there.",)


def damaged(seconds: Iterable[float], count: int) -> tuple[str, ...]:
    """Say where ``count`` packets could not be decoded: at ``seconds``, as far as that is known."""
    if not count:
        return ()
    parts = "One damaged part was" if count == 1 else f"{count} damaged parts were"
    places = _places(seconds)
    if not places:
        return (f"{parts} left out.",)
    rest = len(places) - MOST_PLACES
    named = ", ".join(places[:MOST_PLACES]) + (f" and {rest} more places" if rest > 0 else "")
    return (f"{parts} left out, at {named}.",)


def clock(seconds: Fraction | float) -> str:
    """Return a length or place as people write it: ``0:07``, ``1:02:03``."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _places(seconds: Iterable[float]) -> list[str]:
    """Join what lies near to places: a time each, or from one to another."""
    ordered = sorted(seconds)
    if not ordered:
        return []
    cuts = [0, *(n for n, (a, b) in enumerate(pairwise(ordered), 1) if b - a > ONE_PLACE), len(ordered)]
    spans = [(clock(ordered[a]), clock(ordered[b - 1])) for a, b in pairwise(cuts)]
    return list(dict.fromkeys(first if first == last else f"{first} to {last}" for first, last in spans))
