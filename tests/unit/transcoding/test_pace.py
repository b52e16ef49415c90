"""Speed and time left of a package whose parts report, with a clock that the test moves."""

from __future__ import annotations

from itertools import pairwise

import pytest

from streamhost.features.transcoding.pace import Estimate, Left, Pace
from streamhost.features.transcoding.recipe import COPY_COST, PUBLISH_COST, STORYBOARD_COST

MINUTE = 60.0


def encode(pace: Pace, chunks: int, speed: float, tick: float = 0.5) -> list[tuple[float, Estimate]]:
    """Encode chunks of a minute one after another at `speed`; every estimate with the time that was truly left."""
    seconds = chunks * MINUTE / speed
    progress = [0.0] * chunks
    found: list[tuple[float, Estimate]] = []
    now = 0.0
    for number in range(chunks):
        pace.begin(f"chunk-{number}", now)
        steps = round(MINUTE / speed / tick)
        for step in range(1, steps + 1):
            now += tick
            progress[number] = step / steps
            pace.heard(f"chunk-{number}", MINUTE, progress[number], now)
            left = [Left("chunk", MINUTE, share) for share in progress]
            left += [Left("publish", PUBLISH_COST, 0.0), Left("storyboard", STORYBOARD_COST, 0.0)]
            found.append((seconds - now, pace.estimate(left, chunks * MINUTE + PUBLISH_COST + STORYBOARD_COST)))
        pace.end(f"chunk-{number}")
    return found


def test_steady_encoding_tells_its_speed_and_an_end_that_holds() -> None:
    """Five minutes at four times real time: the speed is 4, the end is right within two seconds, and never recedes."""
    found = encode(Pace(), 5, 4.0)
    known = [(truth, one) for truth, one in found if one.eta is not None]
    assert len(known) > len(found) - 5
    for truth, one in known:
        assert one.speed == pytest.approx(4.0, rel=0.05)
        assert one.eta == pytest.approx(truth, abs=2.0)
    left = [one.eta or 0.0 for _, one in known]
    assert all(later <= earlier + 0.1 for earlier, later in pairwise(left))


def test_two_children_at_once_are_one_pace() -> None:
    """Two chunks side by side, each at real time: together twice real time, and half of the time is left."""
    pace = Pace()
    pace.begin("chunk-0", 0.0)
    pace.begin("chunk-1", 0.0)
    for tick in range(1, 41):
        for name in ("chunk-0", "chunk-1"):
            pace.heard(name, MINUTE, tick * 0.5 / MINUTE, tick * 0.5)
    left = [Left("chunk", MINUTE, 20 / MINUTE)] * 2
    estimate = pace.estimate(left, 2 * MINUTE)
    assert estimate.speed == pytest.approx(2.0, rel=0.05)
    assert estimate.eta == pytest.approx(40.0, rel=0.05)


def test_a_fast_copy_says_nothing_of_the_encoding_that_follows() -> None:
    """While a source is copied at a hundred times real time, the end of its encoding is not known, so none is told."""
    pace = Pace()
    weight = 3600 * COPY_COST
    pace.begin("copy", 0.0)
    for tick in range(1, 11):
        pace.heard("copy", weight, tick * 50 / 3600, tick * 0.5)
    estimate = pace.estimate([Left("copy", weight, 500 / 3600)], weight + 3600)
    assert estimate.speed == pytest.approx(100.0, rel=0.05)
    assert estimate.eta is None


def test_a_part_that_begins_anew_does_not_count_twice() -> None:
    """A chunk that was half done when it was stopped reports from nothing again: the pace stays that of real work."""
    pace = Pace()
    for start in (0.0, 1000.0):
        pace.begin("chunk-0", start)
        for tick in range(1, 61):
            pace.heard("chunk-0", MINUTE, tick / 120, start + tick)
        pace.end("chunk-0")
    assert pace.idle
    assert pace.estimate([Left("chunk", MINUTE, 0.5)], MINUTE).eta == pytest.approx(60.0, rel=0.05)
