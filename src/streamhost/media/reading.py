"""Reads an open file: packets, and the frames in them, bearing with damage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar, cast

import av
from av.container import InputContainer
from av.frame import Frame
from av.packet import Packet
from av.stream import Discard, Stream

from streamhost.media.errors import DamagedSource
from streamhost.media.opening import check_memory

S = TypeVar("S", bound=Stream)
F = TypeVar("F", bound=Frame)


@dataclass(slots=True)
class Damage:
    """Counts the packets that could not be decoded."""

    count: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell the owner: nothing, or one sentence."""
        if not self.count:
            return ()
        return ("One damaged part was left out." if self.count == 1 else f"{self.count} damaged parts were left out.",)


def packets(container: InputContainer, *streams: S) -> Iterator[Packet[S]]:
    """Read the packets of ``streams``; last come empty ones that flush the decoders.

    PyAV stumbles over the end of a damaged file in which further tracks appeared on the way; by then all were flushed.
    """
    with suppress(IndexError):
        for packet in container.demux(*streams):
            yield cast("Packet[S]", packet)


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
    except av.error.FFmpegError as error:
        check_memory(error)
        damage.count += 1
        return []
