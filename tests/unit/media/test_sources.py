"""Sources of every class: what each one becomes."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from streamhost.media import tasks
from streamhost.media.execute import execute
from streamhost.media.pictures import Decoding
from streamhost.media.probe import probe
from streamhost.model.streaming import FrameRateKind, MediaInfo, Plan
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media import workshop

QUICK_VP9 = (("deadline", "realtime"), ("cpu-used", "8"))
QUICK_HEVC = (("preset", "ultrafast"), ("x265-params", "log-level=none"))
TOP_FIELD_FIRST = (("preset", "veryfast"), ("x264-params", "tff=1"))
OPEN = (("preset", "veryfast"), ("x264-params", "open-gop=1:bframes=3"))
BIT_RATE = (("b", "2000k"),)
SOURCES = {
    "vp9 and opus": ("a.webm", Clip(codec="libvpx-vp9", audio_codec="libopus", options=QUICK_VP9, b_frames=0)),
    "hevc in 10 bit": ("a.mkv", Clip(codec="libx265", pix_fmt="yuv420p10le", options=QUICK_HEVC)),
    "4:4:4, odd size": ("a.mkv", Clip(width=321, height=181, pix_fmt="yuv444p")),
    "interlaced": ("a.mp4", Clip(interlaced=True, options=TOP_FIELD_FIRST)),
    "full range": ("a.mp4", Clip(full_range=True)),
    "transport stream": ("a.ts", Clip(seconds=8)),
    "program stream": ("a.mpg", Clip(codec="mpeg2video", audio_codec="mp2", options=BIT_RATE)),
    "flash": ("a.flv", Clip(codec="flv1", audio_codec="libmp3lame", sample_rate=44_100, options=(), b_frames=0)),
    "44.1 kHz mono": ("a.mp4", Clip(sample_rate=44_100, layout="mono")),
    "no sound": ("a.mp4", Clip(languages=())),
    "one picture": ("a.mp4", Clip(seconds=0.04)),
    "120 a second": ("a.mp4", Clip(seconds=2, fps=Fraction(120))),
    "open groups": ("a.mp4", Clip(seconds=9, options=OPEN)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_picture_of_every_source_comes_out(name: str, tmp_path: Path) -> None:
    """Encoded from any container and codec, across chunk borders: pictures in order, none lost, sound on the second."""
    file, clip = SOURCES[name]
    package = workshop.package(clips.make(tmp_path / file, clip), tmp_path / "package", encode=True)
    rendition = package.presentation.video[-1]
    numbers = [number for _, number in workshop.pictures(workshop.whole(package, rendition.name))]
    step = 2 if clip.fps > 60 else 1
    assert numbers == list(range(0, clip.pictures, step))
    if clip.languages and clip.seconds > 1:
        video = package.info.video
        assert video is not None
        late = float(video.start - package.info.origin)
        heard = workshop.burst_times(workshop.whole(package, "a-main"))[1:]
        # what the source's own encoder and container add is heard in the source too
        source = [time - float(package.info.origin) for time in workshop.burst_times(tmp_path / file)][1:]
        assert np.allclose(heard, source, atol=0.004)
        assert abs(heard[0] - late - 1) < 0.06


def test_a_chunk_of_a_recording_without_index_costs_no_more_than_any_other(tmp_path: Path) -> None:
    """A cut-off AVI has no index, and a seek leads to its beginning: what lies before the chunk is not decoded."""
    clip = Clip(seconds=40, width=160, height=90, codec="mpeg4", options=(), b_frames=0, languages=())
    whole = clips.make(tmp_path / "whole.avi", clip)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 9 // 10])
    info = workshop.probe(cut)
    plan = execute(tasks.MakePlan(str(cut), info, (), workshop.QUICK))
    assert isinstance(plan, Plan)
    assert info.video is not None
    seek = plan.chunks[-1].seek
    assert seek > 20
    time, picture = next(Decoding(str(cut), info.video, tasks.Limits()).pictures(seek, seek))
    assert (time, clips.read_counter(picture)) == (seek, round(seek * 25))


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_pictures_are_set_upright(turn: int, tmp_path: Path) -> None:
    """A phone's video stored on its side comes out as it was seen: turning it back by hand shows the counter."""
    source = clips.make(tmp_path / "turned.mp4", Clip(rotation=turn, seconds=2))
    package = workshop.package(source, tmp_path / "package")
    assert package.obstacle == "The picture is stored turned or mirrored."
    frames = workshop.first_pictures(workshop.whole(package, package.presentation.video[0].name))
    shape = (180, 320) if turn in (90, 270) else (320, 180)
    assert {(frame.width, frame.height) for frame in frames} == {shape}
    # shown = stored turned clockwise by `turn`; numpy turns the other way
    stored = [np.rot90(frame.to_ndarray(format="gray"), turn // 90) for frame in frames]
    back = [np.ascontiguousarray(image, np.uint8) for image in stored]
    numbers = [clips.read_counter(VideoFrame.from_ndarray(image, "gray")) for image in back]
    assert numbers == list(range(50))


def test_pixels_become_square(tmp_path: Path) -> None:
    """An anamorphic picture is stretched to what it is meant to look like."""
    source = clips.make(tmp_path / "wide.mp4", Clip(pixel_aspect=Fraction(4, 3), seconds=1))
    package = workshop.package(source, tmp_path / "package")
    assert (package.presentation.video[0].width, package.presentation.video[0].height) == (428, 180)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_the_kind_of_frame_rate(ending: str, tmp_path: Path) -> None:
    """Constant at whole and broken rates and where one picture is missing, variable where intervals differ, in all
    containers."""
    kinds = {
        "25": Clip(seconds=2),
        "29.97": Clip(seconds=2, fps=Fraction(30000, 1001)),
        "a gap": Clip(seconds=1.2, gaps=(*[1] * 20, 2, *[1] * 9)),
        "gaps": Clip(seconds=4, gaps=(1, 1, 3, 2)),
        "doubled": Clip(seconds=4, gaps=(1, 2)),
    }
    found = {}
    for name, clip in kinds.items():
        video = probe(str(clips.make(tmp_path / f"{name}.{ending}", clip)), tasks.Limits()).video
        found[name] = video.frame_rate_kind if video else None
    constant, variable = FrameRateKind.CONSTANT, FrameRateKind.VARIABLE
    assert found == {"25": constant, "29.97": constant, "a gap": constant, "gaps": variable, "doubled": variable}


def test_the_kind_of_frame_rate_where_only_decode_times_are(tmp_path: Path) -> None:
    """Pictures that depend on later ones come out of an AVI with times that go back and forth."""
    source = clips.make(tmp_path / "clip.avi", Clip(seconds=2, options=(("preset", "medium"), ("bf", "3"))))
    video = probe(str(source), tasks.Limits()).video
    assert video is not None
    assert video.picture_reorder > 0
    assert video.frame_rate_kind is FrameRateKind.CONSTANT


@pytest.mark.parametrize("encode", [False, True], ids=["copied", "encoded"])
def test_variable_rates_keep_their_times(encode: bool, tmp_path: Path) -> None:
    """Pictures at irregular times are shown at just these times, in every rendition, over segment and chunk borders."""
    clip = Clip(gaps=(1, 1, 3, 2), seconds=8, gop=40)
    package = workshop.package(clips.make(tmp_path / "vfr.mkv", clip), tmp_path / "package", encode=encode)
    assert package.plan is not None
    assert len(package.plan.chunks) > 1
    for name in workshop.video_names(package):
        found = workshop.pictures(workshop.whole(package, name))
        assert [number for _, number in found] == list(range(clip.pictures))
        wanted = [float(time) for time in clip.picture_times()]
        assert np.allclose([time for time, _ in found], wanted, atol=0.0015)


@pytest.mark.parametrize("encode", [False, True], ids=["copied", "encoded"])
def test_a_late_picture_stands_from_the_start(encode: bool, tmp_path: Path) -> None:
    """When the picture begins after the sound, its first one is shown from 0, and both stay together."""
    clip = Clip(first_picture=Fraction(1, 3), seconds=6)
    package = workshop.package(clips.make(tmp_path / "late.mp4", clip), tmp_path / "package", encode=encode)
    for name in workshop.video_names(package):
        found = workshop.pictures(workshop.whole(package, name))
        assert [found[0]] == [(0.0, 0)]
        shown = {number: time for time, number in found if number}
        assert abs(shown[50] - (2 + 1 / 3)) < 0.002
    assert abs(workshop.burst_times(workshop.whole(package, "a-main"))[2] - 2) < 0.005


def test_late_sound_is_preceded_by_silence(tmp_path: Path) -> None:
    """Sound that begins two seconds in is not copied but filled up, so that players have sound from 0."""
    source = clips.make(tmp_path / "late.mkv", Clip(late_audio=Fraction(2), seconds=6))
    package = workshop.package(source, tmp_path / "package")
    [sound] = package.presentation.audio
    assert not sound.copied
    assert sound.start == 0
    assert np.allclose(workshop.burst_times(workshop.whole(package, sound.name)), [2, 3, 4, 5], atol=0.005)


def test_short_sound_lasts_as_long_as_the_picture(tmp_path: Path) -> None:
    """Silence follows sound that ends early: a player never waits for sound that will not come."""
    source = clips.make(tmp_path / "a.mp4", Clip(seconds=4))
    info = workshop.probe(source)
    (tmp_path / "out").mkdir()
    task = tasks.EncodeAudio(str(source), str(tmp_path / "out"), info, info.audio[0], "a-main", Fraction(9))
    answer = execute(task)
    assert isinstance(answer, tasks.Encoded)
    assert 9 <= answer.renditions[0].end < Fraction(91, 10)


def test_languages_become_renditions(tmp_path: Path) -> None:
    """Each sound track is a rendition of its own, with its language; one is the default."""
    source = clips.make(tmp_path / "two.mkv", Clip(languages=("eng", "deu")))
    package = workshop.package(source, tmp_path / "package")
    assert [(r.name, r.language, r.copied) for r in package.presentation.audio] == [
        ("a-en", "en", True), ("a-de", "de", True),
    ]  # fmt: skip
    assert sum(r.default for r in package.presentation.audio) == 1


def test_sound_alone_is_a_presentation(tmp_path: Path) -> None:
    """A song needs no picture."""
    package = workshop.package(clips.make(tmp_path / "song.m4a", Clip(video=False)), tmp_path / "package")
    assert package.presentation.video == ()
    assert [r.name for r in package.presentation.audio] == ["a-main"]
    assert len(workshop.burst_times(package.out / "master.m3u8")) == 4


def test_surround_becomes_stereo(tmp_path: Path) -> None:
    """Six channels are mixed to two, and nothing is lost of the bursts."""
    source = clips.make(tmp_path / "six.mp4", Clip(layout="5.1"))
    package = workshop.package(source, tmp_path / "package")
    [sound] = package.presentation.audio
    assert (sound.channels, sound.copied) == (2, False)
    assert len(workshop.burst_times(workshop.whole(package, sound.name))) == 4


def test_long_groups_are_encoded(tmp_path: Path) -> None:
    """One keyframe in twelve seconds is too few to seek; then nothing of the copy is left behind."""
    source = clips.make(tmp_path / "long.mp4", Clip(seconds=12, gop=1000))
    info = workshop.probe(source)
    out = tmp_path / "out"
    out.mkdir()
    copied = execute(tasks.CopyTracks(str(source), str(out), info))
    assert copied == tasks.Copied((), (0,), "The distance between keyframes is over 10 seconds.", None, None)
    assert list(out.iterdir()) == []


def test_open_groups_are_not_cut(tmp_path: Path) -> None:
    """Recovery points of open groups are no places to cut, and browsers fail when they seek to them: it is encoded."""
    options = (("preset", "veryfast"), ("x264-params", "open-gop=1:bframes=3:keyint=25"))
    source = clips.make(tmp_path / "open.mp4", Clip(seconds=3, options=options))
    package = workshop.package(source, tmp_path / "package")
    assert package.obstacle == "Groups of pictures are open: some depend on pictures before their keyframe."


def test_a_transport_stream_is_copied(tmp_path: Path) -> None:
    """Start codes become lengths, ADTS headers go, times start at 0: the same pictures, the same sound."""
    source = clips.make(tmp_path / "a.ts", Clip(seconds=8))
    package = workshop.package(source, tmp_path / "package")
    assert package.obstacle is None
    assert all(r.copied for r in (package.presentation.video[0], *package.presentation.audio))
    found = workshop.pictures(workshop.whole(package, "v180"))
    assert [number for _, number in found] == list(range(200))
    late = float(package.info.video.start - package.info.origin)  # type: ignore[union-attr]
    heard = workshop.burst_times(workshop.whole(package, "a-main"))
    assert np.allclose([time - late for time in heard], range(8), atol=0.005)


def test_a_long_still_is_repeated(tmp_path: Path) -> None:
    """A picture that stands for seconds is shown again every half second, and the plan's segments still start with
    one.
    """
    source = clips.make(tmp_path / "still.mkv", Clip(gaps=(1, 75), seconds=0.4))
    package = workshop.package(source, tmp_path / "package", encode=True)
    found = workshop.pictures(workshop.whole(package, "v180"))
    assert max(b - a for (a, _), (b, _) in pairwise(found)) <= 0.501
    assert package.repeated > 0
    numbers = [number for _, number in found if number is not None]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(10))


def test_nothing_is_larger_than_the_source(tmp_path: Path) -> None:
    """A small source has one rendition, of its own size."""
    package = workshop.package(clips.make(tmp_path / "s.mp4", Clip(width=96, height=54)), tmp_path / "p", encode=True)
    assert [(r.width, r.height) for r in package.presentation.video] == [(96, 54)]


def test_colours_survive(encoded: workshop.Package, marked: Path) -> None:
    """The bars of the encoded rendition have the colours of the source's, and the file says which standard they
    follow.
    """
    [before, after] = [
        workshop.first_pictures(path)[30].to_ndarray() for path in (marked, workshop.whole(encoded, "v180"))
    ]
    assert np.abs(before.astype(int) - after.astype(int)).mean() < 2
    frame = workshop.first_pictures(workshop.whole(encoded, "v180"))[0]
    assert (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)


def test_full_range_becomes_limited(tmp_path: Path) -> None:
    """White of a full-range source is 235, black 16: not crushed, not grey."""
    source = clips.make(tmp_path / "full.mp4", Clip(full_range=True, seconds=1))
    package = workshop.package(source, tmp_path / "package", encode=True)
    luma = workshop.first_pictures(workshop.whole(package, "v180"))[5].to_ndarray()[:180]
    row = luma[160]
    assert abs(int(np.percentile(row, 95)) - clips.WHITE) < 4
    assert abs(int(np.percentile(row, 5)) - clips.BLACK) < 4


def test_high_dynamic_range_becomes_standard(tmp_path: Path) -> None:
    """A source marked PQ is encoded as BT.709 that is neither black nor blown out."""
    clip = Clip(codec="libx265", pix_fmt="yuv420p10le", options=QUICK_HEVC, hdr=True, seconds=1)
    package = workshop.package(clips.make(tmp_path / "hdr.mp4", clip), tmp_path / "package")
    assert package.info.video is not None
    assert package.info.video.transfer == "pq"
    assert package.obstacle is not None
    frame = workshop.first_pictures(workshop.whole(package, "v180"))[0]
    assert (frame.colorspace, frame.color_trc) == (1, 1)
    assert frame.to_ndarray()[:180].std() > 20


def test_chunks_may_finish_in_any_order(marked: Path, encoded: workshop.Package, tmp_path: Path) -> None:
    """A chunk encoded again, alone and last, gives the very same files: a killed job is simply repeated."""
    plan = encoded.plan
    assert isinstance(plan, Plan)
    info = workshop.probe(marked)
    assert isinstance(info, MediaInfo)
    last = len(plan.chunks) - 1
    answer = execute(tasks.EncodeChunk(str(marked), str(tmp_path), info, plan, last))
    assert isinstance(answer, tasks.Encoded)
    for part in answer.renditions:
        for segment in part.segments:
            again = (tmp_path / part.name / f"{segment.start}.m4s").read_bytes()
            assert again == (encoded.out / part.name / f"{segment.start}.m4s").read_bytes()
        assert (tmp_path / part.name / "init.mp4").read_bytes() == (encoded.out / part.name / "init.mp4").read_bytes()
