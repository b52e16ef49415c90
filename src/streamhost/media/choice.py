"""Which H.264 encoder makes the renditions: the names, and the choice among those that work here. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SOFTWARE = "libx264"
HARDWARE = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox")
"""FFmpeg's names of encoders that take pictures from ordinary memory. VAAPI and Vulkan take them from the graphics
card only, which PyAV cannot hand them."""
ENCODERS = (SOFTWARE, *HARDWARE)
"""Best picture for its bits first: at the rates of a ladder libx264 is ahead of every chip."""
AUTO = "auto"
ANY_HARDWARE = "hardware"


@dataclass(frozen=True, slots=True)
class Choice:
    """``name`` is the encoder to use; ``note`` says what did not work as wished, ``None`` if all did."""

    name: str
    note: str | None = None


def candidates(wanted: str) -> tuple[str, ...]:
    """Return the encoders to try for the setting ``media.encoder``, the best first; libx264 ends every list."""
    if wanted == AUTO:
        return ENCODERS
    if wanted == ANY_HARDWARE:
        return (*HARDWARE, SOFTWARE)
    return tuple(dict.fromkeys((wanted, SOFTWARE)))


def choose(wanted: str, working: Sequence[str], reasons: Mapping[str, str]) -> Choice:
    """Return the first candidate that works; software, whatever the trial said, if none does."""
    tried = candidates(wanted)
    name = next((name for name in tried if name in working), SOFTWARE)
    failed = [f"{other}: {reasons.get(other, 'it does not work here')}" for other in tried[: tried.index(name)]]
    return Choice(name, f"{name} is used. {' '.join(failed)}" if failed else None)
