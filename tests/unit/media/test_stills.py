"""Which stills there are, and that joining what chunks found gives what one look at the whole would have."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost.media import stills, storyboard, wire
from streamhost.media.cuts import CUT, LOOK_SIZE, CutFinder
from streamhost.media.errors import PartsDoNotFit
from streamhost.model.stills import ChunkStills, Cut, Still, Storyboard

RATE = 25
durations = st.fractions(Fraction(1, 100), 30 * 3600, max_denominator=1000)


def found_in(shades: list[int], first: int) -> ChunkStills:
    """What a chunk remembers whose pictures, from number `first` on, are of these shades of grey."""
    finder = CutFinder()
    for number, shade in enumerate(shades):
        finder.see(Fraction(first + number, RATE), np.full((LOOK_SIZE[1], LOOK_SIZE[0]), shade, np.uint8))
    assert finder.first is not None
    assert finder.last is not None
    start, end = Fraction(first, RATE), Fraction(first + len(shades), RATE)
    every = stills.places(start, end, Fraction(1, 5))
    posters = tuple(Still(Fraction(n, 5), f"posters-{first}.mjpeg", 0, 1, (n * 37 % 101) / 101) for n in every)
    return ChunkStills(
        start, end, (192, 108), "", 0, 0, tuple(finder.cuts), posters, posters[:1],
        stills.look(finder.first, finder.first_change, finder.first_change_at),
        stills.look(finder.last, finder.last_change, finder.last_change_at),
    )  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(16, 235), st.integers(8, 30)), min_size=2, max_size=8),
    st.lists(st.integers(2, 200), max_size=5),
    st.randoms(use_true_random=False),
)
def test_chunks_in_any_order_give_the_cuts_of_the_whole(
    scenes: list[tuple[int, int]], borders: list[int], order: Random
) -> None:
    """Wherever a video was cut into chunks, also right at a change of scene, the same cuts are found."""
    shades = [shade for shade, length in scenes for _ in range(length)]
    places = sorted({0, len(shades), *(b for b in borders if b < len(shades) - 1)})
    parts = [found_in(shades[a:b], a) for a, b in pairwise(places)]
    order.shuffle(parts)
    whole = stills.merge([found_in(shades, 0)])
    merged = stills.merge(parts)
    assert merged.cuts == whole.cuts
    clear = [Fraction(n, RATE) for n, (a, b) in enumerate(pairwise(shades), 1) if abs(a - b) / 219 >= CUT]
    assert [cut.at for cut in merged.cuts] == clear


@settings(deadline=None)
@given(st.lists(st.integers(2, 200), max_size=5))
def test_the_best_candidate_of_each_part_becomes_a_poster_candidate(borders: list[int]) -> None:
    """However many chunks offered candidates, one is left for each part of the video: the best of all."""
    places = sorted({0, 250, *borders})
    merged = stills.merge(found_in([100] * (b - a), a) for a, b in pairwise(places))
    times = stills.sampling(Fraction(10))
    assert [times.window(still.at) for still in merged.posters] == list(range(stills.POSTERS))
    offered = [still for a, b in pairwise(places) for still in found_in([100] * (b - a), a).posters]
    for still in merged.posters:
        rivals = [other for other in offered if times.window(other.at) == times.window(still.at)]
        assert still.score == max(other.score for other in rivals)


def test_a_missing_chunk_is_noticed() -> None:
    """Stills with a hole in between are not passed for the whole."""
    parts = [found_in([100] * 50, first) for first in (0, 50, 100)]
    with pytest.raises(PartsDoNotFit):
        stills.merge([parts[0], parts[2]])


def test_nothing_gives_nothing() -> None:
    """A video of which no chunk took stills has none."""
    assert stills.merge([]).posters == ()
    assert stills.automatic(()) is None


def test_motion_is_no_cut() -> None:
    """Pictures that change all the time by the same amount do not begin a scene each."""
    assert found_in([40 if n % 2 else 120 for n in range(100)], 0).cuts == ()


def test_repeated_pictures_do_not_make_cuts() -> None:
    """When each picture comes twice, the differences jump between none and some: still no scene begins."""
    assert found_in([40 + 60 * (n // 2 % 2) for n in range(100)], 0).cuts == ()


@settings(deadline=None)
@given(durations)
def test_stills_are_bounded(duration: Fraction) -> None:
    """However long a video is, its tiles and frames to screen stay few; however short, there is a tile."""
    times = stills.sampling(duration)
    board = stills.layout(duration, (192, 108))
    assert 1 <= board.count <= 3600
    assert (board.count - 1) * board.interval < duration <= board.count * board.interval
    assert len(stills.places(Fraction(0), duration, times.screen_every)) <= stills.MOST_SCREENED
    assert duration / times.cut_every <= stills.MOST_SCREENED or times.cut_every == stills.SCREEN_CUTS


@settings(deadline=None)
@given(durations, st.lists(st.fractions(0, 1, max_denominator=50), max_size=6))
def test_every_tile_belongs_to_one_chunk(duration: Fraction, shares: list[Fraction]) -> None:
    """Chunks take each place of the regular grid once, whatever their borders."""
    borders = sorted({Fraction(0), duration, *(share * duration for share in shares)})
    every = Fraction(stills.layout(duration, (2, 2)).interval)
    taken = [n for a, b in pairwise(borders) for n in stills.places(a, b, every)]
    assert taken == list(stills.places(Fraction(0), duration, every))


@settings(deadline=None)
@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(2, 2000))
def test_fitted_sizes_keep_the_shape(width: int, height: int, longest: int) -> None:
    """Sizes are even and no larger than asked for or than the picture, but for a rounding."""
    wide, tall = stills.fitted(width, height, longest)
    assert wide % 2 == tall % 2 == 0
    assert max(wide, tall) <= max(2, min(longest, max(width, height)) + 1)


def test_the_track_names_the_place_of_every_tile() -> None:
    """Cues follow each other up to the video's end; each points into its sheet."""
    board = Storyboard(2, 27, 100, 50, 5, 5, (1, 1))
    cues = storyboard.track(board, Fraction(53)).split("\n\n")[1:]
    assert cues[0] == "00:00:00.000 --> 00:00:02.000\nstoryboard/1.jpg#xywh=0,0,100,50"
    assert cues[7] == "00:00:14.000 --> 00:00:16.000\nstoryboard/1.jpg#xywh=200,50,100,50"
    assert cues[26] == "00:00:52.000 --> 00:00:53.000\nstoryboard/2.jpg#xywh=100,0,100,50\n"


def test_facts_travel_as_json() -> None:
    """What a child answers is what the server reads."""
    part = replace(found_in([20] * 20 + [200] * 20, 0), screening=(Still(Fraction(1, 3), "a", 5, 7, 0.5),))
    assert part.cuts == (Cut(Fraction(20, RATE), round(180 / 219, 4)),)
    assert wire.loads(wire.dumps(part), ChunkStills) == part
