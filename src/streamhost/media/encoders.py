"""Opens H.264 encoders and gives what they make one form: samples with lengths, parameter sets apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from streamhost.media import h264
from streamhost.media.choice import SOFTWARE
from streamhost.media.errors import EncoderFailed
from streamhost.media.opening import encoder
from streamhost.media.pictures import BT709, PIXEL_FORMAT
from streamhost.model.streaming import Rung

X264 = "annexb=0:keyint=infinite:min-keyint=1:scenecut=0:open-gop=0:force-cfr=0"
"""Keyframes only where segments start, closed groups, samples with lengths instead of start codes."""
MPEG_RANGE = 1
ENDLESS = 1 << 20
"""Pictures in a group: keyframes come only when asked for."""
DROPPED = frozenset({h264.NAL_SPS, h264.NAL_PPS, h264.NAL_AUD})
"""What stands in the header already, or says nothing."""

Options = Callable[[Rung, str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """How an encoder is asked for capped constant quality. ``sized``: its packets are samples with lengths as they are.

    ``b_frames`` is ``None`` where the encoder's own choice is good. Chips get none: they do not say alike by how much
    they delay a picture.
    """

    options: Options
    pixel_format: str = PIXEL_FORMAT
    sized: bool = False
    b_frames: int | None = 0


def _x264(rung: Rung, preset: str) -> dict[str, str]:
    return {
        "preset": preset,
        "crf": f"{rung.crf:g}",
        "maxrate": str(rung.max_rate),
        "bufsize": str(rung.buffer),
        "forced-idr": "1",
        "x264-params": X264,
    }


def _nvenc(rung: Rung, _preset: str) -> dict[str, str]:
    return {
        "preset": "p5", "tune": "hq", "rc": "vbr", "cq": f"{rung.crf:g}", "b": "0",
        "maxrate": str(rung.max_rate), "bufsize": str(rung.buffer), "forced-idr": "1", "no-scenecut": "1",
        "spatial-aq": "1",
    }  # fmt: skip


def _qsv(rung: Rung, _preset: str) -> dict[str, str]:
    return {
        "preset": "medium", "global_quality": f"{rung.crf:.0f}", "maxrate": str(rung.max_rate),
        "bufsize": str(rung.buffer), "forced_idr": "1", "look_ahead": "0", "adaptive_i": "0",
    }  # fmt: skip


def _amf(rung: Rung, _preset: str) -> dict[str, str]:
    return {
        "quality": "quality", "rc": "vbr_peak", "b": str(rung.max_rate * 7 // 10), "maxrate": str(rung.max_rate),
        "bufsize": str(rung.buffer), "forced_idr": "1",
    }  # fmt: skip


def _videotoolbox(rung: Rung, _preset: str) -> dict[str, str]:
    return {"b": str(rung.max_rate * 7 // 10), "maxrate": str(rung.max_rate), "allow_sw": "0", "profile": "high"}


KINDS = {
    SOFTWARE: Kind(_x264, sized=True, b_frames=None),
    "h264_nvenc": Kind(_nvenc),
    "h264_qsv": Kind(_qsv, pixel_format="nv12"),
    "h264_amf": Kind(_amf),
    "h264_videotoolbox": Kind(_videotoolbox),
}


@dataclass(frozen=True, slots=True)
class Coded:
    """One coded picture: a sample with four-byte lengths, and when it is shown, in ticks of the encoder's clock."""

    data: bytes
    ticks: int
    key: bool


class Encoder:
    """One encoder for pictures of one size. Its constructor and ``encode`` raise ``EncoderFailed``.

    ``sets`` is what stands in the header; ``None`` until the first coded picture if the encoder gives it only there.
    """

    def __init__(self, name: str, rung: Rung, timescale: int, frame_rate: Fraction, preset: str, threads: int) -> None:
        self._name = name
        self._kind = KINDS[name]
        with _blamed(name):
            self._context = _open(name, rung, timescale, frame_rate, preset, threads)
        self.sets = h264.parameter_sets(self._context.extradata or b"")

    @property
    def reorder(self) -> int:
        """By how many pictures one may be shown later than it is decoded."""
        return self._context.reorder_depth

    def encode(self, frame: VideoFrame | None, ticks: int = 0, *, key: bool = False) -> Iterator[Coded]:
        """Take one picture to be shown at ``ticks``, or ``None`` at the end; give what is coded by now.

        The picture itself is marked: hand in the same one again only after it has been encoded here.
        """
        if frame is not None:
            if frame.format.name != self._kind.pixel_format:
                frame = frame.reformat(format=self._kind.pixel_format)
            frame.pts, frame.time_base = ticks, self._context.time_base
            frame.pict_type = PictureType.I if key else PictureType.NONE
        with _blamed(self._name):
            packets = self._context.encode(frame)
        for packet in packets:
            if packet.size:
                if packet.pts is None:
                    raise EncoderFailed(f"{self._name} gave a picture without a time.")
                yield Coded(self._sample(bytes(packet)), packet.pts, packet.is_keyframe)

    def _sample(self, data: bytes) -> bytes:
        if self._kind.sized:
            return data
        nals = h264.split_annexb(data)
        if self.sets is None:
            self.sets = h264.collect(nals)
        return h264.join_sized([nal for nal in nals if h264.kind_of(nal) not in DROPPED])


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    """Let FFmpeg's errors come out as the encoder's, unless memory has run out."""
    try:
        with encoder():
            yield
    except av.codec.codec.UnknownCodecError as error:
        raise EncoderFailed(f"{name} is not part of this FFmpeg.") from error
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EncoderFailed(f"{name}: {reason}.") from error


def _open(name: str, rung: Rung, timescale: int, frame_rate: Fraction, preset: str, threads: int) -> VideoCodecContext:
    kind = KINDS[name]
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext), "only video encoders are in the table"
    context.width, context.height, context.pix_fmt = rung.width, rung.height, kind.pixel_format
    context.time_base = Fraction(1, timescale)
    context.framerate = frame_rate
    context.color_range = MPEG_RANGE
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.sample_aspect_ratio = Fraction(1)
    context.thread_count = threads
    context.flags |= Flags.global_header | Flags.closed_gop
    if kind.b_frames is not None:
        context.max_b_frames = kind.b_frames
        context.gop_size = ENDLESS
    context.options = kind.options(rung, preset)
    context.open()
    return context
