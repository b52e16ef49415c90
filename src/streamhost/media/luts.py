"""The tone mapping as a picture that FFmpeg's filter ``haldclut`` takes: no file is needed, nothing is on disk."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

from streamhost.media import tonemap
from streamhost.model.streaming import Transfer

LEVEL = 8
"""Of the Hald image: 64 steps for each primary, in a square of 512 pixels. With them a colour is off by 0.2 of 219 steps
on the average; greys never by more than 0.3."""
PIXEL_FORMAT = "gbrp16le"
"""What is looked up and what is found: FFmpeg has no faster way than in 16 bits, which also leave no bands."""
SIDE = LEVEL**3
PLANES = (1, 2, 0)
"""Places of green, blue and red, the order of the planes."""


def hald(transfer: Transfer, peak: float | None) -> VideoFrame:
    """Return the table for one kind of source (see ``tonemap.to_sdr``)."""
    values = tonemap.table(LEVEL**2, transfer, peak).reshape(SIDE, SIDE, 3)
    frame = VideoFrame(SIDE, SIDE, PIXEL_FORMAT)
    for plane, place in zip(frame.planes, PLANES, strict=True):
        rows = np.zeros((SIDE, plane.line_size // 2), "<u2")
        rows[:, :SIDE] = np.rint(values[..., place] * 0xFFFF)
        plane.update(rows.tobytes())
    frame.pts = 0
    return frame
