"""How loud each channel comes out: the fold-down to stereo after ITU-R BS.775, mono, and sample rates."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from streamhost.media import tasks
from streamhost.media.execute import execute
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media import workshop

HALF = -3.01
SILENT = -60.0
LAYOUTS = {
    "5.1": ("FL", "FR", "FC", "LFE", "BL", "BR"),
    "5.1(side)": ("FL", "FR", "FC", "LFE", "SL", "SR"),
    "7.1": ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
    "mono": ("FC",),
}
FOLDED = {
    "FL": (0.0, None), "FR": (None, 0.0), "FC": (HALF, HALF), "LFE": (None, None), "BL": (HALF, None),
    "BR": (None, HALF), "SL": (HALF, None), "SR": (None, HALF),
}  # fmt: skip
"""Left and right in dB relative to the channel alone (BS.775-4, annex 4, table 2); ``None``: not in it."""


def tones(path: Path, layout: str, level: float) -> Path:
    """A second of tone in each channel of a layout, one after the other; by Debian's ffmpeg, as FLAC."""
    names = LAYOUTS[layout]
    parts = "|".join(f"{name}=gte(t,{n})*lt(t,{n + 1})*{level}*sin(2*PI*1000*t)" for n, name in enumerate(names))
    expressions = "|".join(part.partition("=")[2] for part in parts.split("|"))
    source = f"aevalsrc=exprs='{expressions}':c={layout}:s=48000:d={len(names)}"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:a", "pcm_s16le", path], check=True)
    return path


def heard(path: Path) -> NDArray[np.float32]:
    """Both channels of a file, decoded."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0) if isinstance(frame, AudioFrame)]
    return np.concatenate(frames, axis=1)


def encoded(source: Path, out: Path) -> NDArray[np.float32]:
    """What our encoding of the first track sounds like."""
    out.mkdir()
    info = workshop.probe(source)
    answer = execute(tasks.EncodeAudio(str(source), str(out), info, info.audio[0], "a"))
    assert isinstance(answer, tasks.Encoded)
    segments = sorted((out / "a").glob("*.m4s"), key=lambda path: int(path.stem))
    whole = out / "whole.mp4"
    whole.write_bytes((out / "a" / "init.mp4").read_bytes() + b"".join(path.read_bytes() for path in segments))
    return heard(whole)


def decibels(samples: NDArray[np.float32], second: int, level: float) -> list[float]:
    """The level of each channel in the middle of a second, against a sine of ``level``."""
    middle = samples[:, int((second + 0.3) * 48_000) : int((second + 0.7) * 48_000)].astype(np.float64)
    loud = np.sqrt((middle**2).mean(axis=1)) * np.sqrt(2) / level
    return [float(20 * np.log10(max(value, 1e-9))) for value in loud]


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)", "7.1"])
def test_surround_is_folded_after_bs_775(tmp_path: Path, layout: str) -> None:
    """Front at full level, centre and surrounds 3 dB lower, no low-frequency channel; as FFmpeg folds, too."""
    source = tones(tmp_path / "tones.wav", layout, 0.25)
    ours = encoded(source, tmp_path / "out")
    folded = tmp_path / "folded.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, "-ac", "2", "-c:a", "pcm_f32le", folded], check=True)
    theirs = heard(folded)
    theirs = theirs.reshape(-1, 2).T if theirs.shape[0] == 1 else theirs
    scale = decibels(theirs, 0, 0.25)[0]  # FFmpeg turns the whole down where integers could overflow
    for number, name in enumerate(LAYOUTS[layout]):
        if layout == "7.1" and name in ("BL", "BR", "SL", "SR"):
            # BS.775 knows one pair of surrounds; two pairs count alike.
            assert decibels(ours, number, 0.25)[0 if name[-1] == "L" else 1] == pytest.approx(HALF, abs=0.3)
            continue
        for side, expected, other in zip(
            decibels(ours, number, 0.25), FOLDED[name], decibels(theirs, number, 0.25), strict=True
        ):
            if expected is None:
                assert side < SILENT
            else:
                assert side == pytest.approx(expected, abs=0.3)
                assert side == pytest.approx(other - scale, abs=0.3)


def test_mono_is_as_loud_in_both_speakers(tmp_path: Path) -> None:
    """One channel becomes two at its own level, not 3 dB lower."""
    ours = encoded(tones(tmp_path / "tones.wav", "mono", 0.25), tmp_path / "out")
    assert decibels(ours, 0, 0.25) == pytest.approx([0.0, 0.0], abs=0.3)


def test_full_channels_do_not_clip(tmp_path: Path) -> None:
    """All channels at full scale at once would be 7.7 dB over it: the sum is held below it and stays a tone."""
    expressions = "|".join(["0.99*sin(2*PI*1000*t)*gte(t,1)"] * 6)
    source = tmp_path / "loud.wav"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"aevalsrc=exprs='{expressions}':c=5.1:s=48000:d=3"]
    subprocess.run([*command, "-c:a", "pcm_s16le", str(source)], check=True)
    ours = encoded(source, tmp_path / "out")
    assert np.abs(ours[:, 60_000:]).max() <= 1.0
    tone = ours[0, 96_000 : 96_000 + 4800].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(4800)))
    spectrum[90:111] = 0  # the tone itself, at 100
    assert spectrum.max() < 0.01 * np.abs(np.fft.rfft(tone * np.hanning(4800))).max()


@pytest.mark.parametrize(
    ("rate", "layout", "codec"),
    [(8_000, "mono", "pcm_s16le"), (11_025, "mono", "pcm_s16le"), (44_100, "5.1", "aac"), (96_000, "stereo", "flac"),
     (192_000, "stereo", "flac")],
)  # fmt: skip
def test_every_rate_keeps_its_time(tmp_path: Path, rate: int, layout: str, codec: str) -> None:
    """From telephone to studio: bursts are heard at the seconds, and as long as the source."""
    clip = Clip(seconds=3, sample_rate=rate, layout=layout, audio_codec=codec, video=False)
    ours = encoded(clips.make(tmp_path / "source.mkv", clip), tmp_path / "out")
    first, *others = clips.find_bursts(ours[0], 48_000)
    assert first == pytest.approx(0, abs=0.012)  # a decoder fades the very first samples in
    assert others == pytest.approx([1, 2], abs=0.006)
    assert ours.shape[1] / 48_000 == pytest.approx(3.0, abs=0.05)


def test_a_commentary_stays_one(tmp_path: Path) -> None:
    """What a track is for goes into the rendition."""
    source = clips.make(tmp_path / "plain.mkv", Clip(seconds=1, languages=("eng", "eng")))
    film = tmp_path / "film.mkv"
    options = ["-map", "0", "-c", "copy", "-disposition:a:1", "comment"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, *options, film], check=True)
    package = workshop.package(film, tmp_path / "package")
    assert [(r.name, r.purpose.value, r.default) for r in package.presentation.audio] == [
        ("a-en", "main", True), ("a-en-2", "commentary", False),
    ]  # fmt: skip
    assert package.presentation.duration > Fraction(9, 10)
