"""The ladder and what may be copied: pure decisions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.media import compat, ladder
from streamhost.model.streaming import Transfer
from tests.unit.media.facts import audio_track, info, video_track


def test_a_ladder_starts_at_the_source_and_steps_down() -> None:
    """The best rung is the source's own size, then the usual heights."""
    rungs = ladder.ladder(info(video_track()))
    assert [(r.name, r.width, r.height) for r in rungs] == [
        ("v1080", 1920, 1080), ("v720", 1280, 720), ("v480", 854, 480), ("v360", 640, 360), ("v240", 426, 240),
    ]  # fmt: skip
    assert [r.max_rate for r in rungs] == sorted((r.max_rate for r in rungs), reverse=True)


def test_portrait_counts_by_its_short_side() -> None:
    """A phone video stored on its side gets the rungs of its height turned upright."""
    rungs = ladder.ladder(info(video_track(width=1280, height=720, rotation=90)))
    assert [(r.name, r.width, r.height) for r in rungs][:2] == [("v720", 720, 1280), ("v480", 480, 854)]


def test_a_step_next_to_the_source_is_left_out() -> None:
    """800 lines get no 720-line rendition beside them: nobody would see a difference."""
    rungs = ladder.ladder(info(video_track(width=1422, height=760)))
    assert [r.name for r in rungs] == ["v760", "v480", "v360", "v240"]


def test_no_video_no_rungs() -> None:
    """Sound alone has no ladder."""
    assert ladder.ladder(info(None, audio_track())) == ()


@pytest.mark.parametrize(
    ("height", "limits", "lower"),
    [
        (2160, {"max_height": 1080}, ["v1080", "v720", "v480", "v360", "v240"]),
        (1080, {}, ["v720", "v480", "v360", "v240"]),
        (720, {"heights": (240,), "max_height": 240}, ["v240"]),
        (1100, {"heights": (720,)}, ["v720"]),
    ],
)
def test_beside_a_copy_stands_every_rung_that_is_smaller(height: int, limits: dict[str, Any], lower: list[str]) -> None:
    """Above the tallest that is encoded, that one stands beside the copy; what is nearly as large as the copy does
    not."""
    source = info(video_track(width=height * 16 // 9, height=height))
    assert [rung.name for rung in ladder.lower_rungs(source, ladder.LadderSettings(**limits))] == lower


def test_the_administrators_limit_holds() -> None:
    """The tallest rendition is no taller than allowed."""
    rungs = ladder.ladder(info(video_track()), ladder.LadderSettings(max_height=480))
    assert (rungs[0].width, rungs[0].height) == (854, 480)


@given(
    st.integers(2, 5000), st.integers(2, 5000), st.sampled_from([0, 90, 180, 270]),
    st.fractions(Fraction(1, 4), 4, max_denominator=50),
)  # fmt: skip
def test_rungs_are_even_and_never_larger(width: int, height: int, rotation: int, aspect: Fraction) -> None:
    """Whatever the source: even sizes, names all different, nothing larger than what is shown, caps that fall."""
    source = info(video_track(width=width, height=height, rotation=rotation, pixel_aspect=aspect))
    assert source.video is not None
    shown = source.video.display_size
    rungs = ladder.ladder(source)
    assert rungs
    assert len({r.name for r in rungs}) == len(rungs)
    for rung in rungs:
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.width <= shown[0] + 1
        assert rung.height <= shown[1] + 1
    assert [r.max_rate for r in rungs] == sorted((r.max_rate for r in rungs), reverse=True)


@pytest.mark.parametrize(
    ("rate", "out"),
    [(25, 25), (60, 60), (120, 60), (100, 50), (Fraction(120000, 1001), Fraction(60000, 1001)), (240, 60)],
)
def test_fast_sources_are_halved(rate: Fraction, out: Fraction) -> None:
    """Above 60 pictures a second every second, third or fourth one is kept."""
    assert ladder.output_rate(Fraction(rate)) == out


def test_audio_names_stay_apart() -> None:
    """Two tracks of one language get different names."""
    tracks = [audio_track(language=code) for code in ("eng", "eng", None, "deu", None)]
    assert ladder.audio_names(tracks) == ("a-eng", "a-eng-2", "a-main", "a-deu", "a-main-2")


def test_an_ordinary_mp4_is_copied() -> None:
    """H.264 High 4:2:0 8-bit with stereo AAC-LC goes through as it is."""
    assert compat.video_obstacle(info(video_track())) is None
    assert compat.audio_obstacle(audio_track()) is None


@pytest.mark.parametrize(
    "change",
    [
        {"codec": "hevc"}, {"profile": "High 10"}, {"profile": "High 4:2:2"}, {"pixel_format": "yuv422p"},
        {"level": 60}, {"interlaced": True}, {"transfer": Transfer.PQ}, {"rotation": 90}, {"flipped": True},
        {"width": 1921}, {"pixel_aspect": Fraction(4, 3)}, {"frame_rate": Fraction(120)}, {"bit_rate": 40_000_000},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_players_would_not_take_is_encoded(change: dict[str, object]) -> None:
    """Each oddity is an obstacle, said as a sentence."""
    obstacle = compat.video_obstacle(info(video_track(**change)))
    assert obstacle is not None
    assert obstacle.endswith(".")


@pytest.mark.parametrize("change", [{"codec": "mp3"}, {"profile": "HE-AAC"}, {"channels": 6}, {"sample_rate": 96000}])
def test_other_sound_is_encoded(change: dict[str, object]) -> None:
    """Other codecs, surround and odd rates become stereo AAC."""
    assert compat.audio_obstacle(audio_track(**change)) is not None
