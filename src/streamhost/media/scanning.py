"""Reads a whole file once, without decoding, for when its pictures are shown and its sound ends."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from streamhost.media import losses
from streamhost.media.errors import DamagedSource
from streamhost.media.opening import check_length, opened
from streamhost.media.planning import make_plan
from streamhost.media.progress import Progress, Report
from streamhost.media.reading import only, ordered_by_decoding, packets
from streamhost.media.seams import JUMPING_FORMATS, Passage, find_seams, mended
from streamhost.media.tasks import MakePlan
from streamhost.media.timing import Times, Timing, believable
from streamhost.model.streaming import AudioTrack, Plan, Seam, VideoTrack

LONGEST_LAST = 10
"""A last picture that claims to last longer than this many usual ones is not believed."""
USUAL_SOUND = Fraction(1, 50)
"""Seconds that a packet of sound is taken to last."""
LONGER_SOUND = Fraction(1, 2)
"""Seconds by which the sound may outlast the picture; for more, the last picture stands until the sound's end."""


def plan_source(task: MakePlan, report: Report) -> Plan:
    """Scan a source and return its plan."""
    info = task.info
    if info.video is None:
        raise DamagedSource("There is no picture to plan for.")
    found = scan(task, report)
    check_length(found.timing.seconds(found.timing.end) - info.origin, task.limits)
    plan = make_plan(info, found.timing, task.rungs, task.encoding)
    check_length(plan.duration, task.limits)
    warnings = [*losses.joined(found.seams), *losses.begins_late(found.undecodable)]
    if not found.seams:
        warnings += losses.breaks_off(info.duration, plan.duration)
    return replace(plan, seams=found.seams, warnings=tuple(warnings))


@dataclass(frozen=True, slots=True)
class Scan:
    """What a reading pass found. ``undecodable`` seconds of pictures come before the first that can be decoded."""

    timing: Timing
    seams: tuple[Seam, ...]
    undecodable: Fraction


def length_of(
    container: InputContainer, tracks: Sequence[VideoTrack | AudioTrack], *, jumping: bool, progress: Progress
) -> Fraction:
    """Read a file through; return the seconds from its first packet to its last one's end, by the mended clock."""
    read = {t.index: Track.of(t) for t in tracks}
    _read(container, read, container.size, progress)
    found = [track for track in read.values() if track.times]
    seams = find_seams([track.passage for track in found], jumping=jumping)
    ends = [track.end(seams) for track in found]
    starts = [track.start(seams) for track in found]
    return max(ends) - min(starts) if found else Fraction(0)


def _read(
    container: InputContainer,
    tracks: Mapping[int, Track],
    size: int,
    progress: Progress,
    *,
    by_decoding: int | None = None,
) -> None:
    """Read the packets of ``tracks``. The track with the index ``by_decoding`` has no times but those of decoding."""
    streams = only(container, Stream, *tracks)
    for place, packet in enumerate(packets(container, *streams)):
        track = tracks.get(packet.stream_index)
        if packet.size == 0 or track is None:
            continue
        track.add(packet, place, by_decoding=track.index == by_decoding)
        if packet.pos and size:
            progress.at(packet.pos / size)


