"""Which pictures a chunk encodes, and when they are shown."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamhost.media import planning
from streamhost.media.retime import LONGEST_PICTURE, Retimer
from streamhost.media.tasks import Encoding
from streamhost.media.timing import Timing
from streamhost.model.streaming import Chunk, Plan
from tests.unit.media.facts import info, video_track

TICK = Fraction(1, 90000)
steps = st.lists(st.one_of(st.integers(1, 9000), st.just(3003), st.integers(40_000, 200_000)), min_size=2, max_size=80)


def plan_for(times: list[int], *, rate: Fraction = Fraction(30), chunk: float = 1.0) -> Plan:
    """The plan of a source whose pictures are shown at ``times``; its keyframes are further apart than a rounding."""
    keys = times[:1]
    keys += [time for last, time in pairwise(times[::5]) if (time - last) * TICK > planning.ROUNDING]
    found = Timing(np.array(times, np.int64), np.array(keys, np.int64), times[-1] + 3000, TICK)
    source = info(video_track(frame_rate=rate, time_base=TICK))
    return planning.make_plan(source, found, (), Encoding(segment=0.4, chunk=chunk))


def run(plan: Plan, times: list[int], number: int) -> list[tuple[int, int]]:
    """What chunk ``number`` encodes, decoding from its keyframe on; pictures are their place in the source."""
    chunk = plan.chunks[number]
    pictures = [(time * TICK, place) for place, time in enumerate(times) if time * TICK >= chunk.seek]
    return list(Retimer[int](plan, number).run(iter(pictures)))


def in_one(plan: Plan, times: list[int]) -> list[tuple[int, int]]:
    """What one chunk over everything would encode, with the same boundaries."""
    whole = replace(plan, chunks=(Chunk(0, len(plan.boundaries) - 1, plan.chunks[0].seek),))
    return run(whole, times, 0)


@given(steps)
def test_chunks_make_what_one_pass_makes(gaps: list[int]) -> None:
    """However the times fall: the chunks' pictures, one after the other, are those of a single pass."""
    times = [0, *(int(t) for t in np.cumsum(gaps))]
    plan = plan_for(times)
    parts = [pair for number in range(len(plan.chunks)) for pair in run(plan, times, number)]
    assert parts == in_one(plan, times)


@given(steps)
def test_every_segment_starts_with_a_picture(gaps: list[int]) -> None:
    """Times rise, lie within the chunk, hit every boundary, and no picture stands too long."""
    times = [0, *(int(t) for t in np.cumsum(gaps))]
    plan = plan_for(times)
    shown = [ticks for ticks, _ in in_one(plan, times)]
    assert all(a < b for a, b in pairwise(shown))
    assert set(plan.boundaries[:-1]) <= set(shown)
    assert shown[0] == 0
    assert shown[-1] < plan.boundaries[-1]
    if plan.frame_duration is None:
        longest = LONGEST_PICTURE * plan.timescale
        assert all(b - a <= longest for a, b in pairwise([*shown, plan.boundaries[-1]]))


@given(steps)
@example([20_000, 44_500, 600, 44_500])  # the third is left out for the segment that begins with the fourth
def test_the_right_picture_stands_at_each_time(gaps: list[int]) -> None:
    """Irregular times: what is shown is the newest picture there was, a moment's tolerance for dropped close ones
    aside.
    """
    times = [0, *(int(t) for t in np.cumsum(gaps))]
    plan = plan_for(times)
    if plan.frame_duration is not None:
        return
    for ticks, place in in_one(plan, times):
        newest = bisect_right(times, ticks * 90000 // plan.timescale) - 1
        assert place <= newest
        assert times[newest] - times[place] <= 2 * 90000 // 60


@pytest.mark.parametrize("count", [1, 2, 49, 50, 51, 300])
def test_a_constant_rate_keeps_every_picture(count: int) -> None:
    """Each picture once, on the grid, whatever the number."""
    times = [n * 3600 for n in range(count)]
    plan = plan_for(times, rate=Fraction(25))
    parts = [pair for number in range(len(plan.chunks)) for pair in run(plan, times, number)]
    assert plan.frame_duration == 512
    assert parts == [(n * 512, n) for n in range(count)]


def test_lost_pictures_are_filled_with_the_last() -> None:
    """A hole shows the picture before it again, also across a chunk's start, and is counted."""
    times = [n * 3600 for n in range(200) if n not in (7, 8)]
    plan = plan_for(times, rate=Fraction(25), chunk=60)
    retimer = Retimer[int](plan, 0)
    made = list(retimer.run((time * TICK, time // 3600) for time in times))
    assert [picture for _, picture in made][5:11] == [5, 6, 6, 6, 9, 10]
    assert retimer.repeated == 2


def test_a_cut_off_source_stands_still_to_the_end() -> None:
    """When decoding ends early the last picture stands for the rest: the plan's length holds."""
    times = [n * 3600 for n in range(200)]
    plan = plan_for(times, rate=Fraction(25), chunk=60)
    made = list(Retimer[int](plan, 0).run((time * TICK, time // 3600) for time in times[:150]))
    assert len(made) == 200
    assert made[-1][1] == 149


def test_every_second_picture_of_a_fast_source_is_kept() -> None:
    """120 a second become 60: the even ones, exactly."""
    times = [n * 750 for n in range(600)]
    plan = plan_for(times, rate=Fraction(120), chunk=60)
    made = run(plan, times, 0)
    assert plan.frame_rate == 60
    assert [picture for _, picture in made][:300] == list(range(0, 600, 2))


def test_crowded_pictures_are_thinned() -> None:
    """Irregular times closer than a 60th second lose pictures, never a segment's first."""
    times = [0, *(int(t) for t in np.cumsum([500, 400, 3000, 700] * 60))]
    plan = plan_for(times, rate=Fraction(90))
    made = in_one(plan, times)
    assert plan.frame_duration is None
    shortest = min(b - a for (a, _), (b, _) in pairwise(made))
    assert shortest >= plan.timescale * 9 // 600
