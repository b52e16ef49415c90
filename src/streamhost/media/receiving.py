"""Reads a picture that somebody sent and writes it anew: of the file nothing but the pixels remains."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from streamhost.media import jpeg, stills
from streamhost.media.errors import DamagedSource, NotMedia, NotPicture
from streamhost.media.opening import translated
from streamhost.media.tasks import Limits, Poster, ReadPicture
from streamhost.model.streaming import POSTER

MAGIC = ((b"\xff\xd8\xff", 0, "jpeg_pipe"), (b"\x89PNG\r\n\x1a\n", 0, "png_pipe"), (b"WEBP", 8, "webp_pipe"))
"""How a file of each kind begins (at which byte), and the demuxer that reads it and opens nothing else."""
HEAD = 16
QUARTERS = {90: 1, 180: 2, -180: 2, -90: 3, 270: 3}
"""Turns to the left by which numpy makes a picture upright, by the angle that it is said to be turned by."""


def read_picture(task: ReadPicture) -> Poster:
    """Decode the file, turn it upright, and write it as a poster. Raises ``NotPicture``."""
    pixels = _upright(decoded(task.source, task.limits))
    size = stills.fitted(pixels.width, pixels.height, stills.POSTER_SIDE)
    shown = pixels.reformat(
        *size,
        jpeg.PIXEL_FORMAT,
        dst_colorspace=Colorspace.ITU601,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.BICUBIC,
        threads=1,
    )
    (Path(task.out_dir) / POSTER).write_bytes(jpeg.encode(shown))
    return Poster(POSTER)


def decoded(source: str, limits: Limits) -> VideoFrame:
    """Decode the first picture of a file of a known kind. Raises ``NotPicture``."""
    kind = _kind(Path(source))
    try:
        return _decoded(source, kind, limits)
    except (DamagedSource, NotMedia) as error:
        raise NotPicture(error.detail) from error


def turned(frame: VideoFrame, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame's pixels upright, as its file says."""
    return np.ascontiguousarray(np.rot90(pixels, QUARTERS.get(frame.rotation, 0)))


def _kind(source: Path) -> str:
    with source.open("rb") as file:
        head = file.read(HEAD)
    for magic, place, kind in MAGIC:
        if head[place : place + len(magic)] == magic:
            return kind
    raise NotPicture


def _decoded(source: str, kind: str, limits: Limits) -> VideoFrame:
    options = {"format_whitelist": kind, "protocol_whitelist": "file", "max_pixels": str(limits.max_pixels)}
    with translated(), av.open(f"file:{Path(source).absolute()}", "r", format=kind, options=options) as container:
        assert isinstance(container, InputContainer)
        if not container.streams.video:
            raise NotPicture
        stream = container.streams.video[0]
        stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            return frame
    raise NotPicture


def _upright(frame: VideoFrame) -> VideoFrame:
    """Return the picture in RGB, turned as its file says; what is transparent is black."""
    if any(component.is_alpha for component in frame.format.components):
        layers = frame.to_ndarray(format="rgba").astype(np.uint16)
        rgb: NDArray[np.uint8] = (layers[..., :3] * layers[..., 3:] // np.uint16(np.iinfo(np.uint8).max)).astype(
            np.uint8
        )
    else:
        rgb = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    return VideoFrame.from_ndarray(turned(frame, rgb), "rgb24")
