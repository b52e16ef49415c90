"""Renditions joined into one progressive MP4 (ISO/IEC 14496-12) that can be played from its first bytes on.

Nothing is decoded: the samples of the CMAF segments are moved as they are, pictures and sound interleaved, the index
(`moov`) in front.
"""

from __future__ import annotations

import contextlib
import heapq
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
from av import Packet
from av.container import InputContainer

from streamhost.media.progress import Report
from streamhost.media.tasks import JOINED, Joined, JoinTracks

STEP = "join"
REPORT_EVERY = 250
"""Packets between two reports."""


def join_tracks(task: JoinTracks, report: Report) -> Joined:
    """Write ``joined.mp4`` from the tracks of a package; the default sound is marked by being the only one."""
    folder = Path(task.source)
    with contextlib.ExitStack() as stack:
        inputs = [
            stack.enter_context(
                av.open(stack.enter_context(Chain([folder / name for name in names])), "r", format="mp4")
            )
            for names in task.tracks
        ]
        target = Path(task.out_dir) / JOINED
        output = stack.enter_context(av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}))
        outlets = []
        for source, language in zip(inputs, task.languages, strict=True):
            outlet = output.add_stream_from_template(source.streams[0])
            if language:
                outlet.metadata["language"] = language
            outlets.append(outlet)
        length = float(task.duration)
        sequences = [_packets(source, number) for number, source in enumerate(inputs)]
        for count, (when, number, packet) in enumerate(heapq.merge(*sequences, key=lambda item: item[0])):
            packet.stream = outlets[number]
            output.mux(packet)
            if count % REPORT_EVERY == 0 and length > 0:
                report(min(1.0, max(0.0, float(when) / length)), STEP)
    return Joined(JOINED, target.stat().st_size)


def _packets(source: InputContainer, number: int) -> Iterator[tuple[Fraction, int, Packet]]:  # type: ignore[type-arg]  # generic in stubs
    """The packets of a track with their decode times in seconds."""
    for packet in source.demux(source.streams[0]):
        if packet.size and packet.dts is not None:
            assert packet.time_base is not None, "the demuxer gives every packet its time base"
            yield packet.dts * packet.time_base, number, packet


class Chain(io.RawIOBase):
    """Files one after another, read as if they were one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._starts = [0, *accumulate(path.stat().st_size for path in paths)]
        self._position = 0
        self._open: tuple[int, Any] | None = None

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Any place can be gone to."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where it stands."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes: those that are left of one file."""
        if self._position >= self._starts[-1]:
            return b""
        number = bisect_right(self._starts, self._position) - 1
        file = self._file(number)
        file.seek(self._position - self._starts[number])
        data: bytes = file.read(size)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Let go of the open file."""
        if self._open is not None:
            self._open[1].close()
            self._open = None
        super().close()

    def _file(self, number: int) -> Any:
        if self._open is None or self._open[0] != number:
            if self._open is not None:
                self._open[1].close()
            self._open = (number, self._paths[number].open("rb", buffering=0))
        return self._open[1]
