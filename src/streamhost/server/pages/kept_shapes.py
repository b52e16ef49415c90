"""Videos on shelves as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.features.library import KeptVideo
from streamhost.features.playback import Playback
from streamhost.model.accounts import Viewer
from streamhost.server.pages.people_shapes import Moment, moment
from streamhost.server.pages.shapes import VideoView, video_view


@dataclass(frozen=True, slots=True)
class KeptView:
    """A video on a shelf, for a template. `percent`: how much of it was watched."""

    video: VideoView
    at: Moment
    percent: int
    address: str


def kept_view(kept: KeptVideo, viewer: Viewer, playback: Playback) -> KeptView:
    """A video as it stands on this viewer's shelf; where it goes on if they have begun it."""
    percent = 0
    if kept.video.duration and kept.position is not None:
        percent = min(100, max(0, round(100 * kept.position / kept.video.duration)))
    elif kept.share:
        percent = round(100 * kept.share)
    return KeptView(video_view(kept.video, viewer, playback), moment(kept.at), percent, f"/watch/{kept.video.id}")
