"""What comes out: every picture, in order, at its time, and the sound with it; on each way, across every border."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from tests.unit.media import workshop

WAYS = ["copied", "encoded", "ntsc"]
IN_SYNC = 0.020
"""Seconds: below what anybody notices (ITU-R BT.1359 has 45 ms early, 125 ms late as detectable)."""


@pytest.fixture(params=WAYS)
def package(request: pytest.FixtureRequest) -> workshop.Package:
    """Each way in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, workshop.Package)
    return found


def test_every_picture_comes_out_once(package: workshop.Package) -> None:
    """The frame counter runs through all segments and chunks of every rendition without a gap or a repeat."""
    assert package.plan is not None
    assert len(package.plan.chunks) >= 2
    for name in workshop.video_names(package):
        numbers = [number for _, number in workshop.pictures(workshop.whole(package, name))]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) == round(package.info.video.frame_rate * int(package.info.duration))  # type: ignore[union-attr]


def test_sound_and_picture_agree(package: workshop.Package) -> None:
    """Each burst is heard when the picture of its second is shown: at the start, in the middle, at the end; but for the
    first, which begins with the sound itself: without silence before it nothing tells when."""
    [sound] = package.presentation.audio
    heard = workshop.burst_times(workshop.whole(package, sound.name))
    assert len(heard) == math.ceil(package.info.duration)
    video = package.info.video
    assert video is not None
    for name in workshop.video_names(package):
        shown = {number: time for time, number in workshop.pictures(workshop.whole(package, name))}
        offset = video.start - package.info.origin
        # picture n is shown n periods after the first, whose time in the source is known
        apart = [
            burst - (shown[number] + float(second - offset - number / video.frame_rate))
            for second, burst in enumerate(heard)
            if second >= 1
            for number in [int((second - offset) * video.frame_rate)]
        ]
        assert max(map(abs, apart)) < IN_SYNC


def test_renditions_cut_at_the_same_places(package: workshop.Package) -> None:
    """All video renditions have the same segments, so that a player may switch at any of them."""
    cuts = {tuple((s.start, s.duration) for s in r.segments) for r in package.presentation.video}
    assert len(cuts) == 1
    assert len({r.timescale for r in package.presentation.video}) == 1


def test_every_segment_decodes_alone(package: workshop.Package) -> None:
    """A segment with the header before it starts with a picture that needs no other, exactly at the segment's time."""
    for rendition in package.presentation.video:
        folder = package.out / rendition.name
        for segment in rendition.segments:
            alone = package.out / "alone.mp4"
            alone.write_bytes((folder / "init.mp4").read_bytes() + (folder / f"{segment.start}.m4s").read_bytes())
            found = workshop.pictures(alone)
            assert abs(found[0][0] - segment.start / rendition.timescale) < 0.001
            assert all(number is not None for _, number in found)


def test_time_runs_evenly_through_the_playlists(package: workshop.Package) -> None:
    """Read through HLS, pictures are a constant step apart over all borders (the first may stand longer)."""
    times = [time for time, _ in workshop.pictures(package.out / "master.m3u8")]
    gaps = [b - a for a, b in pairwise(times)]
    step = float(1 / package.presentation.video[0].frame_rate)  # type: ignore[operator]
    assert max(abs(gap - step) for gap in gaps[1:]) < 0.002
    assert times[0] == 0


def test_the_facts_are_the_files(package: workshop.Package) -> None:
    """Sizes in the facts are the sizes on disk, and nothing else lies in a rendition's folder."""
    for rendition in package.presentation.renditions:
        folder = package.out / rendition.name
        sizes = {path.name: path.stat().st_size for path in folder.glob("*.m4s")}
        assert sizes == {f"{s.start}.m4s": s.size for s in rendition.segments}


def test_a_poster_is_made(package: workshop.Package) -> None:
    """The poster is a picture of the video, in its shape."""
    assert package.poster == "poster.jpg"
    [poster] = workshop.first_pictures(package.out / "poster.jpg")
    assert (poster.width, poster.height) == (320, 180)


def test_the_poster_is_taken_where_asked(encoded: workshop.Package, copied: workshop.Package, tmp_path: Path) -> None:
    """A copy takes the first keyframe after 15 percent; encoding the picture shown at the time it was asked for."""
    assert workshop.pictures(encoded.out / "poster.jpg")[0][1] == 25
    assert workshop.pictures(copied.out / "poster.jpg")[0][1] == 50
