"""Text subtitles inside a file become WebVTT on the presentation's clock."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from streamhost.media import captions, tasks
from streamhost.media.captions import Cue
from streamhost.media.execute import execute
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media import workshop

SRT = """1
00:00:00,500 --> 00:00:01,500
<i>Grüße</i> & 3 < 4

2
00:00:02,000 --> 00:00:02,500
two
lines
"""
HEADER = """[Script Info]
ScriptType: v4.00+
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def with_subtitles(folder: Path, text: str, name: str, *options: str, subtitle: str = "a.srt") -> Path:
    """A clip of three seconds with the subtitles `text`, put in by Debian's ffmpeg."""
    source = clips.make(folder / "plain.mp4", Clip(seconds=3))
    (folder / subtitle).write_text(text)
    command = ["ffmpeg", "-v", "error", "-y", "-i", source, "-i", folder / subtitle, "-map", "0", "-map", "1"]
    subprocess.run([*map(str, command), "-c", "copy", *options, str(folder / name)], check=True, timeout=150)
    return folder / name


def extract(source: Path, out: Path) -> tuple[list[tuple[Cue, ...]], tuple[str, ...]]:
    """The cues of every track, and the warnings."""
    out.mkdir(exist_ok=True)
    answer = execute(tasks.ExtractText(str(source), str(out), workshop.probe(source)))
    assert isinstance(answer, tasks.Extracted)
    tracks = []
    for track in answer.tracks:
        data = (out / track.name).read_bytes()
        assert len(data) == track.size
        tracks.append(captions.parse(data))
        assert len(tracks[-1]) == track.cues
    return tracks, answer.warnings


def near(cues: tuple[Cue, ...], starts: list[int]) -> bool:
    """Whether cues begin at these milliseconds, but for the ticks of containers."""
    return [round(cue.start / 50) * 50 for cue in cues] == starts


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", ("-c:s", "srt")),
        ("b.mkv", ("-c:s", "ass")),
        ("c.mkv", ("-c:s", "webvtt")),
        ("d.mp4", ("-c:s", "mov_text")),
        ("e.mov", ("-c:s", "mov_text")),
        ("f.mkv", ("-c:s", "text")),
    ],
)
def test_every_text_coding_becomes_webvtt(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    """SubRip, ASS, WebVTT and 3GPP text all give the same words at the same times."""
    [cues], warnings = extract(with_subtitles(tmp_path, SRT, name, *options), tmp_path / "out")
    assert near(cues, [500, 2000])
    assert [cue.end - cue.start for cue in cues] == [1000, 500]
    plain = name in ("f.mkv",)
    assert cues[0].text == ("Grüße &amp; 3 &lt; 4" if plain else "<i>Grüße</i> &amp; 3 &lt; 4")
    assert cues[1].text == "two\nlines"
    assert warnings == ()


def test_times_are_the_presentations(tmp_path: Path) -> None:
    """A file whose clock begins at ten seconds: its captions still begin with its pictures."""
    source = with_subtitles(tmp_path, SRT, "late.mkv", "-c:s", "srt", "-output_ts_offset", "10")
    info = workshop.probe(source)
    assert info.origin > Fraction(9)
    [cues], _ = extract(source, tmp_path / "out")
    assert near(cues, [500, 2000])


def test_overrides_and_drawings_do_not_show(tmp_path: Path) -> None:
    """What ASS scripts do with places, karaoke and drawings is left out; a place at the top stays."""
    events = (
        "Dialogue: 0,0:00:00.50,0:00:01.50,Default,Alice,0,0,0,,{\\an8\\fad(100,100)}Up, {\\k20}there\n"
        "Dialogue: 0,0:00:01.50,0:00:02.50,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}\n"
    )
    source = with_subtitles(tmp_path, HEADER + events, "a.mkv", "-c:s", "copy", subtitle="a.ass")
    [[cue]], _ = extract(source, tmp_path / "out")
    assert (cue.text, cue.settings) == ("Up, there", "line:0")


def test_a_bomb_costs_its_own_end_only(tmp_path: Path) -> None:
    """Far more captions than anybody reads: the first ones are kept, and the owner is told."""
    lines = [f"{n}\n00:00:00,{n % 1000:03} --> 00:00:02,000\n{n}{'x' * 900}\n" for n in range(1, 3001)]
    lines.append(f"3001\n00:00:02,500 --> 00:00:02,600\n{'y' * 70_000}\n")
    tracks, warnings = extract(with_subtitles(tmp_path, "\n".join(lines), "a.mkv", "-c:s", "srt"), tmp_path / "out")
    assert 2000 < len(tracks[0]) < 3000
    assert warnings == ("Subtitle track 2 holds more than captions need; its end was left out.",)


def test_one_endless_caption_is_left_out(tmp_path: Path) -> None:
    """A caption longer than any screen goes, the others stay."""
    text = SRT + f"\n3\n00:00:02,600 --> 00:00:02,700\n{'y ' * 1500}\n"
    [cues], warnings = extract(with_subtitles(tmp_path, text, "a.mkv", "-c:s", "srt"), tmp_path / "out")
    assert len(cues) == 2
    assert warnings == ("Subtitle track 2: 1 captions could not be read and were left out.",)


def test_an_empty_track_is_no_captions(tmp_path: Path) -> None:
    """A track that shows nothing is not listed."""
    text = "1\n00:00:00,500 --> 00:00:01,000\n<i></i>\n"
    assert extract(with_subtitles(tmp_path, text, "a.mkv", "-c:s", "srt"), tmp_path / "out") == ([], ())


FLV_HEADER = 13
"""Bytes before the first tag of an FLV file."""


def test_captions_stay_with_their_pictures_where_the_clock_jumps(tmp_path: Path) -> None:
    """Two recordings in one file, the second of which counts from zero again: its captions come after the first's."""
    one = with_subtitles(tmp_path, SRT, "one.flv", "-c:s", "text").read_bytes()
    source = tmp_path / "joined.flv"
    source.write_bytes(one + one[FLV_HEADER:])
    [cues], warnings = extract(source, tmp_path / "out")
    assert [cue.text for cue in cues] == ["Grüße &amp; 3 &lt; 4", "two\nlines"] * 2
    # The first recording's sound ends some frames after its picture, and the second begins there.
    assert all(abs(cue.start - wanted) <= 100 for cue, wanted in zip(cues, [500, 2000, 3500, 5000], strict=True))
    assert warnings == ()
