"""Lays out segments and chunks from when a source's pictures are shown. Pure arithmetic."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from streamhost.media.ladder import output_rate
from streamhost.media.tasks import Encoding
from streamhost.media.timing import Timing, constant_rate, grid, source_timescale
from streamhost.model.streaming import Chunk, MediaInfo, Plan, Rung

Rungs = tuple[Rung, ...]
SHORTEST_CHUNK = 8.0
"""Seconds; starting a process and a decoder for less costs more than it saves."""
ROUNDING = Fraction(1, 1000)
"""Seconds by which a segment's start may fall before its keyframe when one clock is rounded to another."""
SPREAD_UP_TO = 4
"""Up to this many chunks a worker, their number is made a multiple of the workers, so that none idles at the end."""


def make_plan(info: MediaInfo, timing: Timing, rungs: Rungs, encoding: Encoding) -> Plan:
    """Return the plan for encoding all of a source: segments near ``encoding.segment`` seconds, chunks at keyframes.

    Pictures at a constant rate go onto its exact grid (above 60 a second every second one, and so on); others keep
    their times.
    """
    nominal = info.video.frame_rate if info.video else Fraction(0)
    rate = constant_rate(timing, nominal)
    if rate is None:
        return _free_plan(info, timing, rungs, encoding)
    kept = output_rate(rate, encoding.max_frame_rate)
    thin, rate = int(rate / kept), kept
    timescale, duration = grid(rate)
    late, phase = divmod(max(0, round((timing.first - info.origin) * timescale)), duration)

    def picture(ticks: int) -> int:
        """Place on the grid; pictures that come late leave ``late`` places to be filled with the first one."""
        return late + int((timing.seconds(ticks) - timing.first) * rate + Fraction(1, 2 * thin))

    count = max(picture(timing.end), picture(int(timing.times[-1])) + 1)
    starts = _chunk_starts([picture(int(key)) for key in timing.keys], 0, count, float(count / rate), encoding)
    cuts, pictures = [0], [0]
    for start, stop in pairwise([*starts, count]):
        pieces = max(1, round((stop - start) / rate / Fraction(encoding.segment)))
        pictures += [start + piece * (stop - start) // pieces for piece in range(1, pieces + 1)]
        cuts.append(len(pictures) - 1)
    boundaries = [0, *(phase + number * duration for number in pictures[1:])]
    return _plan(info, timing, (timescale, duration, phase, rate, thin), boundaries, cuts, rungs, encoding)


def follow_plan(
    info: MediaInfo,
    timing: Timing,
    boundaries: Sequence[int],
    timescale: int,
    rungs: Rungs,
    encoding: Encoding,
) -> Plan:
    """Return the plan for renditions beside a copied one: cut at its ``boundaries`` (ticks, the end last), times
    kept.
    """
    starts, end = list(boundaries[:-1]), boundaries[-1]
    chunk_starts = _chunk_starts(starts, starts[0], end, (end - starts[0]) / timescale, encoding)
    cuts = [*(bisect_left(starts, start) for start in chunk_starts), len(starts)]
    return _plan(info, timing, (timescale, None, 0, _nominal(info, encoding), 1), boundaries, cuts, rungs, encoding)


def chunk_count(duration: float, encoding: Encoding) -> int:
    """Return how many chunks to make of ``duration`` seconds: every worker busy, none too short or far over the
    target.
    """
    most = max(1, int(duration / min(SHORTEST_CHUNK, encoding.chunk)))
    count = max(1, -int(-duration // encoding.chunk))
    if count <= SPREAD_UP_TO * encoding.workers:
        count = -(-count // encoding.workers) * encoding.workers
    return min(count, most)


def _free_plan(info: MediaInfo, timing: Timing, rungs: Rungs, encoding: Encoding) -> Plan:
    """Plan for pictures at irregular times: every segment starts at one of them."""
    timescale = source_timescale(timing.time_base)

    def ticks(time: int) -> int:
        return max(0, round((timing.seconds(time) - info.origin) * timescale))

    times = [0, *(ticks(int(time)) for time in timing.times[1:])]
    end = max(ticks(timing.end), times[-1] + 1)
    starts = _chunk_starts([ticks(int(key)) for key in timing.keys[1:]], 0, end, end / timescale, encoding)
    boundaries, cuts = [0], [0]
    for start, stop in pairwise([*starts, end]):
        pieces = max(1, round((stop - start) / timescale / encoding.segment))
        for piece in range(1, pieces):
            wanted = start + piece * (stop - start) // pieces
            place = bisect_left(times, wanted)
            picture = min(times[max(0, place - 1) : place + 1], key=lambda time: abs(time - wanted))
            # Where no picture is near the one that stands is shown again.
            boundary = picture if abs(picture - wanted) * pieces * 2 < stop - start else wanted
            if boundaries[-1] < boundary < stop:
                boundaries.append(boundary)
        boundaries.append(stop)
        cuts.append(len(boundaries) - 1)
    return _plan(info, timing, (timescale, None, 0, _nominal(info, encoding), 1), boundaries, cuts, rungs, encoding)


def _plan(
    info: MediaInfo,
    timing: Timing,
    clock: tuple[int, int | None, int, Fraction, int],
    boundaries: Sequence[int],
    cuts: Sequence[int],
    rungs: Rungs,
    encoding: Encoding,
) -> Plan:
    timescale, duration, phase, rate, thin = clock
    with_past = info.video is not None and info.video.interlaced

    def seek(segment: int) -> Fraction:
        start = info.origin + Fraction(boundaries[segment], timescale) if segment else timing.first
        return timing.decode_from(start + ROUNDING, with_past=with_past)

    chunks = tuple(Chunk(first, last, seek(first)) for first, last in pairwise(cuts))
    return Plan(
        timescale=timescale,
        frame_duration=duration,
        phase=phase,
        frame_rate=rate,
        origin=info.origin,
        boundaries=tuple(boundaries),
        chunks=chunks,
        rungs=rungs,
        encoder=encoding.encoder,
        preset=encoding.preset,
        threads=encoding.threads,
        max_frame_rate=encoding.max_frame_rate,
        thin=thin,
    )


def _nominal(info: MediaInfo, encoding: Encoding) -> Fraction:
    return output_rate(info.video.frame_rate, encoding.max_frame_rate) if info.video else Fraction(0)


def _chunk_starts(keys: Sequence[int], start: int, end: int, seconds: float, encoding: Encoding) -> list[int]:
    """Choose chunk starts among ``keys``, as even as they allow; the first is ``start``."""
    count = chunk_count(seconds, encoding)
    starts = [start]
    candidates = np.array(sorted(keys), np.int64)
    for number in range(1, count if len(candidates) else 1):
        wanted = start + number * (end - start) // count
        nearest = int(candidates[np.abs(candidates - wanted).argmin()])
        if starts[-1] < nearest < end:
            starts.append(nearest)
    return starts
