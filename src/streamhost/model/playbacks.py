"""What players report, and what the reports of one session of one video amount to.

A session is one player on one page. Its events are folded one after the other into a `Watching`: which parts of the
film were seen, how long it took until the first picture came, how long the player stood still. Folding is pure, so the
same events give the same result however they arrived, as long as they are folded in the order of `order_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

from streamhost.model.clock import MINUTE, Timestamp

VIEW_SECONDS = 10.0
"""A session counts as a view once so much was played of it."""
VIEW_SHARE = 0.8
"""Of a film that is hardly longer, or shorter, this share of it makes a view."""
COMPLETE_SHARE = 0.9
"""Who has seen so much of a film has seen it: credits are left."""
SKIP_SECONDS = 10.0
SKIP_SHARE = 0.1
"""Who left having seen less than either did not want it."""
FASTEST = 4.0
"""No player here runs faster; a place further on than this allows was jumped to."""
LEEWAY_SECONDS = 15.0
"""How far a place may run ahead of the clock for players that report seldom, or at no exact times, and no seeks."""
LONGEST_STALL = 10 * MINUTE
LONGEST_START = 2 * MINUTE
MOST_SPANS = 200
"""Parts that are told apart; from then on the smallest gaps are closed."""
GAP_SECONDS = 0.5
"""Parts closer together than this are one: players report places some frames apart."""
MOST_NAMES = 8
"""Different qualities and error codes that are kept of one session."""

K = TypeVar("K")
V = TypeVar("V", int, float)
Span = tuple[float, float]
"""A part of a film, in seconds from its beginning."""


class EventType(StrEnum):
    """What a player reports."""

    START = "start"
    """Playing was asked for."""
    PROGRESS = "progress"
    PAUSE = "pause"
    SEEK = "seek"
    STALL = "stall"
    """The picture stood still for want of data."""
    QUALITY = "quality"
    ERROR = "error"
    END = "end"
    """The film was over, or whoever watched it left."""


class Source(StrEnum):
    """Who reports."""

    PLAYER = "player"
    CMCD = "cmcd"
    """A player that says in its requests for segments how it is doing (CTA-5004)."""


class Device(StrEnum):
    """What kind of thing plays, as far as it says so."""

    DESKTOP = "desktop"
    PHONE = "phone"
    TABLET = "tablet"
    TV = "tv"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PlaybackEvent:
    """One report. `at` is seconds by the player's own clock: only differences within a session mean anything.

    `position`: where in the film, in seconds. `begin`: from where on it was played up to there without a break (of a
    seek: where it was left). `duration`: of a stall; `first_frame`: how long the first picture took, both in seconds.
    `height`: lines of the quality that plays. `code`: of an error.
    """

    type: EventType
    at: Timestamp
    seq: int
    position: float | None = None
    begin: float | None = None
    rate: float | None = None
    duration: float | None = None
    first_frame: float | None = None
    height: int | None = None
    code: str | None = None


def order_of(event: PlaybackEvent) -> tuple[Timestamp, int]:
    """The place of an event in its session."""
    return event.at, event.seq


@dataclass(frozen=True, slots=True)
class Watching:
    """What the events of one session amount to. `spans` are the parts seen, apart and in order; `played` counts seconds
    that were seen twice twice. `asked`: somebody pressed play; `begun`: pictures came."""

    spans: tuple[Span, ...] = ()
    played: float = 0.0
    asked: bool = False
    begun: bool = False
    first_frame: float | None = None
    stalls: int = 0
    stalled: float = 0.0
    seeks: int = 0
    ended: bool = False
    heights: Mapping[int, float] = field(default_factory=dict)
    """Seconds played by lines of the quality; 0 while none was named."""
    errors: Mapping[str, int] = field(default_factory=dict)
    position: float | None = None
    """Where the player is."""
    last: tuple[Timestamp, int] | None = None
    """`order_of` the newest event."""
    playing: bool = False
    rate: float = 1.0
    height: int = 0
    started_at: tuple[Timestamp, float] | None = None
    """When and where playing was asked for, until the first picture came."""
    standing_since: Timestamp | None = None
    """A stall whose end nobody has told of yet."""

    @property
    def seen(self) -> float:
        """Different seconds of the film that were seen."""
        return sum(end - begin for begin, end in self.spans)

    def share(self, duration: float) -> float:
        """How much of a film of `duration` seconds was seen, 0..1."""
        return min(1.0, self.seen / duration) if duration > 0 else 0.0

    def is_view(self, duration: float) -> bool:
        """Whether it counts as a view."""
        needed = min(VIEW_SECONDS, duration * VIEW_SHARE) if duration > 0 else VIEW_SECONDS
        return self.played >= needed

    def is_skip(self, duration: float) -> bool:
        """Whether somebody left it right at the beginning."""
        return self.ended and self.begun and self.seen < SKIP_SECONDS and self.share(duration) < SKIP_SHARE


NOTHING = Watching()
"""Of a session of which nothing was reported yet."""


def is_complete(share: float) -> bool:
    """Whether who has seen this share of a film has seen it."""
    return share >= COMPLETE_SHARE


def fold(watching: Watching, events: Iterable[PlaybackEvent], duration: float) -> Watching:
    """Take in the events that follow, in the order of `order_of`. `duration`: of the film in seconds, 0 if unknown."""
    for event in events:
        watching = _taken(watching, _within(event, duration))
    return watching


def _within(event: PlaybackEvent, duration: float) -> PlaybackEvent:
    """The event with places that the film has."""
    if duration <= 0:
        return event
    position = None if event.position is None else min(event.position, duration)
    begin = None if event.begin is None else min(event.begin, duration)
    return replace(event, position=position, begin=begin)


def _taken(was: Watching, event: PlaybackEvent) -> Watching:
    passed = max(0.0, event.at - was.last[0]) if was.last else 0.0
    now = _with_span(_with_stall_over(was, event, passed), event, passed)
    now = _with_first_frame(now, was, event)
    place = now.position if event.position is None else event.position
    now = replace(now, last=order_of(event), position=place, rate=event.rate or now.rate)
    match event.type:
        case EventType.START:
            waits = (event.at, place or 0.0) if not now.begun else None
            now = replace(now, asked=True, playing=True, ended=False, started_at=waits)
        case EventType.PROGRESS:
            now = replace(now, playing=True, ended=False)
        case EventType.PAUSE:
            now = replace(now, playing=False)
        case EventType.SEEK:
            now = replace(now, seeks=now.seeks + 1, ended=False)
        case EventType.STALL:
            now = _stalled(now, event)
        case EventType.ERROR:
            now = replace(now, playing=False, errors=_counted(now.errors, event.code or "unknown", 1))
        case EventType.END:
            now = replace(now, playing=False, ended=True)
        case EventType.QUALITY:
            now = replace(now, height=event.height or now.height)
    return now if event.height is None else replace(now, height=event.height)


def _with_span(was: Watching, event: PlaybackEvent, passed: float) -> Watching:
    """Count what was played up to this event."""
    begin = was.position if was.playing else None
    end = event.position
    if event.type is EventType.SEEK:
        end = event.begin
    elif event.begin is not None:
        begin = event.begin
    if begin is None or end is None:
        return was
    if was.playing and was.position is not None and begin < was.position <= end:
        begin = was.position  # up to there it was counted by another event
    length = end - begin
    if not 0 < length <= passed * FASTEST + LEEWAY_SECONDS:
        return was
    return replace(
        was,
        spans=united(was.spans, ((begin, end),)),
        played=was.played + length,
        begun=True,
        heights=_counted(was.heights, was.height, length),
    )


def _with_first_frame(now: Watching, was: Watching, event: PlaybackEvent) -> Watching:
    """How long the first picture took: as the player says, else what is left of the time when what was played of it is
    taken away."""
    if now.first_frame is not None:
        return now
    if event.first_frame is not None:
        return replace(now, first_frame=min(event.first_frame, LONGEST_START), begun=True, started_at=None)
    if now.begun and was.started_at is not None and event.position is not None:
        asked_at, asked_place = was.started_at
        took = (event.at - asked_at) - (event.position - asked_place) / (event.rate or was.rate)
        plausible = event.type is EventType.PROGRESS and 0 <= took <= LONGEST_START and not was.stalls
        return replace(now, first_frame=took if plausible else None, started_at=None)
    return now


def _stalled(now: Watching, event: PlaybackEvent) -> Watching:
    """Before the first picture it is the start that takes long, and not a stall."""
    if not now.begun:
        return now
    if event.duration is None:
        return replace(now, stalls=now.stalls + 1, standing_since=event.at)
    return replace(now, stalls=now.stalls + 1, stalled=now.stalled + min(event.duration, LONGEST_STALL))


def _with_stall_over(was: Watching, event: PlaybackEvent, passed: float) -> Watching:
    """A stall without a length lasts until the next event, less what was played meanwhile."""
    if was.standing_since is None:
        return was
    moved = max(0.0, (event.position or 0.0) - (was.position or 0.0)) if event.type is EventType.PROGRESS else 0.0
    stood = max(0.0, min(passed - moved / was.rate, LONGEST_STALL))
    return replace(was, standing_since=None, stalled=was.stalled + stood)


def _counted(counts: Mapping[K, V], key: K, more: V) -> dict[K, V]:
    """The counts with more under a key; names beyond `MOST_NAMES` are left out."""
    if key not in counts and len(counts) >= MOST_NAMES:
        return dict(counts)
    return {**counts, key: counts[key] + more if key in counts else more}


def united(spans: Sequence[Span], more: Iterable[Span]) -> tuple[Span, ...]:
    """All parts in one list, apart from each other and in order; at most `MOST_SPANS`."""
    found: list[Span] = []
    for begin, end in sorted((*spans, *more)):
        if found and begin - found[-1][1] <= GAP_SECONDS:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    while len(found) > MOST_SPANS:
        gaps = [later[0] - earlier[1] for earlier, later in pairwise(found)]
        at = gaps.index(min(gaps))
        found[at : at + 2] = [(found[at][0], found[at + 1][1])]
    return tuple(found)
