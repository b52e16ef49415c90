"""Plans: constant and variable rates, segments, chunks."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamhost.media import planning
from streamhost.media.tasks import Encoding
from streamhost.media.timing import Clock, Timing, believable, constant_rate, grid, steadied
from streamhost.model.streaming import Plan, Rung
from tests.unit.media.facts import info, video_track

RUNGS = (Rung("v90", 160, 90, 23, 200_000, 300_000),)
TICK = Fraction(1, 90000)
RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50), Fraction(60)]


def timing(rate: Fraction, count: int, *, base: Fraction = Fraction(1, 90000), gop: int = 50, first: int = 0) -> Timing:
    """Pictures at a constant rate, rounded to the time base, a keyframe every ``gop``."""
    times = np.array([first + round(n / rate / base) for n in range(count + 1)], np.int64)
    return Timing(times[:-1], times[:-1][::gop], int(times[-1]), base)


def check(plan: Plan) -> None:
    """A plan's boundaries rise, and its chunks cover them one after the other."""
    assert plan.boundaries[0] == 0
    assert all(a < b for a, b in pairwise(plan.boundaries))
    assert plan.chunks[0].first == 0
    assert plan.chunks[-1].last == len(plan.boundaries) - 1
    assert all(a.last == b.first for a, b in pairwise(plan.chunks))
    assert all(chunk.first < chunk.last for chunk in plan.chunks)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("base", [Fraction(1, 90000), Fraction(1, 1000), Fraction(1, 12800)])
def test_a_constant_rate_is_recognised(rate: Fraction, base: Fraction) -> None:
    """Times rounded to milliseconds (Matroska) still give the exact rate."""
    assert constant_rate(timing(rate, 500, base=base), rate) == rate
    assert constant_rate(timing(rate, 500, base=base), Fraction(1000)) == rate


def test_a_few_missing_pictures_are_holes() -> None:
    """A source that lost one picture in a hundred is still constant; one that lost a third is not."""
    whole = timing(Fraction(25), 1000)
    few = np.delete(whole.times, [100, 333, 700])
    assert constant_rate(Timing(few, whole.keys, whole.end, whole.time_base), Fraction(25)) == 25
    many = np.delete(whole.times, np.arange(0, 1000, 7))
    assert constant_rate(Timing(many, whole.keys, whole.end, whole.time_base), Fraction(25)) is None


@given(st.lists(st.integers(1, 9000), min_size=3, max_size=200))
def test_irregular_times_make_a_valid_plan(steps: list[int]) -> None:
    """Whatever the times, the plan covers all of them in order."""
    times = np.cumsum([0, *steps]).astype(np.int64)
    found = Timing(times, times[::10], int(times[-1]) + 3000, Fraction(1, 90000))
    source = info(video_track(frame_rate=Fraction(30), time_base=Fraction(1, 90000)))
    check(planning.make_plan(source, found, RUNGS, Encoding(segment=0.5, chunk=1.0)))


@given(
    st.sampled_from(RATES), st.integers(1, 3000), st.integers(1, 400), st.floats(0.5, 10), st.floats(2, 90),
    st.integers(0, 90000),
)  # fmt: skip
@example(Fraction(60), 225, 2, 1.0, 2.0, 22498)
def test_a_constant_rate_goes_onto_its_grid(
    rate: Fraction, count: int, gop: int, segment: float, chunk: float, first: int
) -> None:
    """Every boundary is a whole number of pictures; chunks start where the source has keyframes."""
    source = info(video_track(frame_rate=rate, time_base=Fraction(1, 90000)))
    found = timing(rate, count, gop=gop, first=first)
    plan = planning.make_plan(source, found, RUNGS, Encoding(segment=segment, chunk=chunk))
    check(plan)
    assert plan.frame_duration is not None
    assert (plan.timescale, plan.frame_duration) == grid(rate)
    assert all((b - plan.phase) % plan.frame_duration == 0 for b in plan.boundaries[1:])
    late = first / 90000
    assert abs(float(plan.duration) - (late + count / rate)) < 1 / rate
    # Which place on the grid the first picture has: the nearest, since its own time is rounded to the source's ticks.
    before = round((late * plan.timescale - plan.phase) / plan.frame_duration)
    for part in plan.chunks[1:]:
        start = (plan.boundaries[part.first] - plan.phase) // plan.frame_duration - before
        assert start % gop == 0
        assert abs(part.seek - found.first - start / rate) < Fraction(1, 1000)


