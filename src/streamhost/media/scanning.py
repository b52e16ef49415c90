"""Reads a whole file once, without decoding, for when its pictures are shown."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from av.video.stream import VideoStream

from streamhost.media.errors import DamagedSource
from streamhost.media.opening import check_length, opened
from streamhost.media.planning import make_plan
from streamhost.media.progress import Progress, Report
from streamhost.media.reading import only, packets
from streamhost.media.tasks import MakePlan
from streamhost.media.timing import Timing, believable
from streamhost.model.streaming import Plan, VideoTrack

LONGEST_LAST = 10
"""A last picture that claims to last longer than this many usual ones is not believed."""


def plan_source(task: MakePlan, report: Report) -> Plan:
    """Scan a source and return its plan."""
    if task.info.video is None:
        raise DamagedSource("There is no picture to plan for.")
    plan = make_plan(task.info, scan(task, report), task.rungs, task.encoding)
    check_length(plan.duration, task.limits)
    return plan


def scan(task: MakePlan, report: Report) -> Timing:
    """Return when the pictures of the video track are shown; packets without a time are placed by their decode time."""
    track = task.info.video
    assert track is not None, "only sources with pictures are scanned"
    progress = Progress(report, "scan")
    times, lasts, keys = array("q"), array("q"), array("q")
    with opened(task.source, task.limits) as container:
        [stream] = only(container, VideoStream, track.index)
        for packet in packets(container, stream):
            time = packet.pts if packet.pts is not None else packet.dts
            if packet.size == 0 or time is None or packet.is_discard:
                continue
            times.append(time)
            lasts.append(packet.duration or 0)
            if packet.is_keyframe:
                keys.append(time)
            if packet.pos and task.info.size:
                progress.at(packet.pos / task.info.size)
    if not times:
        raise DamagedSource("The video track holds no picture.")
    return measure(times, lasts, keys, track)


def measure(times: Sequence[int], durations: Sequence[int], keys: Sequence[int], track: VideoTrack) -> Timing:
    """Return the timing of packets given in any order; the last picture lasts as it says, or as one usually does.

    Pictures before the track's first decodable one are left out.
    """
    first = round(track.start / track.time_base)
    usual = max(1, round(1 / (track.frame_rate * track.time_base)))
    given = np.array(times, np.int64)
    sound = believable(given, track.time_base)
    shown, lasts = given[sound], np.array(durations, np.int64)[sound]
    last = int(shown.argmax())
    end = int(shown[last]) + (int(lasts[last]) if 0 < lasts[last] <= LONGEST_LAST * usual else usual)
    kept = np.unique(shown[shown >= first])
    if not len(kept):
        kept = np.unique(shown)
    starts = np.intersect1d(np.array(keys, np.int64), kept)
    return Timing(kept, starts, end, track.time_base)
