"""Reads an open file: packets, and the frames in them, bearing with damage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar, cast

import av
from av.container import InputContainer
from av.frame import Frame
from av.packet import Packet
from av.stream import Discard, Stream

from streamhost.media import losses
from streamhost.media.errors import DamagedSource
from streamhost.media.opening import check_memory
from streamhost.model.streaming import Seam, VideoTrack

S = TypeVar("S", bound=Stream)
F = TypeVar("F", bound=Frame)
DECODE_TIMES_ONLY = frozenset({"avi"})
"""Containers for which FFmpeg gives decode times as presentation times."""
MOST_PLACES = 1000
"""Places of damage that are remembered; a file with more is one great damage."""


@dataclass(slots=True)
class Damage:
    """Counts the packets that could not be decoded, and remembers where, in seconds after ``origin``."""

    origin: Fraction = Fraction(0)
    count: int = 0
    places: list[float] = field(default_factory=list)

    def note(self, packet: Packet[S]) -> None:
        """Count a packet."""
        self.count += 1
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.time_base and len(self.places) < MOST_PLACES:
            self.places.append(float(time * Fraction(packet.time_base) - self.origin))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell the owner: nothing, or one sentence."""
        return losses.damaged(self.places, self.count)


def packets(container: InputContainer, *streams: S, seams: Sequence[Seam] = ()) -> Iterator[Packet[S]]:
    """Read the packets of ``streams``; last come empty ones that flush the decoders.

    With ``seams``, which count from the beginning of the file, their times are mended.
    PyAV stumbles over the end of a damaged file in which further tracks appeared on the way; by then all were flushed.
    """
    with suppress(IndexError):
        given = container.demux(*streams)
        for packet in _mended(given, seams) if seams else given:
            yield cast("Packet[S]", packet)


def _mended(given: Iterator[Packet[Stream]], seams: Sequence[Seam]) -> Iterator[Packet[Stream]]:
    """Shift the times of packets after seams."""
    count: Counter[int] = Counter()
    shifts: dict[int, Fraction] = {}
    for packet in given:
        if packet.size:
            index = packet.stream_index
            for seam in seams:
                if seam.track == index and seam.packet == count[index]:
                    shifts[index] = seam.shift
            count[index] += 1
            if index in shifts:
                ticks = round(shifts[index] / Fraction(packet.time_base))
                packet.pts = None if packet.pts is None else packet.pts + ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
        yield packet


def ordered_by_decoding(container: InputContainer, track: VideoTrack) -> bool:
    """Whether a container tells when pictures are decoded, and nothing else, though they are shown in another order."""
    return container.format.name in DECODE_TIMES_ONLY and track.picture_reorder > 0


def only(container: InputContainer, kind: type[S], *indexes: int) -> list[S]:
    """Return the streams that probing found at ``indexes``, and leave all others unread.

    Raises ``DamagedSource`` when one is not there this time, or is something else.
    """
    found = {
        stream.index: stream for stream in container.streams if stream.index in indexes and isinstance(stream, kind)
    }
    for stream in container.streams:
        if stream.index not in found:
            stream.discard = Discard.all
    if missing := set(indexes) - set(found):
        raise DamagedSource(f"Track {min(missing)} comes and goes.")
    return [found[index] for index in indexes]


def decode(packet: Packet[S], kind: type[F], damage: Damage) -> list[F]:
    """Return the frames that a packet completes; none if it cannot be decoded. Raises ``MemoryError``."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, kind)]
    except (av.error.FFmpegError, ValueError) as error:
        # ValueError: PyAV 19 has no decoder for a track whose parameters make no sense.
        check_memory(error)
        damage.note(packet)
        return []
