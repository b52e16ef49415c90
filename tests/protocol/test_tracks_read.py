"""Decoders of others find captions and languages in both manifests."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import pytest

from streamhost.media import captions, dash, hls
from streamhost.media.captions import Cue
from streamhost.model.streaming import CAPTIONS_FILE, MANIFEST, MASTER_PLAYLIST, Presentation, TextTrack
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media import workshop

NEWEST = imageio_ffmpeg.get_ffmpeg_exe()
CUES = (Cue(500, 1500, "Hallo"), Cue(2000, 3000, "<i>Welt</i>"))
GERMAN = TextTrack("captions/one", "de", "Deutsch")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds with two languages of sound and German captions."""
    folder = tmp_path_factory.mktemp("tracks")
    made = workshop.package(clips.make(folder / "a.mkv", Clip(seconds=4, languages=("eng", "ger"))), folder / "out")
    described = Presentation(made.presentation.renditions, captions=(GERMAN,))
    (made.out / GERMAN.name).mkdir(parents=True)
    (made.out / GERMAN.name / CAPTIONS_FILE).write_text(captions.write(CUES))
    for name, text in hls.playlists(described).items():
        (made.out / name).write_text(text)
    (made.out / MANIFEST).write_text(dash.manifest(described))
    return made.out


def run(ffmpeg: str, options: Sequence[str], source: Path, *more: str) -> str:
    """What ffmpeg writes."""
    command = [ffmpeg, "-v", "error", *options, "-i", str(source), *more, "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=150).stdout


@pytest.mark.parametrize("ffmpeg", ["ffmpeg", NEWEST], ids=["debian", "newest"])
def test_ffmpeg_reads_captions_from_dash(package: Path, ffmpeg: str) -> None:
    """The words at their times. FFmpeg opens files that end in `vtt` only when told to."""
    found = run(ffmpeg, ["-allowed_extensions", "ALL"], package / MANIFEST, "-map", "0:s", "-f", "webvtt")
    assert captions.parse(found.encode()) == CUES


def test_ffmpeg_reads_captions_from_hls(package: Path) -> None:
    """The newest finds them, though it swallows the first of every playlist; Debian's knows none in HLS."""
    found = run(NEWEST, [], package / MASTER_PLAYLIST, "-map", "0:s", "-f", "webvtt")
    assert captions.parse(found.encode()) == CUES[1:]


@pytest.mark.parametrize("ffmpeg", ["ffmpeg", NEWEST], ids=["debian", "newest"])
def test_captions_disturb_nobody(package: Path, ffmpeg: str) -> None:
    """Who wants pictures and sound alone gets them from a stream with captions."""
    found = run(ffmpeg, [], package / MASTER_PLAYLIST, "-map", "0:v:0", "-map", "0:a:0", "-f", "framecrc")
    assert sum(line.startswith("0,") for line in found.splitlines()) == 100


@pytest.mark.parametrize("ffmpeg", ["ffmpeg", NEWEST], ids=["debian", "newest"])
@pytest.mark.parametrize("manifest", [MASTER_PLAYLIST, MANIFEST])
def test_sound_alone_offers_its_languages(tmp_path: Path, ffmpeg: str, manifest: str) -> None:
    """Two languages without pictures: both are there, in both manifests, and last as long."""
    source = clips.make(tmp_path / "radio.mka", Clip(seconds=3, video=False, languages=("eng", "ger")))
    made = workshop.package(source, tmp_path / "out")
    found = run(ffmpeg, [], made.out / manifest, "-map", "0:a", "-f", "framecrc")
    kinds = [line.split(",")[0] for line in found.splitlines() if line[:1].isdigit()]
    counts = [kinds.count(kind) for kind in sorted(set(kinds))]
    assert len(counts) >= 2
    assert max(counts) - min(counts) <= 1
