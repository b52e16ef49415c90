"""The poster of a sound: its cover, or its loudness as bars."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from streamhost.media import tasks
from streamhost.media.execute import execute
from streamhost.media.waveform import BARS, HEIGHT, WIDTH, Loudness, draw
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media import workshop


def frames(*levels: float) -> list[AudioFrame]:
    """A frame of steady sound for each level."""
    return [AudioFrame.from_ndarray(np.full((2, 1024), level, np.float32), "fltp", "stereo") for level in levels]


def poster(source: Path, out: Path) -> NDArray[np.uint8]:
    """The poster that encoding the sound makes."""
    out.mkdir()
    info = workshop.probe(source)
    answer = execute(tasks.EncodeAudio(str(source), str(out), info, info.audio[0], "a", poster=True))
    assert isinstance(answer, tasks.Encoded)
    assert answer.poster == "poster.jpg"
    with av.open(str(out / "poster.jpg")) as container:
        [picture] = container.decode(video=0)
        assert isinstance(picture, VideoFrame)
        return np.asarray(picture.to_ndarray(format="rgb24"))


def test_bars_follow_the_loudness() -> None:
    """A sound that swells has bars that grow; silence has the lowest ones."""
    loudness = Loudness()
    for frame in frames(*np.linspace(0, 1, 800)):
        loudness.hear(frame)
    bars = loudness.bars()
    assert len(bars) == BARS
    assert bars[-1] == 1.0
    assert (np.diff(bars) > 0).all()
    silent = Loudness()
    assert silent.bars().tolist() == [0.0] * BARS
    silent.hear(frames(0.0)[0])
    assert silent.bars().tolist() == [0.0] * BARS


def test_a_long_sound_needs_no_more_memory() -> None:
    """However long it is, a few thousand values are kept, and they still tell its course."""
    loudness = Loudness()
    quiet, loud = frames(0.1, 0.9)
    for number in range(40_000):
        loudness.hear(quiet if number < 20_000 else loud)
    assert len(loudness.levels) < 8192
    bars = loudness.bars()
    assert bars[: BARS // 2 - 1].max() < 0.4
    assert bars[BARS // 2 + 1 :].min() == pytest.approx(1.0, abs=0.01)


def test_the_drawing_is_bars_on_a_dark_ground() -> None:
    """The tallest bar reaches far up, the lowest is a dot; all lie about the middle."""
    bars = np.zeros(BARS)
    bars[3] = 1.0
    picture = draw(bars)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    column = picture[:, 3 * 16 + 8, 1].astype(int)
    assert (column > 120).sum() == pytest.approx(420, abs=4)
    dot = picture[:, 10 * 16 + 8, 1].astype(int)
    assert 4 <= (dot > 120).sum() <= 14
    assert picture[0].max() < 80


def test_sound_alone_gets_a_waveform(tmp_path: Path) -> None:
    """Encoding a song draws it, in the colours of the house."""
    picture = poster(clips.make(tmp_path / "song.m4a", Clip(seconds=3, video=False)), tmp_path / "out")
    assert picture.shape == (HEIGHT, WIDTH, 3)
    green = picture[HEIGHT // 2].astype(int)
    assert (green[:, 1] - green[:, 0]).max() > 80


@pytest.mark.parametrize(("picture", "name"), [("cover.png", "song.mp3"), ("cover.jpg", "song.m4a")])
def test_a_cover_is_the_poster(tmp_path: Path, picture: str, name: str) -> None:
    """A song with a cover shows that, in its own colours and shape; it is no video."""
    plain = clips.make(tmp_path / "plain.m4a", Clip(seconds=1, video=False))
    colour: list[str] = ["-f", "lavfi", "-i", "color=0x3264c8:s=300x200", "-frames:v", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *colour, str(tmp_path / picture)], check=True)
    encoder = "libmp3lame" if name.endswith("mp3") else "copy"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", plain, "-i", tmp_path / picture, "-map", "0", "-map", "1", "-c:a", encoder,
         "-c:v", "copy", "-disposition:v", "attached_pic", tmp_path / name],
        check=True,
    )  # fmt: skip
    assert workshop.probe(tmp_path / name).video is None
    shown = poster(tmp_path / name, tmp_path / "out")
    assert shown.shape == (200, 300, 3)
    assert shown[100, 150].tolist() == pytest.approx([0x32, 0x64, 0xC8], abs=6)


def test_a_broken_cover_is_no_reason_to_fail(tmp_path: Path) -> None:
    """A cover that cannot be decoded is passed over, and the sound is drawn."""
    plain = clips.make(tmp_path / "plain.m4a", Clip(seconds=1, video=False))
    cover = tmp_path / "cover.png"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", cover], check=True
    )
    song = tmp_path / "song.mp3"
    command: list[str | Path] = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        plain,
        "-i",
        cover,
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        "copy",
    ]
    subprocess.run([*command, "-disposition:v", "attached_pic", song], check=True)
    data = song.read_bytes()
    at = data.index(b"IDAT")
    song.write_bytes(data[:at] + b"\xff" * 40 + data[at + 40 :])
    assert poster(song, tmp_path / "out").shape == (HEIGHT, WIDTH, 3)
