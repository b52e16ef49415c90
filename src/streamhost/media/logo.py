"""Reads a picture that is to be a site's logo and writes it anew: the logo, and square icons of it, as PNG."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from streamhost.media.receiving import decoded, turned
from streamhost.media.tasks import LogoMade, ReadLogo

LOGO = "logo.png"
WIDEST, TALLEST = 640, 160
"""Pixels of the logo: four times what pages show, for sharp screens."""
ICONS = {"icon-32.png": 32, "icon-180.png": 180, "icon-192.png": 192, "icon-512.png": 512}
"""Squares for tabs, home screens and app lists."""
OPAQUE = frozenset({"icon-180.png"})
"""Home screens of phones put black behind what is transparent: these get white."""
FULL = 255

Pixels = NDArray[np.uint8]


def read_logo(task: ReadLogo) -> LogoMade:
    """Decode the file, turn it upright, and write it in every size. Raises ``NotPicture``."""
    frame = decoded(task.source, task.limits)
    pixels = turned(frame, frame.to_ndarray(format="rgba").astype(np.uint8, copy=False))
    height, width = pixels.shape[:2]
    scale = min(Fraction(1), Fraction(WIDEST, width), Fraction(TALLEST, height))
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    out = Path(task.out_dir)
    (out / LOGO).write_bytes(_png(_scaled(pixels, *size)))
    for name, side in ICONS.items():
        square = _icon(pixels, side)
        (out / name).write_bytes(_png(_on_white(square) if name in OPAQUE else square))
    return LogoMade((LOGO, *ICONS), *size)


def _icon(pixels: Pixels, side: int) -> Pixels:
    """The picture as large as it fits in the middle of a transparent square."""
    height, width = pixels.shape[:2]
    scale = Fraction(side, max(height, width))
    fitted = _scaled(pixels, max(1, int(width * scale)), max(1, int(height * scale)))
    height, width = fitted.shape[:2]
    square = np.zeros((side, side, 4), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = fitted
    return square


def _scaled(pixels: Pixels, width: int, height: int) -> Pixels:
    """Another size. Colours count by how opaque they are, so that no hidden colour bleeds into edges."""
    alpha = pixels[..., 3:].astype(np.float32) / FULL
    weighed = np.concatenate([pixels[..., :3] * alpha, pixels[..., 3:]], axis=2).round().astype(np.uint8)
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(weighed), "rgba")
    made = frame.reformat(width, height, "rgba", interpolation=Interpolation.AREA, threads=1).to_ndarray()
    share = np.maximum(made[..., 3:].astype(np.float32) / FULL, 1 / FULL)
    plain = np.minimum(made[..., :3] / share, FULL).round().astype(np.uint8)
    return np.concatenate([plain, made[..., 3:].astype(np.uint8)], axis=2)


def _on_white(pixels: Pixels) -> Pixels:
    alpha = pixels[..., 3:].astype(np.float32) / FULL
    flat = (pixels[..., :3] * alpha + FULL * (1 - alpha)).round().astype(np.uint8)
    return np.concatenate([flat, np.full_like(pixels[..., 3:], FULL)], axis=2)


def _png(pixels: Pixels) -> bytes:
    height, width = pixels.shape[:2]
    context = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = width, height, "rgba"
    context.time_base = Fraction(1, 25)
    context.thread_count = 1
    context.open()
    picture = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgba")
    picture.pts, picture.time_base = 0, context.time_base
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])
