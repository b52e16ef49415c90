"""Clocks that jump, run out, are missing or lie: every picture is shown, at its time, with its sound."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamhost.media.execute import execute
from streamhost.media.seams import Passage, find_seams, mended
from streamhost.media.tasks import EncodeChunk, Encoded
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.support import odd
from tests.unit.media import workshop

TICK = Fraction(1, 90000)
WRAP = 2**33 / 90000
"""Seconds after which the clock of a transport stream starts again (ISO/IEC 13818-1, 2.4.3.7)."""


def numbers(package: workshop.Package) -> list[int | None]:
    """The counters of all pictures of the best rendition."""
    found = workshop.pictures(workshop.whole(package, package.presentation.video[0].name))
    steps = [b - a for (a, _), (b, _) in pairwise(found)]
    assert min(steps) > 0.001
    return [number for _, number in found]


def without_repeats(found: list[int | None]) -> list[int | None]:
    """Each counter once where it stands several times in a row."""
    return [b for a, b in zip([None, *found], found, strict=False) if a != b or b is None]


@pytest.mark.parametrize(
    "starts",
    [(0, 0), (0, 5000), (5000, 0), (0, 2, 1), (100, 40_000, 100, 0), (0, WRAP - 3)],
    ids=["from 0 again", "far ahead", "far back", "overlapping", "to and fro", "over the end of the clock"],
)
def test_joined_recordings_play_one_after_the_other(starts: tuple[float, ...], tmp_path: Path) -> None:
    """Each part's pictures come, in order, with the sound of each second at its time; nothing stands still between."""
    source = odd.joined(tmp_path, *starts)
    package = workshop.package(source, tmp_path / "package")
    assert package.plan is not None
    assert package.plan.warnings
    assert without_repeats(numbers(package)) == list(range(150)) * len(starts)
    assert package.repeated <= 2 * len(starts)
    heard = workshop.burst_times(workshop.whole(package, "a-main"))
    assert len(heard) == 6 * len(starts)
    video = workshop.pictures(workshop.whole(package, package.presentation.video[0].name))
    seen = [time for time, number in video if number is not None and number % 25 == 0]
    seen = [b for a, b in zip([-1.0, *seen], seen, strict=False) if b - a > 0.5]
    assert np.allclose(heard, seen, atol=0.05)


def test_chunks_of_joined_recordings_are_encoded_apart(tmp_path: Path) -> None:
    """A chunk after a seam, encoded alone, gives the same files: its place is found by reading, not by seeking."""
    source = odd.joined(tmp_path, 0, 5000, 7)
    package = workshop.package(source, tmp_path / "package", encode=True)
    assert package.plan is not None
    assert len(package.plan.chunks) >= 4
    (tmp_path / "again").mkdir()
    for number in reversed(range(len(package.plan.chunks))):
        task = EncodeChunk(str(source), str(tmp_path / "again"), package.info, package.plan, number)
        answer = execute(task)
        assert isinstance(answer, Encoded)
    name = package.presentation.video[0].name
    for segment in (package.out / name).glob("*.m4s"):
        assert (tmp_path / "again" / name / segment.name).read_bytes() == segment.read_bytes()


def test_sound_that_pauses_is_no_jump(tmp_path: Path) -> None:
    """Twelve seconds without sound in a transport stream are silence, since the picture goes on meanwhile."""
    whole = clips.make(tmp_path / "whole.ts", Clip(seconds=20, gop=25, width=96, height=54))
    source = odd.without_packets(whole, tmp_path / "a.ts", "audio", lambda number: 240 <= number < 800)
    package = workshop.package(source, tmp_path / "package", encode=True)
    assert package.plan is not None
    assert package.plan.seams == ()
    heard = workshop.burst_times(workshop.whole(package, "a-main"))
    assert max(b - a for a, b in pairwise(heard)) > 10
    assert abs(package.presentation.audio[0].duration - package.presentation.video[0].duration) < Fraction(1, 10)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_reordered_pictures_in_avi_come_in_order(codec: str, tmp_path: Path) -> None:
    """AVI tells no times of display: pictures are shown in the order they come out, evenly, across chunk borders."""
    clip = Clip(seconds=9, codec=codec, gop=25, options=(("preset", "veryfast"),) if codec == "libx264" else ())
    package = workshop.package(clips.make(tmp_path / "a.avi", clip), tmp_path / "package")
    assert package.obstacle is not None
    assert package.plan is not None
    assert len(package.plan.chunks) > 1
    assert without_repeats(numbers(package)) == list(range(clip.pictures))
    assert package.repeated <= 1
    heard = workshop.burst_times(workshop.whole(package, "a-main"))
    assert np.allclose(heard[1:], range(1, 9), atol=0.05)


def test_a_file_may_begin_anywhere(tmp_path: Path) -> None:
    """Whatever its first time, a file is shown from 0; and one whose clock runs over its end in the middle too."""
    one = clips.make(tmp_path / "one.ts", odd.SIX)
    for start in (3600 * 20, WRAP - 3):
        source = odd.shifted(one, tmp_path / f"{start:.0f}.ts", start)
        package = workshop.package(source, tmp_path / f"package{start:.0f}")
        assert numbers(package) == list(range(150))
        assert abs(float(package.info.duration) - 6) < 0.1


def passage(index: int, times: list[float], place: int = 0) -> Passage:
    """Packets of a 25th of a second that are decoded at these seconds."""
    ticks = np.array([round(time * 90000) for time in times], np.int64)
    return Passage(index, TICK, ticks, np.full(len(ticks), 3600, np.int64), np.arange(len(ticks)) * 2 + place)


@given(st.lists(st.floats(-90_000, 90_000), min_size=1, max_size=5), st.integers(20, 60))
@example([0.0, 38.05, 37.99, 49.99], 23)  # the third runs back a little and ends before the second does
def test_mended_times_rise_evenly(starts: list[float], count: int) -> None:
    """However parts of one recording are dated, each begins a step after the end of what was before it, and goes on in
    such steps, in both tracks."""
    times = [start + number / 25 for start in starts for number in range(count)]
    tracks = [passage(0, times), passage(1, times, 1)]
    seams = find_seams(tracks, jumping=True)
    for track in tracks:
        found = mended(track.decode, track.index, TICK, seams)
        steps = np.diff(found)
        borders = np.arange(count, len(found), count)
        steps[borders - 1] = found[borders] - np.maximum.accumulate(found)[borders - 1]
        # A jump that is too small to be one, or that is no more than a pause, stays as it is.
        inner = np.abs(np.diff(np.array(starts)) - count / 25)
        small = [(step < 10.1) for step in inner]
        even = steps[[number for number in range(len(steps)) if (number + 1) % count or not small[number // count]]]
        assert (np.abs(even - 3600) <= 2).all()


def test_a_pause_is_kept_where_clocks_do_not_jump() -> None:
    """In a Matroska file a minute without pictures is a minute; so is one that only one track of a broadcast has."""
    paused = [number / 25 for number in range(50)] + [60 + number / 25 for number in range(50)]
    even = [number / 25 for number in range(1600)]
    assert find_seams([passage(0, paused)], jumping=False) == ()
    assert find_seams([passage(0, paused), passage(1, even, 1)], jumping=True) == ()
    assert len(find_seams([passage(0, paused)], jumping=True)) == 1
