"""Pictures in the renditions' colours as JPEG."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

QUALITY = 3
"""JPEG quantiser scale of FFmpeg's encoder: 2 is best, 31 worst; 3 shows no artefacts at a poster's size."""
PIXEL_FORMAT = "yuvj420p"
FULL_RANGE = 2


def for_jpeg(picture: VideoFrame, width: int, height: int, interpolation: Interpolation) -> VideoFrame:
    """Return a picture in the renditions' colours (BT.709, limited) at another size in those of JPEG.

    JPEG (JFIF) is full range BT.601.
    """
    return picture.reformat(
        width,
        height,
        PIXEL_FORMAT,
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=interpolation,
        threads=1,
    )


def encode(picture: VideoFrame, quality: int = QUALITY) -> bytes:
    """Return a picture from ``for_jpeg`` as a JPEG file."""
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = picture.width, picture.height, PIXEL_FORMAT
    context.time_base = Fraction(1, 25)
    context.color_range = FULL_RANGE
    context.qmin = context.qmax = quality
    context.thread_count = 1
    context.open()
    picture.pts, picture.time_base, picture.pict_type = 0, context.time_base, PictureType.NONE
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])


def plane(of: VideoPlane) -> NDArray[np.uint8]:
    """Return a plane's pixels, rows by columns, without copying them."""
    rows: NDArray[np.uint8] = np.frombuffer(of, np.uint8).reshape(-1, of.line_size)  # type: ignore[call-overload]  # it is a buffer
    return rows[: of.height, : of.width]
