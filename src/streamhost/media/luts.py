"""The tone mapping as a picture that FFmpeg's filter ``haldclut`` takes: no file is needed, nothing is on disk."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

from streamhost.media import tonemap
from streamhost.model.streaming import Transfer

LEVEL = 8
"""Of the Hald image: 64 steps for each primary, in a square of 512 pixels. Colours are then off by 0.2 of 219 steps on
average and by 5 at most, greys by 0.3 at most."""
PIXEL_FORMAT = "gbrp16le"
"""What is looked up and what is found: FFmpeg has no faster way than in 16 bits, which also leave no bands."""
WHITE = 0xFF00
"""What FFmpeg's scaler takes and gives for a full signal in 16 bits: 255 of its 256ths."""
SIDE = LEVEL**3
PLANES = (0, 1, 2)
"""What the planes of a Hald image hold: red, green, blue. Planes of pictures are green, blue, red, but of its second
input ``haldclut`` takes them in this order (FFmpeg 5 to 9, all that were tried)."""


def hald(transfer: Transfer, peak: float | None) -> VideoFrame:
    """Return the table for one kind of source (see ``tonemap.to_sdr``)."""
    values = tonemap.table(LEVEL**2, transfer, peak, 0xFFFF / WHITE).reshape(SIDE, SIDE, 3)
    frame = VideoFrame(SIDE, SIDE, PIXEL_FORMAT)
    for plane, place in zip(frame.planes, PLANES, strict=True):
        rows = np.zeros((SIDE, plane.line_size // 2), "<u2")
        rows[:, :SIDE] = np.rint(values[..., place] * WHITE)
        plane.update(rows.tobytes())
    frame.pts = 0
    return frame
