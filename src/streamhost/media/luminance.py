"""What a decoded picture says of its light beside its colours: how bright it gets, and whether Dolby Vision alone shows
it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc

from streamhost.model.streaming import Transfer

TRANSFERS = {int(ColorTrc.SMPTE2084): Transfer.PQ, int(ColorTrc.ARIB_STD_B67): Transfer.HLG}
LIGHT = range(100, 10_001)
"""cd/m2 that a source may claim: less than any screen has, or more than PQ can say, is a mistake."""
MASTERING_PEAK, MASTERING_KNOWN, MASTERING_INTS = 18, 21, 22
"""Where AVMasteringDisplayMetadata (libavutil/mastering_display_metadata.h) has the highest luminance, as two ints, and
whether it is known; and its length; all counted in ints."""


def brightest(frame: VideoFrame) -> float | None:
    """Return the brightest light in cd/m2: of the content (MaxCLL, CTA-861.3), else of the screen that it was made on
    (SMPTE ST 2086), else ``None``.
    """
    sides: Mapping[Any, Any] = frame.side_data  # by type; what iterating gives differs between PyAV 18 and 19
    with suppress(KeyError):
        content = int.from_bytes(bytes(sides[Type.CONTENT_LIGHT_LEVEL])[:4], sys.byteorder)
        if content in LIGHT:
            return float(content)
    with suppress(KeyError):
        data = memoryview(bytes(sides[Type.MASTERING_DISPLAY_METADATA])[: MASTERING_INTS * 4]).cast("i")
        numerator, denominator = data[MASTERING_PEAK], data[MASTERING_PEAK + 1]
        if data[MASTERING_KNOWN] and denominator > 0 and numerator // denominator in LIGHT:
            return numerator / denominator
    return None


def only_dolby_vision(frame: VideoFrame) -> bool:
    """Tell whether only a Dolby Vision decoder knows the colours: profile 5, whose pictures have no other meaning.

    Other profiles say what their pictures are without it: PQ, HLG or standard range.
    """
    sides: Mapping[Any, Any] = frame.side_data
    has_it = any(kind in sides for kind in (Type.DOVI_RPU_BUFFER, Type.DOVI_METADATA))
    return has_it and frame.color_trc == int(ColorTrc.UNSPECIFIED)
