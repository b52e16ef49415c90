"""Tries encoders: those count as working whose stream FFmpeg's decoder gives back whole, with keyframes where asked."""

from __future__ import annotations

from fractions import Fraction

import av
import av.logging
from av.packet import Packet
from av.video.frame import VideoFrame

from streamhost.media.encoders import Coded, Encoder
from streamhost.media.errors import EncoderFailed
from streamhost.media.pictures import PIXEL_FORMAT
from streamhost.media.tasks import EncodersTried, TryEncoders
from streamhost.model.streaming import Rung

RUNG = Rung("trial", 640, 360, 23, 1_000_000, 1_500_000)
"""Larger than the smallest picture that any chip takes."""
RATE = Fraction(25)
PICTURES = 16
KEYS = frozenset({0, 9})
LUMA = 120
FAR = 12
"""Levels by which a flat grey may come back wrong."""


def try_encoders(task: TryEncoders) -> EncodersTried:
    """Encode and decode a few pictures with each."""
    reasons: dict[str, str] = {}
    for name in task.names:
        with av.logging.Capture() as said:
            try:
                _check(name)
            except EncoderFailed as error:
                words = next((text.strip() for level, _, text in said if level <= av.logging.ERROR), "")
                reasons[name] = f"{error.detail} ({words})" if words else error.detail
    return EncodersTried(tuple(name for name in task.names if name not in reasons), reasons)


def _check(name: str) -> None:
    """Raise ``EncoderFailed`` unless the encoder does all that renditions need."""
    encoder = Encoder(name, RUNG, int(RATE), RATE, "veryfast", 1)
    coded: list[Coded] = []
    for number in range(PICTURES):
        coded += encoder.encode(_picture(LUMA + number), number, key=number in KEYS)
    coded += encoder.encode(None)
    if encoder.sets is None:
        raise EncoderFailed(f"{name} gave no parameter sets.")
    if {picture.ticks for picture in coded if picture.key} != KEYS:
        raise EncoderFailed(f"{name} does not put keyframes where they are asked for.")
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = encoder.sets.configuration()[8:]
    shown: list[VideoFrame] = []
    try:
        for picture in coded:
            shown += decoder.decode(Packet(picture.data))
        shown += decoder.decode(None)
    except av.error.FFmpegError as error:
        raise EncoderFailed(f"{name} gave a stream that does not decode.") from error
    levels = [frame.to_ndarray()[: RUNG.height].mean() for frame in shown]
    wanted = range(LUMA, LUMA + PICTURES)
    if len(shown) != PICTURES or any(abs(a - b) > FAR for a, b in zip(levels, wanted, strict=True)):
        raise EncoderFailed(f"{name} gave back other pictures than it took.")


def _picture(luma: int) -> VideoFrame:
    """A flat picture."""
    frame = VideoFrame(RUNG.width, RUNG.height, PIXEL_FORMAT)
    for plane, level in zip(frame.planes, (luma, 128, 128), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame
