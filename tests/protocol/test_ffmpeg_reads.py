"""Debian's FFmpeg and the newest one read every rendition of both manifests, and have nothing to complain about."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import pytest

from streamhost.media import compat
from streamhost.model.streaming import Rendition
from streamhost.testing import clips
from tests.support.server import Api, RunningServer
from tests.unit.media import workshop
from tests.unit.media.content import big_buck_bunny

FFMPEGS = {"debian": shutil.which("ffmpeg") or "ffmpeg", "newest": imageio_ffmpeg.get_ffmpeg_exe()}
Frames = list[tuple[Fraction, Fraction]]
"""Time and length of each frame, in seconds."""
AAC_FRAME = Fraction(1024, 48000)
"""Seconds. Debian's FFmpeg stops reading a DASH manifest when its first rendition ends."""
MANIFESTS = ["master.m3u8", "manifest.mpd"]


@pytest.fixture(scope="module")
def bunny(tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """Real content: Big Buck Bunny at 720 lines, with surround sound; its video is copied."""
    package = workshop.package(big_buck_bunny(), tmp_path_factory.mktemp("bunny") / "package")
    assert compat.video_obstacle(package.info) is None
    return package


@pytest.fixture(scope="module")
def languages(tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """Two sound tracks, encoded, 30000/1001 pictures a second."""
    folder = tmp_path_factory.mktemp("languages")
    clip = clips.Clip(seconds=9, fps=Fraction(30000, 1001), gop=60, languages=("eng", "deu"))
    return workshop.package(clips.make(folder / "two.mkv", clip), folder / "package", encode=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, str]]:
    """Big Buck Bunny as a server makes it, with its own ladder and segments of four seconds; who may watch, and it."""
    server = RunningServer(tmp_path_factory.mktemp("served") / "data").start()
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    video = alice.upload(big_buck_bunny())
    alice.wait_until(video, "ready")
    yield alice, video
    server.stop()


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_ffprobe_counts_the_packets_of_every_stream(bunny: workshop.Package, manifest: str) -> None:
    """It finds each stream that the manifest names, with packets to the end, and has nothing to complain about."""
    command = [
        "ffprobe",
        "-v",
        "warning",
        "-count_packets",
        "-show_entries",
        "stream=nb_read_packets",
        "-of",
        "csv=p=0",
    ]
    done = subprocess.run([*command, str(bunny.out / manifest)], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    counts = [int(line.strip(",")) for line in done.stdout.split() if line.strip(",")]
    assert len(counts) >= len(bunny.presentation.video) + len(bunny.presentation.audio)
    assert min(counts) > 100


@pytest.mark.parametrize("manifest", ["hls", "dash"])
@pytest.mark.parametrize("ffmpeg", FFMPEGS)
def test_what_the_server_makes_reads_evenly(ffmpeg: str, manifest: str, served: tuple[Api, str]) -> None:
    """From the server, by its permission: every rendition has every picture of the file, and sound without a gap."""
    alice, video = served
    streams = read(FFMPEGS[ffmpeg], urljoin(str(alice.base_url), alice.stream(video)[manifest]))
    [pictures, _] = sorted(read(FFMPEGS["newest"], big_buck_bunny()), key=len)
    rungs = [rendition["name"] for rendition in alice.video(video)["renditions"]]
    assert rungs == ["v720", "v480", "v240"]
    shown = [frames for frames in streams if len(frames) == len(pictures)]
    assert len(shown) == len(rungs) < len(streams)
    for frames in shown:
        assert frames[0][0] == 0
        assert max(abs(b[0] - a[0] - Fraction(1, 25)) for a, b in pairwise(frames)) < Fraction(1, 500)
    for blocks in streams:
        if blocks not in shown:
            assert blocks[0][0] == 0
            assert len(blocks) > len(pictures)
            assert all(abs(a[0] + a[1] - b[0]) < Fraction(1, 1000) for a, b in pairwise(blocks))


def read(ffmpeg: str, path: Path | str) -> list[Frames]:
    """Decode all streams of a manifest (by path or address) or file at once; return the frames of each. No word of
    warning is allowed.
    """
    command = [
        ffmpeg,
        "-v",
        "warning",
        "-i",
        str(path),
        "-map",
        "0",
        "-fps_mode:v",
        "passthrough",
        "-f",
        "framecrc",
        "-",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.stderr == ""
    assert done.returncode == 0
    bases: dict[int, Fraction] = {}
    frames: dict[int, Frames] = {}
    for line in done.stdout.splitlines():
        if line.startswith("#tb"):
            number, base = line.removeprefix("#tb").split(":")
            bases[int(number)] = Fraction(base.strip())
        elif not line.startswith("#"):
            fields = [field.strip() for field in line.split(",")]
            stream = int(fields[0])
            frames.setdefault(stream, []).append((int(fields[2]) * bases[stream], int(fields[3]) * bases[stream]))
    return [frames[stream] for stream in sorted(frames)]


@pytest.mark.parametrize("manifest", MANIFESTS)
@pytest.mark.parametrize("ffmpeg", FFMPEGS)
@pytest.mark.parametrize("made", ["bunny", "languages"])
def test_every_rendition_reads_evenly(made: str, ffmpeg: str, manifest: str, request: pytest.FixtureRequest) -> None:
    """All pictures of all renditions come, a constant step apart over every border; sound runs on without a gap."""
    package: workshop.Package = request.getfixturevalue(made)
    streams = read(FFMPEGS[ffmpeg], package.out / manifest)
    video, audio = package.presentation.video, package.presentation.audio
    # HLS lists the sound again for every variant that goes with it; each time it must read the same.
    assert len(streams) >= len(video) + len(audio)
    pictures = [frames for frames in streams if is_video(frames, video[0])]
    assert len(pictures) == len(video)
    for frames in pictures:
        assert len(frames) == round(video[0].duration * rate(video[0]))
        assert frames[0][0] == 0
        assert max(abs(b[0] - a[0] - 1 / rate(video[0])) for a, b in pairwise(frames)) < Fraction(1, 500)
    for blocks in streams:
        if blocks not in pictures:
            assert blocks[0][0] == 0
            assert all(abs(a[0] + a[1] - b[0]) < Fraction(1, 1000) for a, b in pairwise(blocks))
            end = blocks[-1][0] + blocks[-1][1]
            shortest = min(r.end for r in package.presentation.renditions)
            assert (shortest if manifest == "manifest.mpd" else audio[0].end) - AAC_FRAME <= end <= audio[0].end


def is_video(frames: Frames, rendition: Rendition) -> bool:
    """Tell pictures from sound by how many there are a second."""
    return abs(len(frames) - rendition.duration * rate(rendition)) < 2


def rate(rendition: Rendition) -> Fraction:
    """Pictures a second."""
    assert rendition.frame_rate is not None
    return rendition.frame_rate


@pytest.mark.parametrize("ffmpeg", FFMPEGS)
def test_a_single_segment_file_is_a_valid_mp4(bunny: workshop.Package, ffmpeg: str) -> None:
    """Header and segments in one file read without a warning too: the boxes are right by themselves."""
    for rendition in bunny.presentation.renditions:
        path = workshop.whole(bunny, rendition.name)
        assert len(read(FFMPEGS[ffmpeg], path)) == 1
