"""Figures of what was watched: sums that can be added up over sessions, hours, days and videos, and read off.

Everything here is a sum or a histogram, so what one more event changes is the difference of two figures, and a year is
365 days added together. Nobody's name is in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from streamhost.model.clock import DAY, Timestamp
from streamhost.model.ids import UserId, VideoId
from streamhost.model.playbacks import Device, Source, Span, Watching, is_complete

PER_CENTS = 100
"""Points of a retention curve."""
_FINEST = 0.01
_STEP = 1.15
"""Times to the first frame are counted in boxes that grow by 15 %, from 10 ms on: a median is right within 7 %."""
EVERYTHING = "all"
"""The subject under which the figures of the whole site stand."""

Counts = dict[str, float]


def of_owner(owner_id: UserId) -> str:
    """The subject under which the figures of all videos of somebody stand. A video's own stand under its id."""
    return f"owner:{owner_id}"


def subjects_of(video_id: VideoId, owner_id: UserId) -> tuple[str, str, str]:
    """Everything for which a session of a video counts."""
    return video_id, of_owner(owner_id), EVERYTHING


def day_of(moment: Timestamp) -> int:
    """The number of the day (UTC) since 1970."""
    return math.floor(moment / DAY)


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over sessions. `asked`: somebody pressed play; `begun`: of which pictures came, or that reported playing
    without ever being asked; `broken`: with an error. `played` and `stalled` are seconds; `shares` is the sum of the
    shares of the film that were seen."""

    asked: float = 0
    begun: float = 0
    gave_up: float = 0
    """Asked to play, and no picture ever came."""
    views: float = 0
    played: float = 0
    shares: float = 0
    completed: float = 0
    skipped: float = 0
    stalls: float = 0
    stalled: float = 0
    broken: float = 0
    first_frames: Counts = field(default_factory=dict)
    """Sessions by the box (`box_of`) of the time that the first picture took."""
    retention: Counts = field(default_factory=dict)
    """Sessions by the per cents of the film that they have seen."""
    devices: Counts = field(default_factory=dict)
    """Views by the kind of device."""
    sources: Counts = field(default_factory=dict)
    """Views by who reported them."""
    qualities: Counts = field(default_factory=dict)
    """Seconds played by lines of the quality."""
    errors: Counts = field(default_factory=dict)
    """Errors by their codes."""


_NAMES = tuple(one.name for one in fields(Figures))


def summed(parts: Iterable[Figures]) -> Figures:
    """All of them together."""
    numbers: dict[str, float] = {}
    counts: dict[str, Counts] = {}
    for part in parts:
        for name in _NAMES:
            value = getattr(part, name)
            if isinstance(value, dict):
                into = counts.setdefault(name, {})
                for key, more in value.items():
                    into[key] = into.get(key, 0) + more
            else:
                numbers[name] = numbers.get(name, 0) + value
    values: dict[str, Any] = {**numbers, **{name: _tidy(found) for name, found in counts.items()}}
    return Figures(**values)


def negative(figures: Figures) -> Figures:
    """What takes them away when it is added."""
    values: dict[str, Any] = {name: _negative(getattr(figures, name)) for name in _NAMES}
    return Figures(**values)


def _negative(value: float | Counts) -> float | Counts:
    return {key: -count for key, count in value.items()} if isinstance(value, dict) else -value


def _tidy(counts: Mapping[str, float]) -> Counts:
    """Without what has become nothing; rounding leaves a little of sums that are zero."""
    return {key: count for key, count in counts.items() if abs(count) > 1e-6}


def figures_of(watching: Watching, duration: float, device: Device, source: Source) -> Figures:
    """What one session adds."""
    share, view = watching.share(duration), watching.is_view(duration)
    begun = watching.begun
    return Figures(
        asked=watching.asked,
        begun=begun,
        gave_up=watching.asked and not begun,
        views=view,
        played=watching.played,
        shares=share,
        completed=is_complete(share),
        skipped=watching.is_skip(duration),
        stalls=watching.stalls,
        stalled=watching.stalled,
        broken=bool(watching.errors),
        first_frames={} if watching.first_frame is None else {str(box_of(watching.first_frame)): 1},
        retention=dict.fromkeys(map(str, per_cents(watching.spans, duration)), 1),
        devices={device.value: 1} if view else {},
        sources={source.value: 1} if view else {},
        qualities={str(height): seconds for height, seconds in watching.heights.items()},
        errors={code: float(count) for code, count in watching.errors.items()},
    )


def per_cents(spans: Iterable[Span], duration: float) -> list[int]:
    """The per cents of the film, 0..99, whose middle lies in one of the parts."""
    if duration <= 0:
        return []
    found: list[int] = []
    for begin, end in spans:
        first = math.ceil(begin / duration * PER_CENTS - 0.5)
        last = math.ceil(end / duration * PER_CENTS - 0.5) - 1
        found += range(max(0, first), min(PER_CENTS - 1, last) + 1)
    return found


def box_of(seconds: float) -> int:
    """The number of the box of a time."""
    return max(0, math.ceil(math.log(max(seconds, _FINEST) / _FINEST, _STEP)))


def quantile(boxes: Mapping[str, float], share: float) -> float | None:
    """The time below which this share of the times lies, in seconds; None if there are none."""
    total = sum(boxes.values())
    passed = 0.0
    for box, count in sorted((int(box), count) for box, count in boxes.items()):
        passed += count
        if total > 0 and passed >= total * share:
            # The middle of the box, in the measure in which it is as wide as all others.
            return _FINEST * _STEP ** (box - 0.5) if box else _FINEST
    return None


def rebuffer_ratio(figures: Figures) -> float | None:
    """The share of the time in which the picture stood still for want of data (CTA-2066, 6.1); None if nothing was
    played."""
    whole = figures.played + figures.stalled
    return figures.stalled / whole if whole > 0 else None


def retention_of(figures: Figures) -> list[float]:
    """For each per cent of the film, the share of the sessions that saw it, of those that saw anything; empty if there
    are none."""
    if figures.begun <= 0:
        return []
    return [min(1.0, figures.retention.get(str(at), 0) / figures.begun) for at in range(PER_CENTS)]
