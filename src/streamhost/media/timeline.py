"""The facts of a presentation: puts the parts that chunks made together and checks that nothing is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise

from streamhost.media.errors import PartsDoNotFit
from streamhost.model.stills import Storyboard
from streamhost.model.streaming import Growth, Kind, Presentation, Purpose, Rendition, Segment, TextTrack


def merge(parts: Iterable[Rendition]) -> tuple[Rendition, ...]:
    """Join the parts of renditions, given in any order, into whole ones, in the order of names first seen.

    Raises ``PartsDoNotFit`` where segments of a rendition do not follow each other or its parts disagree on anything
    else.
    """
    given = list(parts)
    order = list(dict.fromkeys(part.name for part in given))
    by_name = {name: list(group) for name, group in groupby(sorted(given, key=_key), key=lambda part: part.name)}
    return tuple(_join(by_name[name]) for name in order)


def presentation(
    renditions: Iterable[Rendition],
    storyboard: Storyboard | None = None,
    captions: Iterable[TextTrack] = (),
    growth: Growth | None = None,
) -> Presentation:
    """Return what the manifests will say. Exactly one audio rendition becomes the default: one that is the film's own
    sound before a commentary or a description, what the source prefers before others.

    Raises ``PartsDoNotFit`` for a rendition with a gap, or one that has no segment.
    """
    whole = list(renditions)
    for rendition in whole:
        check(rendition)
    audio = [r for r in whole if r.kind is Kind.AUDIO]
    chosen = min(audio, key=lambda r: (r.purpose is not Purpose.MAIN, not r.default), default=None)
    marked = tuple(r if r.kind is Kind.VIDEO else replace(r, default=r is chosen) for r in whole)
    return Presentation(marked, storyboard, tuple(captions), growth)


def until(rendition: Rendition, end: Fraction) -> Rendition:
    """Return the rendition without the segments that go beyond ``end``, in seconds."""
    kept = [s for s in rendition.segments if Fraction(s.start + s.duration, rendition.timescale) <= end]
    return replace(rendition, segments=tuple(kept))


def check(rendition: Rendition) -> None:
    """Raise ``PartsDoNotFit`` unless the segments follow each other without gap or overlap."""
    if not rendition.segments:
        raise PartsDoNotFit(f"{rendition.name} has no segment.")
    for before, after in pairwise(rendition.segments):
        if before.start + before.duration != after.start:
            raise PartsDoNotFit(
                f"{rendition.name}: the segment at {before.start} ends at {before.start + before.duration},"
                f" the next starts at {after.start}."
            )
    if any(segment.duration <= 0 for segment in rendition.segments):
        raise PartsDoNotFit(f"{rendition.name} has a segment that lasts no time.")


def runs(segments: Sequence[Segment]) -> list[tuple[int, int, int]]:
    """Return ``(start, duration, count)`` of consecutive segments of equal duration, as ``SegmentTimeline`` writes
    them.
    """
    found: list[tuple[int, int, int]] = []
    for segment in segments:
        if found and found[-1][1] == segment.duration:
            start, duration, count = found[-1]
            found[-1] = (start, duration, count + 1)
        else:
            found.append((segment.start, segment.duration, 1))
    return found


def _key(part: Rendition) -> tuple[str, int]:
    return part.name, part.segments[0].start if part.segments else 0


def _join(parts: list[Rendition]) -> Rendition:
    first = parts[0]
    for part in parts[1:]:
        if replace(part, segments=()) != replace(first, segments=()):
            raise PartsDoNotFit(f"The parts of {first.name} were not made alike.")
    whole = replace(first, segments=tuple(segment for part in parts for segment in part.segments))
    check(whole)
    return whole
