"""Finds where a file's clock jumps: recordings joined without care, a receiver that was tuned anew. Pure arithmetic.

Each track's packets are looked at in the order of the file, by their decode times, which only rise in a sound file.
Where they jump for good the file has a seam, and what follows is shifted to go on where the part before it ended. All
tracks get the same shift, so that sound and picture stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from streamhost.media.timing import Times, believable
from streamhost.model.streaming import Seam

JUMP_BACK = Fraction(1)
"""Seconds; decode times that fall by more than this start a new part."""
JUMP_AHEAD = Fraction(10)
"""Seconds; decode times that rise by more than this may."""
ALIKE = Fraction(2)
"""Seconds by which the tracks' jumps at one seam may differ: sound and picture are cut at different places."""
JUMPING_FORMATS = frozenset({"mpegts", "mpeg", "flv"})
"""Containers whose clock may start anew anywhere; elsewhere a step ahead is a pause."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A track's packets in the order of the file: ``decode`` times and ``lasts`` in ticks of ``time_base``.

    ``places`` are their numbers among the packets of all tracks.
    """

    index: int
    time_base: Fraction
    decode: Times
    lasts: Times
    places: Times


class Shift(NamedTuple):
    """From the packet with the number ``place`` among those of all tracks on, times are ``by`` seconds later."""

    place: int
    by: Fraction


@dataclass(frozen=True, slots=True)
class _Jump:
    """The clock jumps by ``by`` seconds before the ``packet``-th packet of a track."""

    packet: int
    place: int
    by: Fraction


def find_seams(tracks: Sequence[Passage], *, jumping: bool) -> tuple[Seam, ...]:
    """Return the seams of all tracks, the leading track first. ``jumping`` says that the clock may also jump ahead."""
    if not tracks:
        return ()
    leader, *others = tracks
    left = {track.index: _jumps(track) for track in others}
    shifts = {track.index: Fraction(0) for track in tracks}
    begun = {track.index: 0 for track in tracks}
    seams: list[Seam] = []
    for jump in _jumps(leader):
        members = {leader.index: jump}
        for track in others:
            alike = [one for one in left[track.index] if abs(one.by - jump.by) <= ALIKE]
            if alike:
                nearest = min(alike, key=lambda one: abs(one.place - jump.place))
                members[track.index] = nearest
        if jump.by > 0 and (not jumping or len(members) < len(tracks)):
            continue
        for index, member in members.items():
            if index != leader.index:
                left[index] = [one for one in left[index] if one.packet > member.packet]
        joined = [track for track in tracks if track.index in members]
        shift = max(
            _end(track, begun[track.index], members[track.index].packet)
            + shifts[track.index]
            - int(track.decode[members[track.index].packet]) * track.time_base
            for track in joined
        )
        for track in joined:
            begun[track.index] = members[track.index].packet
            shifts[track.index] = shift
            seams.append(Seam(track.index, members[track.index].packet, shift))
    return tuple(seams)


def mended(times: Times, track: int, time_base: Fraction, seams: Sequence[Seam]) -> Times:
    """Return a track's times, in the order of the file, with the shifts of its seams."""
    shifted = times.copy()
    for seam in seams:
        if seam.track == track:
            shifted[seam.packet :] = times[seam.packet :] + round(seam.shift / time_base)
    return shifted


def shifts(tracks: Sequence[Passage], seams: Sequence[Seam]) -> tuple[Shift, ...]:
    """Return what seams mean for a track that is too sparse to show them, such as subtitles: where in the file each
    part begins.
    """
    places = {track.index: track.places for track in tracks}
    found: list[Shift] = []
    for seam in seams:
        place = int(places[seam.track][seam.packet])
        if seam.track == seams[0].track:
            found.append(Shift(place, seam.shift))
        elif place < found[-1].place:
            found[-1] = Shift(place, seam.shift)
    return tuple(found)


def _jumps(track: Passage) -> list[_Jump]:
    """Return the jumps of one track's clock; single mistakes are none."""
    sound = np.flatnonzero(believable(track.decode, track.time_base))
    steps = np.diff(track.decode[sound])
    back, ahead = int(JUMP_BACK / track.time_base), int(JUMP_AHEAD / track.time_base)
    found = []
    for number in np.flatnonzero((steps < -back) | (steps > ahead)):
        packet = int(sound[number + 1])
        found.append(_Jump(packet, int(track.places[packet]), int(steps[number]) * track.time_base))
    return found


def _end(track: Passage, first: int, stop: int) -> Fraction:
    """Return when the packets from ``first`` up to ``stop`` end, in seconds of the file's clock."""
    part = track.decode[first:stop]
    sound = believable(part, track.time_base)
    last = int(np.flatnonzero(sound)[part[sound].argmax()])
    return (int(part[last]) + int(track.lasts[first + last])) * track.time_base
