"""Draws the pictures of docs/explanation/hdr.md: `python scripts/hdr_pictures.py`. Needs the group of test packages."""

from __future__ import annotations

import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import numpy as np
from av.video.frame import VideoFrame

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from streamhost.media import tonemap  # noqa: E402 -- after the path to the tests
from streamhost.model.streaming import Transfer  # noqa: E402 -- likewise
from tests.support import hdr  # noqa: E402 -- likewise
from tests.unit.media import workshop  # noqa: E402 -- likewise

PICTURES = ROOT / "docs" / "explanation" / "pictures"


def main() -> None:
    """Draw all of them, and print how far ours is from the reference."""
    PICTURES.mkdir(exist_ok=True)
    signal = hdr.signal_of(hdr.scene(), Transfer.PQ)
    reference = tonemap.to_sdr(signal, Transfer.PQ)
    with tempfile.TemporaryDirectory() as folder:
        source = hdr.write(Path(folder) / "hdr.mkv", signal, Transfer.PQ)
        rung = workshop.rung_of(source, crf=18)
        package = workshop.package(source, Path(folder) / "package", encode=True, rungs=(rung,))
        ours = hdr.shown(workshop.first_pictures(workshop.whole(package, rung.name))[0])
        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
        draw("hdr-ours", ours)
        draw("hdr-reference", reference)
        draw("hdr-clipped", hdr.by_ffmpeg(ffmpeg, source, "clip"))
        draw("hdr-mobius", hdr.by_ffmpeg(ffmpeg, source, "mobius"))
        draw("hdr-untouched", signal)
    print(f"ours and the reference differ by {np.abs(ours - reference).mean() * 219:.2f} of 219 levels")


def draw(name: str, picture: hdr.Pixels) -> None:
    """Write a picture (0..1) as PNG."""
    frame = VideoFrame.from_ndarray(np.rint(picture.clip(0, 1) * 255).astype(np.uint8), "rgb24")
    context = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "rgb24"
    context.time_base = Fraction(1, 25)
    context.options = {"compression_level": "9", "pred": "mixed"}
    frame.pts = 0
    packets = [*context.encode(frame), *context.encode(None)]
    (PICTURES / f"{name}.png").write_bytes(b"".join(bytes(packet) for packet in packets))


if __name__ == "__main__":
    main()
