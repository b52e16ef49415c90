"""Writes the poster: one picture as JPEG."""

from __future__ import annotations

from pathlib import Path

from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from streamhost.media import jpeg, stills
from streamhost.media.ladder import even
from streamhost.media.pictures import Decoding, Scaler, Upright
from streamhost.media.tasks import MakePoster, Poster
from streamhost.model.streaming import POSTER


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
    size = stills.fitted(picture.width, picture.height, stills.POSTER_SIDE)
    (out_dir / POSTER).write_bytes(jpeg.encode(jpeg.for_jpeg(picture, *size, Interpolation.BICUBIC)))
    return POSTER
