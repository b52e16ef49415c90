"""What a file carries besides picture and sound."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from streamhost.media import tasks, wire
from streamhost.model.streaming import Chapter, MediaInfo, Purpose, SubtitleTrack
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media import facts, workshop

SRT = "1\n00:00:00,500 --> 00:00:01,500\nHello\n"
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1000
title=The  beginning
[CHAPTER]
TIMEBASE=1/1000
START=1000
END=3000
"""


def ffmpeg(*arguments: str | Path) -> None:
    """Run Debian's ffmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=150)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two languages with a commentary and a described one, three kinds of subtitles, chapters, a cover."""
    folder = tmp_path_factory.mktemp("film")
    source = clips.make(folder / "plain.mkv", Clip(seconds=3, languages=("eng", "ger", "eng", "eng")))
    (folder / "a.srt").write_text(SRT)
    (folder / "c.txt").write_text(CHAPTERS)
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", folder / "cover.png")
    ffmpeg(
        "-i", source, "-i", folder / "a.srt", "-i", folder / "c.txt", "-map", "0", "-map", "1", "-map", "1",
        "-map_chapters", "2", "-c", "copy", "-c:s:1", "ass", "-attach", folder / "cover.png", "-metadata:s:t",
        "mimetype=image/png", "-metadata:s:a:1", "title=Synchronfassung", "-disposition:a:2", "comment",
        "-disposition:a:3", "visual_impaired", "-metadata:s:s:0", "language=fre", "-disposition:s:0", "forced",
        "-disposition:s:1", "hearing_impaired", folder / "film.mkv",
    )  # fmt: skip
    return folder / "film.mkv"


def test_tracks_have_languages_names_and_purposes(film: Path) -> None:
    """Languages become tags, titles names; commentary and audio description are known as such."""
    found = [(track.language, track.title, track.purpose) for track in workshop.probe(film).audio]
    assert found == [
        ("en", None, Purpose.MAIN),
        ("de", "Synchronfassung", Purpose.MAIN),
        ("en", None, Purpose.COMMENTARY),
        ("en", None, Purpose.DESCRIPTION),
    ]


def test_subtitles_chapters_and_cover_are_found(film: Path) -> None:
    """Text subtitles, chapters (one of them nameless) and the attached picture; the picture is no video track."""
    info = workshop.probe(film)
    assert info.subtitles == (
        SubtitleTrack(5, "srt", "fr", None, text=True, forced=True),
        SubtitleTrack(6, "ssa", None, None, text=True, hearing_impaired=True),
    )
    assert info.chapters == (
        Chapter(Fraction(0), Fraction(1), "The beginning"),
        Chapter(Fraction(1), Fraction(3), "Chapter 2"),
    )
    assert info.cover == 7
    assert info.video is not None
    assert info.video.index == 0
    assert info.warnings == ()


def test_picture_subtitles_are_said_plainly(tmp_path: Path) -> None:
    """Subtitles made of pictures are named in a sentence for the owner."""
    source = clips.make(tmp_path / "plain.mkv", Clip(seconds=2))
    info = workshop.probe(_with_pgs(tmp_path, source))
    [track] = info.subtitles
    assert (track.text, track.codec) == (False, "pgssub")
    assert "made of pictures (Blu-ray (PGS))" in info.warnings[0]


def test_tracks_that_nobody_gets_are_told_of(tmp_path: Path) -> None:
    """Of several videos one is shown, and of many sounds the first sixteen are offered; the owner hears of the rest."""
    plain = clips.make(tmp_path / "plain.mkv", Clip(seconds=1))
    sounds = [word for _ in range(17) for word in ("-map", "0:a")]
    ffmpeg("-i", plain, "-map", "0:v", "-map", "0:v", *sounds, "-c", "copy", tmp_path / "many.mkv")
    info = workshop.probe(tmp_path / "many.mkv")
    assert len(info.audio) == 16
    assert info.warnings == (
        "Of 2 video tracks, 1 is left out.",
        "Of 17 audio tracks, 1 is left out.",
    )


def _with_pgs(folder: Path, source: Path) -> Path:
    """A file with an empty PGS track: FFmpeg has no encoder for it, but copies segments that it is given."""
    segment = b"PG" + (90000).to_bytes(4, "big") + bytes(4) + b"\x80" + (0).to_bytes(2, "big")
    (folder / "a.sup").write_bytes(segment)
    ffmpeg("-i", source, "-i", folder / "a.sup", "-map", "0", "-map", "1", "-c", "copy", folder / "pgs.mkv")
    return folder / "pgs.mkv"


def test_infos_of_earlier_versions_still_load() -> None:
    """What was stored before these fields existed is read, and has none of them."""
    old = wire.builtins(facts.info(facts.video_track(), facts.audio_track()))
    for name in ("subtitles", "chapters", "cover"):
        del old[name]
    del old["audio"][0]["purpose"]
    info = wire.convert(old, MediaInfo)
    assert (info.subtitles, info.chapters, info.cover) == ((), (), None)
    assert info.audio[0].purpose is Purpose.MAIN
    assert tasks.answer_from(tasks.Probe("x"), wire.builtins(info)) == info
