"""What becomes of the picture itself: which side is up, which line comes first, which colour a number is."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media import workshop

Grey = NDArray[np.int64]
LOSSLESS = {"preset": "ultrafast", "qp": "0"}
ONE = 1 << 16
TURNS = {0: (ONE, 0, 0, ONE), 90: (0, ONE, -ONE, 0), 180: (-ONE, 0, 0, -ONE), 270: (0, -ONE, ONE, 0)}
"""a, b, c, d of a track's matrix (ISO/IEC 14496-12, 8.3.2) for a clockwise turn."""
BT601, BT709, UNSPECIFIED = 6, 1, 2


def flat(width: int, height: int, colour: tuple[int, int, int]) -> VideoFrame:
    """A picture of one Y, Cb, Cr."""
    frame = VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, colour, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


def grey(values: Grey) -> VideoFrame:
    """A picture of these levels, without colour."""
    frame = flat(values.shape[1], values.shape[0], (0, 128, 128))
    plane = frame.planes[0]
    rows = np.zeros((plane.height, plane.line_size), np.uint8)
    rows[:, : values.shape[1]] = values
    plane.update(rows.tobytes())
    return frame


def marked_as(order: str, frame: VideoFrame) -> VideoFrame:
    """The picture, marked as interlaced with the top (tff) or the bottom (bff) field first; encoders heed the mark."""
    graph = Graph()
    entry = graph.add("buffer", f"video_size={frame.width}x{frame.height}:pix_fmt=yuv420p:time_base=1/25")
    graph.link_nodes(entry, graph.add("setfield", order), graph.add("buffersink"))
    graph.configure()
    entry.push(frame)
    return graph.vpull()


def write(path: Path, pictures: list[VideoFrame], options: dict[str, str] | None = None, matrix: int = BT709) -> Path:
    """Write pictures, 25 a second, by libx264."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = pictures[0].width, pictures[0].height, "yuv420p"
        context.options = LOSSLESS | (options or {})
        context.color_range, context.colorspace = 1, matrix
        for number, frame in enumerate(pictures):
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), PictureType.NONE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def shown(package: workshop.Package) -> list[Grey]:
    """The luma of every picture of the best rendition."""
    best = package.presentation.video[0]
    frames = workshop.first_pictures(workshop.whole(package, best.name))
    return [frame.to_ndarray()[: frame.height].astype(np.int64) for frame in frames]


def with_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Change the matrix of an MP4's only track."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = matrix
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def as_ffmpeg_shows(path: Path, width: int, height: int) -> Grey:
    """The luma of the first picture as Debian's ffmpeg shows it, turned by itself."""
    luma = workshop.raw(["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-pix_fmt", "yuv420p"])
    return np.frombuffer(luma[: width * height], np.uint8).reshape(height, width).astype(np.int64)


@pytest.mark.parametrize("mirrored", [False, True], ids=["plain", "mirrored"])
@pytest.mark.parametrize("turn", TURNS)
def test_the_picture_stands_as_other_players_show_it(turn: int, mirrored: bool, tmp_path: Path) -> None:
    """All eight ways in which a picture can be stored, against another program's idea of which side is up."""
    y, x = np.mgrid[0:96, 0:128]
    quarters = np.where(y < 48, np.where(x < 64, 40, 90), np.where(x < 64, 150, 210))
    a, b, c, d = TURNS[turn]
    matrix = (-a, b, -c, d) if mirrored else (a, b, c, d)
    source = with_matrix(write(tmp_path / "a.mp4", [grey(quarters)] * 3), matrix)
    package = workshop.package(source, tmp_path / "package", encode=True)
    best = package.presentation.video[0]
    assert (best.width, best.height) == ((96, 128) if turn in (90, 270) else (128, 96))
    difference = np.abs(shown(package)[0] - as_ffmpeg_shows(source, best.width, best.height))
    assert np.median(difference) <= 2
    assert difference.mean() < 4


@pytest.mark.parametrize(("order", "first"), [("tff", 0), ("bff", 1)])
def test_fields_become_pictures_of_the_first_one(order: str, first: int, tmp_path: Path) -> None:
    """A bar moves by 4 pixels from field to field. Deinterlaced, each picture shows it whole, where the first field has
    it, whichever field that is; and there are as many pictures as before.
    """
    count, width, height = 12, 256, 96
    pictures = []
    for number in range(count):
        image = np.full((height, width), 40)
        for field in (0, 1):
            left = 20 + 4 * (2 * number + field)
            image[(first + field) % 2 :: 2, left : left + 40] = 200
        pictures.append(marked_as(order, grey(image)))
    source = write(tmp_path / "a.mp4", pictures, {"flags": "+ildct+ilme"})
    package = workshop.package(source, tmp_path / "package", encode=True)
    assert package.info.video is not None
    assert package.info.video.interlaced
    found = shown(package)
    assert len(found) == count
    for number, image in list(enumerate(found))[2:-2]:
        rows = image[16:-16]
        edges = [(row > 120).argmax() for row in rows]
        assert max(edges) - min(edges) <= 1, "lines of different fields stand side by side"
        assert abs(np.mean(edges) - (20 + 8 * number)) <= 1


