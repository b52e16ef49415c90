"""A picture of high dynamic range made in code, as light, as a signal, and as a file; and what others make of it."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from math import exp, log
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from streamhost.model.streaming import Transfer

Pixels = NDArray[np.float64]
"""Height, width, and red, green, blue."""
WIDTH, HEIGHT = 640, 360
PEAK = 1000.0
CODE = {Transfer.PQ: 16, Transfer.HLG: 18}
"""TransferCharacteristics (ISO/IEC 23091-2)."""
BT2020, BT2020_MATRIX = 9, 9
LUMA = (0.2627, 0.6780, 0.0593)
UNSPECIFIED = 2
LOSSLESS = "lossless=1:bframes=0:log-level=none"
"""Without B-pictures: FFmpeg 9 does not write the times of two pictures that change places into MP4."""
RPU = bytes([62 << 1, 1, 0x19]) + bytes(40) + b"\x80"
"""A NAL unit of the type that carries Dolby Vision's metadata (UNSPEC62), with nothing of use in it."""


def scene() -> Pixels:
    """Light in cd/m2, BT.2020 primaries: an evening sky with its sun, a row of colours from dark to far too bright, and
    a grey wedge.
    """
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    sky = np.stack([90 - 40 * y / 200, 70 + 10 * y / 200, 190 - 130 * y / 200], -1).clip(4)
    glow = np.exp(-((x - 450) ** 2 + (y - 120) ** 2) / 7000)[..., None] * np.array([420.0, 170.0, 50.0])
    light = sky + glow
    light[(x - 450) ** 2 + (y - 120) ** 2 < 900] = (PEAK, PEAK * 0.86, PEAK * 0.55)
    hills = y > 170 + 18 * np.sin(x / 70) + 8 * np.sin(x / 23)
    light[hills] = np.array([6.0, 9.0, 4.0]) * (1 + (y[hills, None] - 150) / 60)
    colours = [(1, 0.05, 0.02), (1, 0.5, 0.02), (0.9, 0.9, 0.05), (0.1, 1, 0.1), (0.05, 0.8, 1), (0.05, 0.1, 1),
               (0.8, 0.1, 1), (0.9, 0.6, 0.45)]  # fmt: skip
    for place, colour in enumerate(colours):
        left, right = place * WIDTH // len(colours), (place + 1) * WIDTH // len(colours)
        levels = np.geomspace(5, PEAK, right - left)
        light[240:310, left:right] = levels[None, :, None] * np.array(colour)
    light[310:] = np.geomspace(0.05, PEAK, WIDTH)[None, :, None]
    return np.asarray(light)