def test_chunks_keep_every_worker_busy() -> None:
    """A short video is halved for two workers; a minute each from there on; seconds are not worth a second process."""
    two = Encoding(workers=2)
    assert [planning.chunk_count(seconds, two) for seconds in (5, 16, 53, 110, 130, 480, 3600)] == [
        1,
        2,
        2,
        2,
        4,
        8,
        60,
    ]


def test_rungs_follow_the_cuts_of_a_copied_rendition() -> None:
    """Lower renditions start their segments exactly where the copied one does, and chunks are runs of those."""
    boundaries = [0, 45000, 100000, 190000, 250000, 300000]
    found = timing(Fraction(30), 100)
    plan = planning.follow_plan(info(video_track()), found, boundaries, 90000, RUNGS, Encoding(chunk=1.0, segment=0.5))
    check(plan)
    assert list(plan.boundaries) == boundaries
    assert plan.frame_duration is None
    assert len(plan.chunks) > 1


def test_interlaced_sources_are_decoded_with_their_past() -> None:
    """A deinterlacer looks at the pictures before; decoding then starts one keyframe earlier."""
    found = timing(Fraction(25), 1000)
    usual = planning.make_plan(info(video_track()), found, RUNGS, Encoding(chunk=8.0))
    woven = planning.make_plan(info(video_track(interlaced=True)), found, RUNGS, Encoding(chunk=8.0))
    assert [(a.seek - b.seek) for a, b in zip(usual.chunks, woven.chunks, strict=True)][1:] == [2] * (
        len(usual.chunks) - 1
    )


@given(st.lists(st.integers(1, 10**7), max_size=30), st.booleans())
def test_good_times_are_left_alone(steps: list[int], known: bool) -> None:
    """Times that rise, by whatever steps, come back as they were, however long the pauses."""
    times = [int(t) * TICK for t in np.cumsum(steps)]
    given_times = [(time if known or n % 3 else None if n else time, n) for n, time in enumerate(times)]
    found = list(steadied(iter(given_times), Fraction(0), Fraction(1, 25)))
    assert [n for _, n in found] == list(range(len(times)))
    assert all(a < b for (a, _), (b, _) in pairwise(found))
    if known:
        assert [time for time, _ in found] == times


@pytest.mark.parametrize("place", [0, 1, 7, 98, 99])
@pytest.mark.parametrize("wild", [Fraction(95443), Fraction(-50), None])
def test_a_single_wild_time_is_mended(place: int, wild: Fraction | None) -> None:
    """One time far off, missing or run back takes the place its neighbours leave; the others keep theirs."""
    times: list[Fraction | None] = [Fraction(n, 25) for n in range(100)]
    times[place] = wild
    found = [time for time, _ in steadied(((time, None) for time in times), Fraction(0), Fraction(1, 25))]
    assert len(found) == 100
    assert all(a < b for a, b in pairwise(found))
    # Of the first two, nothing tells which of them is the wild one when the second runs back.
    rest = [n for n in range(100) if n != place and not (place < 2 and wild == -50)]
    assert [found[n] for n in rest] == [Fraction(n, 25) for n in rest]


def test_wild_times_do_not_count_in_a_plan() -> None:
    """A bit flipped in a time stamp makes no day-long video; a long pause stays one."""
    times = np.arange(0, 300 * 3600, 3600, dtype=np.int64)
    times[150] += 1 << 32
    assert believable(times, TICK).sum() == 299
    paused = np.concatenate((np.arange(0, 360000, 3600), np.arange(360000 + 90000 * 1800, 720000 + 90000 * 1800, 3600)))
    assert believable(paused, TICK).all()


@given(st.integers(-(10**9), 10**12), st.fractions(-100, 100), st.sampled_from([1000, 12800, 48000, 90000]))
def test_the_clock_rounds_to_the_nearest_tick(time: int, origin: Fraction, timescale: int) -> None:
    """Whole-number arithmetic agrees with exact fractions to half a tick."""
    clock = Clock.between(Fraction(1, 90000), origin, timescale)
    assert abs(clock(time) - (Fraction(time, 90000) - origin) * timescale) <= Fraction(1, 2)
