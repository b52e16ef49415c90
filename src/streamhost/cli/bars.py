"""How work is told of on a terminal: what is done, how fast, and how long it will still take."""

from __future__ import annotations

from collections.abc import Mapping

STEPS: Mapping[str, str] = {
    "start": "starting",
    "fetch": "fetching the file",
    "scan": "looking through the file",
    "copy": "packaging",
    "encode": "encoding",
    "audio": "sound",
    "captions": "reading the subtitles",
    "publish": "writing manifests",
    "take": "taking the file in",
}
"""By the media workshop's word; other words are shown as they are."""
MINUTE = 60


def step_text(step: str) -> str:
    """What is done now."""
    return STEPS.get(step, step)


def speed_text(speed: float | None) -> str:
    """Seconds of film a second, as `3.2x`; nothing while that is not known."""
    return "" if speed is None else f"{speed:.1f}x"


def left_text(seconds: float | None) -> str:
    """The time left as `0:07 left` or `1:02:03 left`; nothing while that is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"