def pq(light: Pixels) -> Pixels:
    """The PQ signal of light."""
    power = (light / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(light: Pixels) -> Pixels:
    """The HLG signal that shows this light on a screen of 1000 cd/m2 (BT.2100: inverse OOTF, then OETF)."""
    shown = light / 1000
    luminance = (shown @ np.array(LUMA)).clip(1e-12)
    scene_light = (shown * luminance[..., None] ** (1 / 1.2 - 1)).clip(0, 1)
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * log(4 * a)
    bright = a * np.log((12 * scene_light - b).clip(1e-12)) + c
    return np.asarray(np.where(scene_light <= 1 / 12, np.sqrt(3 * scene_light), bright))


def signal_of(light: Pixels, transfer: Transfer) -> Pixels:
    """The signal of light."""
    return pq(light) if transfer is Transfer.PQ else hlg(light)


def write(path: Path, signal: Pixels, transfer: Transfer | None, *, full_range: bool = False, params: str = "") -> Path:
    """Write two pictures as lossless HEVC in 10 bits, tagged as what they are (``None``: not at all)."""
    height, width, _ = signal.shape
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx265", rate=25)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p10le"
        tags = (BT2020, CODE[transfer], BT2020_MATRIX) if transfer else (UNSPECIFIED,) * 3
        context.color_primaries, context.color_trc, context.colorspace = tags
        context.color_range = 2 if full_range else 1
        context.options = {"preset": "ultrafast", "x265-params": ":".join(filter(None, (LOSSLESS, params)))}
        context.time_base = Fraction(1, 25)
        for number in range(2):
            frame = ten_bit(signal, full_range=full_range)
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), PictureType.NONE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def with_dolby_vision(source: Path, target: Path) -> Path:
    """Copy a file and give each picture the metadata that mark it as Dolby Vision."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        [stream] = given.streams.video
        copy = out.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size:
                marked = Packet(bytes(packet) + len(RPU).to_bytes(4, "big") + RPU)
                marked.pts, marked.dts, marked.time_base = packet.pts, packet.dts, packet.time_base
                marked.is_keyframe, marked.stream = packet.is_keyframe, copy
                out.mux(marked)
    return target


def ten_bit(signal: Pixels, *, full_range: bool) -> VideoFrame:
    """Return 4:2:0 in 10 bits: BT.2020 non-constant luminance (BT.2100, table 6), quantised after its table 9."""
    height, width, _ = signal.shape
    luma = signal @ np.array(LUMA)
    blue = (signal[..., 2] - luma) / 1.8814
    red = (signal[..., 0] - luma) / 1.4746
    offset, scale, chroma = (0, 1023, 1023) if full_range else (64, 876, 896)
    planes = [luma * scale + offset, *(_halved(plane) * chroma + 512 for plane in (blue, red))]
    frame = VideoFrame(width, height, "yuv420p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), "<u2")
        rows[:, : values.shape[1]] = np.rint(values).clip(0, 1023)
        plane.update(rows.tobytes())
    return frame


def shown(frame: VideoFrame) -> Pixels:
    """Return the BT.709 signal, 0..1, of an 8-bit limited picture."""
    height, width = frame.height, frame.width
    planes = frame.to_ndarray()
    luma = (planes[:height].astype(float) - 16) / 219
    chroma = planes[height:].astype(float).reshape(2, height // 2, width // 2)
    blue, red = ((plane - 128) / 224 for plane in chroma.repeat(2, axis=1).repeat(2, axis=2))
    r, b = luma + 1.5748 * red, luma + 1.8556 * blue
    return np.stack([r, (luma - 0.2126 * r - 0.0722 * b) / 0.7152, b], -1).clip(0, 1)


def by_ffmpeg(ffmpeg: str, source: Path, curve: str) -> Pixels:
    """Return what FFmpeg's own chain (zscale to light, ``tonemap``, zscale back) makes of a file's first picture.

    zscale's BT.709 means the camera's curve of that standard; its result is shown by a BT.1886 screen like ours.
    """
    chain = (
        "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
        f"tonemap={curve}:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
    )
    command = [ffmpeg, "-v", "error", "-i", str(source), "-vf", chain, "-frames:v", "1", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=240).stdout
    frame = VideoFrame.from_ndarray(np.frombuffer(raw, np.uint8).reshape(HEIGHT * 3 // 2, WIDTH), "yuv420p")
    return shown(frame)


def reference_pixel(signal: tuple[float, float, float], transfer: Transfer, peak: float) -> tuple[float, ...]:
    """What a pixel should become, worked out one number at a time from the standards; see `docs/explanation/hdr.md`."""
    r, g, b = (_light(value, transfer) for value in signal)
    if transfer is Transfer.HLG:
        luminance = 0.2627 * r + 0.6780 * g + 0.0593 * b
        factor = 1000 * luminance**0.2 if luminance > 0 else 0.0
        r, g, b = r * factor, g * factor, b * factor
    linear = [
        1.6605 * r - 0.5876 * g - 0.0728 * b,
        -0.1246 * r + 1.1329 * g - 0.0083 * b,
        -0.0182 * r - 0.1006 * g + 1.1187 * b,
    ]
    most = max(linear)
    if most <= 1e-9:
        return 0.0, 0.0, 0.0
    shown = _light(_eetf(_pq(most), _pq(peak), _pq(203)), Transfer.PQ) / 203
    return tuple((max(0.0, 1 - _drawn_in(1 - value / most)) * shown) ** (1 / 2.4) for value in linear)


def _eetf(intensity: float, top: float, white: float) -> float:
    """BT.2390, 5.4.1."""
    if white >= top:
        return min(intensity, white)
    given, limit = min(intensity / top, 1), white / top
    knee = 1.5 * limit - 0.5
    if given < knee:
        return given * top
    t = (given - knee) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * limit
    return spline * top


def _drawn_in(distance: float) -> float:
    """How far a primary stays from the strongest one."""
    return distance if distance <= 0.95 else 0.95 + 0.05 * (1 - exp(-(distance - 0.95) / 0.05))


def _light(value: float, transfer: Transfer) -> float:
    """cd/m2 of a PQ value, or scene light of an HLG value."""
    value = min(1.0, max(0.0, value))
    if transfer is Transfer.PQ:
        root = value ** (1 / 78.84375)
        return 10_000 * float((max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125))
    a = 0.17883277
    return value**2 / 3 if value <= 0.5 else (exp((value - (0.5 - a * log(4 * a))) / a) + 1 - 4 * a) / 12


def _pq(light: float) -> float:
    power = (max(light, 0) / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def _halved(plane: Pixels) -> Pixels:
    height, width = plane.shape
    return np.asarray(plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))