@dataclass(slots=True)
class Track:
    """The times of a track's packets in the order of the file, in its ticks; one that has none follows the one before.

    ``usual`` is how long a packet lasts that does not say. ``shown`` are those that no edit hides.
    """

    index: int
    time_base: Fraction
    usual: int
    times: array[int] = field(default_factory=lambda: array("q"), init=False)
    decode: array[int] = field(default_factory=lambda: array("q"), init=False)
    lasts: array[int] = field(default_factory=lambda: array("q"), init=False)
    places: array[int] = field(default_factory=lambda: array("q"), init=False)
    shown: array[int] = field(default_factory=lambda: array("q"), init=False)
    keys: array[int] = field(default_factory=lambda: array("q"), init=False)

    @classmethod
    def of(cls, track: VideoTrack | AudioTrack) -> Track:
        """Make ready for a track's packets."""
        usual = 1 / track.frame_rate if isinstance(track, VideoTrack) else USUAL_SOUND
        return cls(track.index, track.time_base, max(1, round(usual / track.time_base)))

    def add(self, packet: Packet[Stream], place: int, *, by_decoding: bool = False) -> None:
        """Take a packet, the ``place``-th of all tracks."""
        decode = packet.dts if packet.dts is not None else packet.pts
        if decode is None:
            decode = self.decode[-1] + (self.lasts[-1] or self.usual) if self.decode else 0
        if not packet.is_discard:
            self.shown.append(len(self.times))
            if packet.is_keyframe:
                self.keys.append(len(self.times))
        self.times.append(decode if packet.pts is None or by_decoding else packet.pts)
        self.decode.append(decode)
        self.lasts.append(packet.duration or 0)
        self.places.append(place)

    @property
    def passage(self) -> Passage:
        """What seams are looked for in."""
        decode, lasts, places = (np.array(values, np.int64) for values in (self.decode, self.lasts, self.places))
        return Passage(self.index, self.time_base, decode, np.where(lasts > 0, lasts, self.usual), places)

    def mended(self, seams: Sequence[Seam]) -> Times:
        """Return the packets' times on the mended clock."""
        return mended(np.array(self.times, np.int64), self.index, self.time_base, seams)

    def start(self, seams: Sequence[Seam]) -> Fraction:
        """Return the earliest time, in seconds of the source's mended clock."""
        times = self.mended(seams)
        return int(times[believable(times, self.time_base)].min()) * self.time_base

    def end(self, seams: Sequence[Seam]) -> Fraction:
        """Return when the last packet ends, in seconds of the source's mended clock."""
        return latest(self.mended(seams), self.time_base) + self.usual * self.time_base


def latest(times: Sequence[int] | Times, time_base: Fraction) -> Fraction:
    """Return the last of some ticks in seconds, mistakes left aside."""
    given = np.array(times, np.int64)
    return int(given[believable(given, time_base)].max()) * time_base


def scan(task: MakePlan, report: Report) -> Scan:
    """Return when the pictures of the video track are shown, and where the clock jumps.

    Packets without a time are placed by their decode time, those without either after the one before.
    """
    info, video = task.info, task.info.video
    assert video is not None, "only sources with pictures are scanned"
    wanted: list[VideoTrack | AudioTrack] = [video, *info.audio]
    tracks = {track.index: Track.of(track) for track in wanted}
    pictures = tracks[video.index]
    with opened(task.source, task.limits) as container:
        by_decoding = video.index if ordered_by_decoding(container, video) else None
        _read(container, tracks, info.size, Progress(report, "scan"), by_decoding=by_decoding)
    if not pictures.shown:
        raise DamagedSource("The video track holds no picture.")
    found = [track for track in tracks.values() if track.times]
    seams = find_seams([track.passage for track in found], jumping=info.container in JUMPING_FORMATS)
    times = pictures.mended(seams)
    shown = times[np.array(pictures.shown)]
    lasts = np.array(pictures.lasts, np.int64)[np.array(pictures.shown)]
    heard_until = max((track.end(seams) for track in found if track is not pictures), default=None)
    timing = measure(shown, lasts, times[np.array(pictures.keys, np.int64)], video, heard_until)
    earliest = shown[believable(shown, video.time_base)].min()
    return Scan(timing, seams, timing.first - timing.seconds(int(earliest)))


def measure(
    times: Sequence[int] | Times,
    durations: Sequence[int] | Times,
    keys: Sequence[int] | Times,
    track: VideoTrack,
    heard_until: Fraction | None = None,
) -> Timing:
    """Return the timing of packets given in any order; the last picture lasts as it says, or as one usually does, or
    until the sound ends.

    Pictures before the track's first decodable one are left out.
    """
    first = round(track.start / track.time_base)
    usual = max(1, round(1 / (track.frame_rate * track.time_base)))
    given = np.array(times, np.int64)
    sound = believable(given, track.time_base)
    shown, lasts = given[sound], np.array(durations, np.int64)[sound]
    last = int(shown.argmax())
    end = int(shown[last]) + (int(lasts[last]) if 0 < lasts[last] <= LONGEST_LAST * usual else usual)
    if heard_until is not None and heard_until - end * track.time_base > LONGER_SOUND:
        end = int(heard_until / track.time_base)
    kept = np.unique(shown[shown >= first])
    if not len(kept):
        kept = np.unique(shown)
    starts = np.intersect1d(np.array(keys, np.int64), kept)
    return Timing(kept, starts, end, track.time_base)
