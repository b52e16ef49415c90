"""Tracks that end apart, stills, and what is said of a file that breaks off or has holes."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from streamhost.media import losses, tasks
from streamhost.media.errors import DamagedSource
from streamhost.media.execute import execute
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.support import odd
from tests.unit.media import workshop


def unequal(folder: Path, picture: float, sound: float) -> Path:
    """A file whose picture and sound last so many seconds."""
    video = clips.make(folder / "video.mp4", Clip(seconds=picture, gop=25, languages=()))
    audio = clips.make(folder / "audio.m4a", Clip(seconds=sound, video=False))
    return odd.merged(video, audio, folder / "unequal.mp4")


def copied(source: Path, out: Path) -> tasks.Copied:
    """What copying alone answers."""
    out.mkdir()
    answer = execute(tasks.CopyTracks(str(source), str(out), workshop.probe(source)))
    assert isinstance(answer, tasks.Copied)
    return answer


@pytest.mark.parametrize(("picture", "sound"), [(8, 2), (2, 8), (0.04, 6)], ids=["silent end", "still end", "a still"])
@pytest.mark.parametrize("encode", [False, True], ids=["copy", "encode"])
def test_all_tracks_end_together(picture: float, sound: float, encode: bool, tmp_path: Path) -> None:
    """A player never waits for a track that has ended: silence follows the sound, the last picture stands on."""
    package = workshop.package(unequal(tmp_path, picture, sound), tmp_path / "package", encode=encode)
    ends = [float(rendition.end) for rendition in package.presentation.renditions]
    assert max(ends) == pytest.approx(max(picture, sound), abs=0.1)
    assert max(ends) - min(ends) < 0.1
    assert len(workshop.burst_times(workshop.whole(package, "a-main"))) == -(-sound // 1)
    found = workshop.pictures(workshop.whole(package, "v180"))
    assert [number for _, number in found][-1] == round(picture * 25) - 1
    assert max((b - a for (a, _), (b, _) in pairwise(found)), default=0) <= 0.501
    lengths = [segment.duration / r.timescale for r in package.presentation.video for segment in r.segments]
    assert max(lengths) < 2.5


def test_slides_are_cut_into_segments(tmp_path: Path) -> None:
    """One picture in ten seconds still makes segments of usual length once it is encoded."""
    source = clips.make(tmp_path / "slides.mkv", Clip(seconds=30, fps=Fraction(1, 10), gop=1, width=96, height=54))
    package = workshop.package(source, tmp_path / "package", encode=True)
    found = workshop.pictures(workshop.whole(package, "v54"))
    assert sorted({number for _, number in found if number is not None}) == [0, 1, 2]
    assert max(b - a for (a, _), (b, _) in pairwise(found)) <= 0.501
    assert len(package.presentation.video[0].segments) >= 20


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_breaks_off_says_how_much_is_missing(suffix: str, tmp_path: Path) -> None:
    """A file cut off after two thirds plays so far, and both ways of making it say that the end is missing."""
    source = odd.cut_off(tmp_path, suffix)
    answer = copied(source, tmp_path / "out")
    package = workshop.package(source, tmp_path / "package", encode=True)
    assert package.plan is not None
    for warnings in [package.plan.warnings] + ([answer.warnings] if answer.obstacle is None else []):
        [sentence] = warnings
        assert sentence.startswith("The file breaks off: 0:02 of its 0:06")
    counters = [number for _, number in workshop.pictures(workshop.whole(package, "v180"))]
    assert counters[:80] == list(range(80))
    assert abs(package.presentation.audio[0].end - package.presentation.video[0].end) < Fraction(1, 10)


def test_a_cut_recording_plays_without_its_beginning(tmp_path: Path) -> None:
    """Pictures before the first keyframe cannot be shown; the first that can stands in, and the owner hears of it."""
    whole = clips.make(tmp_path / "whole.mkv", Clip(seconds=8, gop=75))
    source = odd.without_packets(whole, tmp_path / "a.mkv", "video", lambda number: number < 20)
    answer = copied(source, tmp_path / "out")
    package = workshop.package(source, tmp_path / "package", encode=True)
    assert package.plan is not None
    assert answer.warnings == package.plan.warnings
    assert "0:02 of the picture could not be decoded" in answer.warnings[0]
    found = workshop.pictures(workshop.whole(package, "v180"))
    assert (found[0], found[-1][1]) == ((0.0, 75), 199)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_hole_keeps_the_clock(suffix: str, tmp_path: Path) -> None:
    """After zeros in the middle picture and sound go on at their own times; damaged video is not copied as it is."""
    source = odd.with_hole(tmp_path, suffix)
    package = workshop.package(source, tmp_path / "package")
    found = workshop.pictures(workshop.whole(package, "v180"))
    late = float(package.info.video.start - package.info.origin) if package.info.video else 0.0
    after = {number: time for time, number in found if number is not None and number >= 125}
    assert set(after) == set(range(125, 150))
    assert all(abs(time - number / 25 - late) < 0.06 for number, time in after.items())
    heard = workshop.burst_times(workshop.whole(package, "a-main"))
    assert any(abs(time - 5 - late) < 0.03 for time in heard)
    if suffix == ".mp4":
        assert package.obstacle == "Some pictures are damaged."


def test_damage_is_told_with_its_places(tmp_path: Path) -> None:
    """The encoder's answer names the seconds at which something was left out."""
    source = odd.with_hole(tmp_path, ".mp4")
    package = workshop.package(source, tmp_path / "package", encode=True)
    assert package.plan is not None
    (tmp_path / "again").mkdir()
    answer = execute(tasks.EncodeChunk(str(source), str(tmp_path / "again"), package.info, package.plan, 0))
    assert isinstance(answer, tasks.Encoded)
    [sentence] = answer.warnings
    assert "damaged parts were left out, at 0:02" in sentence


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_recording_without_its_index_says_so(suffix: str, tmp_path: Path) -> None:
    """An MP4 whose index was never written is damaged, and not "no video": the hint speaks of copying it completely."""
    whole = clips.make(tmp_path / f"whole{suffix}", Clip(seconds=2)).read_bytes()
    source = odd.written(tmp_path / f"a{suffix}", whole[: len(whole) * 2 // 3])
    with pytest.raises(DamagedSource, match="index is missing") as caught:
        workshop.probe(source)
    assert caught.value.hint


def test_sentences_about_losses() -> None:
    """Little is passed over in silence; places near each other are one; many are counted."""
    assert losses.breaks_off(Fraction(3600), Fraction(3590)) == ()
    assert losses.breaks_off(Fraction(3600), Fraction(1800)) == (
        "The file breaks off: 30:00 of its 1:00:00 are missing at the end.",
    )
    assert losses.damaged([], 0) == ()
    assert losses.damaged([], 1) == ("One damaged part was left out.",)
    assert losses.damaged([7.2, 8.1, 9.9, 65.0], 4) == ("4 damaged parts were left out, at 0:07 to 0:10, 1:05.",)
    [many] = losses.damaged([10.0 * n for n in range(9)], 9)
    assert many.endswith("0:40 and 4 more places.")
