"""Writes a rendition's files and keeps the facts: samples go in, segments fall out at the cuts."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np

from streamhost.media import cmaf
from streamhost.media.protect import Shield
from streamhost.model.streaming import INIT_SEGMENT, Segment, segment_name

MOST_PARTS = 1000
"""Buffers that one ``writev`` takes: under Linux's IOV_MAX of 1024."""
MOST_WAITING = 2
"""Segments that wait to be written at most: they are held in memory."""

Parts = Sequence[bytes | bytearray]
Put = Callable[[Path, Parts], None]
"""Writes the parts as one new file, or sees to it. The parts are not changed afterwards."""


def write_file(path: Path, parts: Parts) -> None:
    """Write a file anew in one call."""
    if len(parts) > MOST_PARTS:
        parts = [b"".join(parts)]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        written = os.writev(descriptor, parts)
        if written < sum(map(len, parts)):
            rest = memoryview(b"".join(parts))[written:]
            while rest:
                rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


class WriteBehind:
    """A ``Put`` that writes in a thread of its own, in order, while the next segment is read: where nothing is encoded,
    the kernel's part of writing is a third of the work.

    The ``with`` block ends when everything is written. Raises what writing raised, there or at a later call.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "writer")
        self._waiting: deque[Future[None]] = deque()

    def __call__(self, path: Path, parts: Parts) -> None:
        """Have a file written; wait while too many are."""
        while len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(write_file, path, parts))

    def __enter__(self) -> WriteBehind:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._thread.shutdown()
        if kind is None:
            for writing in self._waiting:
                writing.result()


class TrackWriter:
    """Writes the media segments of one rendition into its folder.

    ``first`` is the number of segments before these, so that chunks written apart count on. ``shield`` encrypts them,
    ``put`` writes them. Not thread safe.
    """

    def __init__(self, folder: Path, *, first: int = 0, shield: Shield | None = None, put: Put = write_file) -> None:
        self.folder = folder
        self._put = put
        self.shield = shield
        self.segments: list[Segment] = []
        self._first = first
        folder.mkdir(parents=True, exist_ok=True)

    def write_header(self, header: cmaf.Header) -> None:
        """Write ``init.mp4``."""
        data = self.shield.header(header) if self.shield else header.to_bytes()
        self._put(self.folder / INIT_SEGMENT, [data])

    def write(self, samples: cmaf.Samples, start: int, *, keyed: bool = False) -> None:
        """Write one segment whose first sample is decoded at ``start`` ticks; ``keyed`` if that one is a keyframe."""
        sequence = self._first + len(self.segments) + 1
        made = self.shield.segment if self.shield else cmaf.segment
        parts: Parts = made(samples, sequence, start)
        size = sum(map(len, parts))
        self._put(self.folder / segment_name(start), parts)
        # Of a file that is encrypted as a whole no part can be read by itself.
        divisible = self.shield is None or self.shield.facts.scheme.common
        key_size = len(parts[0]) + len(samples.data[0]) if keyed and divisible else 0
        self.segments.append(Segment(start, int(samples.durations.sum()), size, key_size))


class VideoWriter:
    """Collects coded pictures by presentation time and writes a segment at each cut."""

    def __init__(self, track: TrackWriter, delay: int) -> None:
        self.track = track
        self.delay = delay
        self._data: list[bytes] = []
        self._times: list[int] = []
        self._sync: list[bool] = []

    def add(self, data: bytes, time: int, *, sync: bool) -> None:
        """Take a picture, in decode order, shown at ``time`` ticks."""
        self._data.append(data)
        self._times.append(time)
        self._sync.append(sync)

    @property
    def start(self) -> int | None:
        """Time of the first picture not yet written."""
        return self._times[0] if self._times else None

    @property
    def last(self) -> int:
        """Latest time among the pictures not yet written."""
        return max(self._times)

    def cut(self, end: int) -> None:
        """Write the pictures taken so far as one segment that is shown until ``end`` ticks; nothing if there are
        none.
        """
        if not self._data:
            return
        times = np.array(self._times, np.int64)
        samples = cmaf.Samples.shown_at(self._data, times, np.array(self._sync), end, self.delay)
        self.track.write(samples, int(times.min()), keyed=self._sync[0])
        self._data, self._times, self._sync = [], [], []


class AudioWriter:
    """Collects sound frames of one duration and writes a segment whenever ``per_segment`` of them are there."""

    def __init__(self, track: TrackWriter, frame: int, per_segment: int, start: int = 0) -> None:
        self.track = track
        self.frame = frame
        self.per_segment = per_segment
        self.next = start
        self._data: list[bytes] = []

    @property
    def taken(self) -> int:
        """Ticks up to which frames were taken."""
        return self.next + self.frame * len(self._data)

    def add(self, data: bytes) -> None:
        """Take the next frame."""
        self._data.append(data)
        if len(self._data) == self.per_segment:
            self.finish()

    def finish(self) -> None:
        """Write the frames left over."""
        if self._data:
            self.track.write(cmaf.Samples.even(self._data, self.frame), self.next)
            self.next += self.frame * len(self._data)
            self._data = []