@pytest.mark.parametrize(
    ("matrix", "size"), [(BT601, (160, 90)), (BT709, (160, 90)), (UNSPECIFIED, (160, 90)), (UNSPECIFIED, (64, 720))]
)
def test_a_colour_stays_the_colour_that_it_is(matrix: int, size: tuple[int, int], tmp_path: Path) -> None:
    """The same red, written by BT.601 or BT.709 numbers; without a word, small pictures are BT.601 (as for players)."""
    by_601 = matrix == BT601 or (matrix == UNSPECIFIED and min(size) <= 576)
    red = {True: (81, 90, 240), False: (63, 102, 240)}
    source = write(tmp_path / "a.mkv", [flat(*size, red[by_601])] * 3, matrix=matrix)
    package = workshop.package(source, tmp_path / "package", encode=True)
    best = package.presentation.video[0]
    frame = workshop.first_pictures(workshop.whole(package, best.name))[1]
    planes = [np.frombuffer(bytes(plane), np.uint8)[: frame.width // 2 - 8].mean() for plane in frame.planes]
    assert planes == pytest.approx(red[False], abs=2.5)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "file"),
    [
        ("prores_ks", "yuv422p10le", "a.mov"),
        ("libx264", "yuv444p10le", "a.mkv"),
        ("libx265", "yuv422p10le", "a.mkv"),
        ("ffv1", "yuv420p16le", "a.mkv"),
        ("ffv1", "bgr0", "a.mkv"),
        ("mjpeg", "yuvj422p", "a.avi"),
    ],
)
def test_every_way_to_store_a_picture_becomes_the_same(codec: str, pix_fmt: str, file: str, tmp_path: Path) -> None:
    """From cameras and editors: more bits, more colour, full range, RGB. Out comes 8-bit 4:2:0 of the right levels."""
    options = {"libx265": (("preset", "ultrafast"), ("x265-params", "log-level=none")), "libx264": (("qp", "1"),)}
    clip = Clip(
        seconds=0.4, codec=codec, pix_fmt=pix_fmt, options=options.get(codec, ()), b_frames=0, languages=(),
        width=192, height=108, full_range=pix_fmt.startswith(("yuvj", "bgr")),
    )  # fmt: skip
    package = workshop.package(clips.make(tmp_path / file, clip), tmp_path / "package", encode=True)
    best = package.presentation.video[0]
    frames = workshop.first_pictures(workshop.whole(package, best.name))
    assert [clips.read_counter(frame) for frame in frames] == list(range(10))
    assert {frame.format.name for frame in frames} == {"yuv420p"}
    counter = frames[3].to_ndarray()[90:104, :192]
    assert abs(float(np.percentile(counter, 97)) - clips.WHITE) < 5
    assert abs(float(np.percentile(counter, 3)) - clips.BLACK) < 5


@pytest.mark.parametrize("size", [(16, 16), (2, 2), (1, 1), (64, 2), (17, 1)])
def test_the_smallest_pictures_are_taken(size: tuple[int, int], tmp_path: Path) -> None:
    """Sizes that no camera makes: one rendition, of even size, with every picture."""
    clip = Clip(seconds=0.2, width=size[0], height=size[1], codec="ffv1", options=(), b_frames=0, languages=())
    package = workshop.package(clips.make(tmp_path / "a.mkv", clip), tmp_path / "package", encode=True)
    [only] = package.presentation.video
    assert (only.width % 2, only.height % 2) == (0, 0)
    assert len(workshop.first_pictures(workshop.whole(package, only.name))) == 5


def test_tall_pixels_and_a_turn_come_together(tmp_path: Path) -> None:
    """Pixels twice as high as wide, stored on their side: the turned picture is as wide as it was meant to be high."""
    clip = Clip(seconds=0.4, width=160, height=60, pixel_aspect=Fraction(1, 2), rotation=90, languages=())
    package = workshop.package(clips.make(tmp_path / "a.mp4", clip), tmp_path / "package", encode=True)
    best = package.presentation.video[0]
    assert (best.width, best.height) == (60, 80)


def test_pictures_that_change_their_size_keep_the_first_ones(tmp_path: Path) -> None:
    """A stream that goes on in another size, as from a call: all pictures come out, in the size it began with."""
    parts = []
    for number, (width, height) in enumerate(((320, 180), (160, 90))):
        # The second part goes on with the clock, in times and in numbers.
        first = 25 * number
        images = [clips.picture(Clip(width=width, height=height), first + n) for n in range(25)]
        parts.append((images, first))
    source = tmp_path / "a.nut"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for images, first in parts:
            encoder = av.CodecContext.create("mpeg4", "w")
            encoder.width, encoder.height, encoder.pix_fmt = images[0].width, images[0].height, "yuv420p"
            encoder.time_base = Fraction(1, 25)
            encoder.options = {"b": "2000k"}
            for number, frame in enumerate([*images, None]):
                if frame is not None:
                    frame.pts, frame.time_base, frame.pict_type = first + number, Fraction(1, 25), PictureType.NONE
                for packet in encoder.encode(frame):
                    packet.stream, packet.time_base = stream, Fraction(1, 25)
                    out.mux(packet)
    package = workshop.package(source, tmp_path / "package", encode=True)
    best = package.presentation.video[0]
    assert (best.width, best.height) == (320, 180)
    found = workshop.pictures(workshop.whole(package, best.name))
    assert [number for _, number in found] == list(range(50))
