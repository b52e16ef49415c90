"""Writes the poster: one picture as JPEG."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from streamhost.media.ladder import even
from streamhost.media.pictures import Decoding, Scaler, Upright
from streamhost.media.tasks import MakePoster, Poster
from streamhost.model.streaming import POSTER

LONGEST_SIDE = 1280
"""Pixels; a poster is shown at most about page-wide."""
QUALITY = 3
"""JPEG quantiser scale of FFmpeg's encoder: 2 is best, 31 worst; 3 shows no artefacts at this size."""
FULL_RANGE = 2


def make_poster(task: MakePoster) -> Poster:
    """Decode the first picture at or after a time, or the last one before, and write it."""
    track = task.info.video
    if track is None:
        return Poster(None)
    at = max(track.start, task.info.origin + task.at)
    found: VideoFrame | None = None
    for time, picture in Upright(track).run(Decoding(task.source, track, task.limits).pictures(at, at)):
        found = picture
        if time >= at:
            break
    if found is None:
        return Poster(None)
    width, height = track.display_size
    return Poster(write_poster(Path(task.out_dir), Scaler(track, even(width), even(height), converted=False)(found)))


def write_poster(out_dir: Path, picture: VideoFrame) -> str:
    """Write a picture in the renditions' colours as ``poster.jpg`` and return that name."""
    scale = min(Fraction(1), Fraction(LONGEST_SIDE, max(picture.width, picture.height)))
    width, height = even(picture.width * scale), even(picture.height * scale)
    # JPEG (JFIF) is full range BT.601.
    shown = picture.reformat(
        width,
        height,
        "yuvj420p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.BICUBIC,
        threads=1,
    )
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
    context.time_base = Fraction(1, 25)
    context.color_range = FULL_RANGE
    context.qmin = context.qmax = QUALITY
    context.thread_count = 1
    context.open()
    shown.pts, shown.time_base, shown.pict_type = 0, context.time_base, PictureType.NONE
    packets = [*context.encode(shown), *context.encode(None)]
    (out_dir / POSTER).write_bytes(b"".join(bytes(packet) for packet in packets))
    return POSTER
