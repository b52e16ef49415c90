"""Keyframe playlists: each byte range, after the header, is one picture that programs we did not write can decode."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import m3u8  # type: ignore[import-untyped]  # it has no types
import pytest

from streamhost.model.streaming import IFRAME_PLAYLIST, INIT_SEGMENT, MASTER_PLAYLIST
from streamhost.testing import clips
from tests.unit.media import workshop

FFMPEGS = {"debian": shutil.which("ffmpeg") or "ffmpeg", "newest": imageio_ffmpeg.get_ffmpeg_exe()}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """A clip whose best rendition is copied, with several keyframes a segment, and whose lower one is encoded."""
    folder = tmp_path_factory.mktemp("iframes")
    clip = clips.Clip(seconds=6, width=320, height=180, gop=15)
    return workshop.package(clips.make(folder / "clip.mp4", clip), folder / "package")


def playlist(package: workshop.Package, name: str) -> Any:
    """A rendition's keyframe playlist as a parser reads it."""
    return m3u8.load(str(package.out / name / IFRAME_PLAYLIST))


def test_the_master_playlist_names_one_for_each_video_rendition(package: workshop.Package) -> None:
    """A player finds the keyframes of every size."""
    named = [item.uri for item in m3u8.load(str(package.out / MASTER_PLAYLIST)).iframe_playlists]
    assert named == [f"{name}/{IFRAME_PLAYLIST}" for name in workshop.video_names(package)]


def test_every_segment_has_its_keyframe(package: workshop.Package) -> None:
    """Places and lengths are those of the segments, and no range goes beyond the file."""
    for rendition in package.presentation.video:
        found = playlist(package, rendition.name)
        assert found.is_i_frames_only
        assert [item.uri for item in found.segments] == [f"{s.start}.m4s" for s in rendition.segments]
        for item in found.segments:
            size, offset = item.byterange.split("@")
            assert offset == "0"
            assert 0 < int(size) < (package.out / rendition.name / item.uri).stat().st_size


@pytest.mark.parametrize("ffmpeg", FFMPEGS)
def test_each_range_decodes_to_one_picture(package: workshop.Package, ffmpeg: str, tmp_path: Path) -> None:
    """FFmpeg makes exactly one picture of header and range, and it is the segment's first."""
    for name in workshop.video_names(package):
        folder = package.out / name
        found = playlist(package, name)
        for item in found.segments:
            size = int(item.byterange.split("@")[0])
            cut = tmp_path / "cut.mp4"
            cut.write_bytes((folder / INIT_SEGMENT).read_bytes() + (folder / item.uri).read_bytes()[:size])
            picture = tmp_path / "picture-%d.png"
            command = [FFMPEGS[ffmpeg], "-v", "error", "-y", "-i", str(cut), "-fps_mode", "passthrough", str(picture)]
            subprocess.run(command, check=True, capture_output=True, timeout=150)
            [made] = tmp_path.glob("picture-*.png")
            [(_, counter)] = workshop.pictures(made)
            whole = tmp_path / "whole.mp4"
            whole.write_bytes((folder / INIT_SEGMENT).read_bytes() + (folder / item.uri).read_bytes())
            assert counter == workshop.pictures(whole)[0][1]
            made.unlink()
