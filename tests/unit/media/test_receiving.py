"""Pictures that people send as posters: decoded and written anew, so that nothing but their pixels is kept."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from numpy.typing import NDArray

from streamhost.media import tasks
from streamhost.media.errors import NotPicture
from streamhost.media.execute import execute
from streamhost.model.streaming import POSTER
from streamhost.testing import clips

SECRET = b"48.8584 N 2.2945 E"
"""Stands in the metadata of what is sent: a place."""


def written(codec: str, pixels: NDArray[np.uint8], layout: str, pix_fmt: str) -> bytes:
    """A picture file of FFmpeg's encoder `codec`."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    frame = VideoFrame.from_ndarray(pixels, layout).reformat(format=pix_fmt)
    context.width, context.height, context.pix_fmt = frame.width, frame.height, pix_fmt
    context.time_base = Fraction(1, 25)
    context.color_range = 2
    frame.pts, frame.time_base, frame.pict_type = 0, context.time_base, PictureType.NONE
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def pattern(width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    """Red on the left, blue on the right, as RGB."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 200
    pixels[:, width // 2 :, 2] = 200
    return pixels


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an Exif block that says how it is turned and where it was taken."""
    entries = struct.pack("<HHII", 0x0112, 3, 1, orientation) + struct.pack("<HHII", 0x010E, 2, len(SECRET), 38)
    tiff = b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0) + SECRET
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def received(data: bytes, folder: Path, limits: tasks.Limits | None = None) -> bytes:
    """What the poster file holds when `data` was sent."""
    source = folder / "sent"
    source.write_bytes(data)
    answer = execute(tasks.ReadPicture(str(source), str(folder), limits or tasks.Limits()))
    assert answer == tasks.Poster(POSTER)
    return (folder / POSTER).read_bytes()


def shown(poster: bytes) -> NDArray[np.uint8]:
    """The poster's pixels as RGB; it must be a JPEG."""
    with av.open(BytesIO(poster), format="jpeg_pipe") as container:
        assert isinstance(container, InputContainer)
        [frame] = container.decode(video=0)
    return frame.to_ndarray(format="rgb24").astype(np.uint8)


@pytest.mark.parametrize(
    ("codec", "layout", "pix_fmt"),
    [("mjpeg", "rgb24", "yuvj420p"), ("png", "rgb24", "rgb24"), ("libwebp", "rgb24", "yuv420p")],
)
def test_every_kind_becomes_a_jpeg_that_looks_the_same(tmp_path: Path, codec: str, layout: str, pix_fmt: str) -> None:
    """JPEG, PNG and WebP keep their size and, within what JPEG loses, their colours."""
    made = shown(received(written(codec, pattern(), layout, pix_fmt), tmp_path))
    assert made.shape == (180, 320, 3)
    for column, colour in ((40, (200, 0, 0)), (280, (0, 0, 200))):
        assert np.abs(made[90, column].astype(int) - colour).max() < 16


def test_a_large_picture_becomes_small(tmp_path: Path) -> None:
    """A poster is page-wide at most."""
    assert shown(received(written("mjpeg", pattern(3000, 2000), "rgb24", "yuvj420p"), tmp_path)).shape == (854, 1280, 3)


def test_what_the_camera_wrote_is_gone_and_its_turn_made(tmp_path: Path) -> None:
    """The place where a picture was taken does not get out, and a picture on its side stands up."""
    sent = with_exif(written("mjpeg", pattern(), "rgb24", "yuvj420p"), orientation=6)
    assert SECRET in sent
    poster = received(sent, tmp_path)
    assert SECRET not in poster
    assert b"Exif" not in poster
    made = shown(poster)
    assert made.shape == (320, 180, 3)
    # Turned clockwise: what was left is at the top.
    assert made[40, 90, 0] > 150
    assert made[280, 90, 2] > 150


def test_what_is_transparent_becomes_black(tmp_path: Path) -> None:
    """Pixels that nobody was meant to see are not uncovered."""
    pixels = np.dstack([pattern(), np.zeros((180, 320), np.uint8)])
    assert shown(received(written("png", pixels, "rgba", "rgba"), tmp_path)).max() < 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(100),
        b"\xff\xd8\xff" + bytes(1000),
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"RIFF\x10\0\0\0WEBPVP8 " + bytes(100),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, data: bytes) -> None:
    """What is no picture of the three kinds, or only begins like one, is an error and leaves nothing."""
    with pytest.raises(NotPicture):
        received(data, tmp_path)
    assert not (tmp_path / POSTER).exists()


def test_a_video_is_no_picture(tmp_path: Path) -> None:
    """A film is not taken for a poster."""
    film = clips.make(tmp_path / "film.mp4", clips.Clip(seconds=0.2, languages=()))
    with pytest.raises(NotPicture):
        received(film.read_bytes(), tmp_path)


def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    """A small file that would unfold to gigabytes is refused by what it says of itself."""
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    with pytest.raises(NotPicture):
        received(bomb, tmp_path)
    small = tasks.Limits(max_pixels=1000)
    with pytest.raises(NotPicture):
        received(written("mjpeg", pattern(), "rgb24", "yuvj420p"), tmp_path, small)
