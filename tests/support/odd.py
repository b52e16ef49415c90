"""Sources that no good program makes, but people have: joined recordings, cut files, tracks of unequal length."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from streamhost.testing import clips
from streamhost.testing.clips import Clip

TS_PACKET = 188
SIX = Clip(seconds=6, gop=25)
FAST_START = (("movflags", "faststart"),)


def shifted(source: Path, target: Path, seconds: float) -> Path:
    """The packets of a file, all times later by ``seconds``."""
    options = {"mpegts_copyts": "1"} if target.suffix == ".ts" else {}
    with av.open(str(source)) as given, av.open(str(target), "w", options=options) as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.size == 0 or packet.pts is None or packet.dts is None:
                continue
            ticks = round(Fraction(seconds) / Fraction(packet.time_base))
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    return target


def merged(video: Path, audio: Path, target: Path) -> Path:
    """The picture of one file with the sound of another."""
    with av.open(str(video)) as first, av.open(str(audio)) as second, av.open(str(target), "w") as out:
        pairs = [(given, out.add_stream_from_template(given)) for given in (first.streams[0], second.streams[0])]
        for container, (given, made) in zip((first, second), pairs, strict=True):
            for packet in container.demux(given):
                if packet.size:
                    packet.stream = made
                    out.mux(packet)
    return target


def without_packets(source: Path, target: Path, kind: str, leave_out: Callable[[int], bool]) -> Path:
    """A file without those packets of its tracks of a kind whose number ``leave_out`` picks."""
    count = 0
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.size == 0:
                continue
            if packet.stream.type == kind:
                count += 1
                if leave_out(count - 1):
                    continue
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    return target


def joined(folder: Path, *starts: float) -> Path:
    """Recordings of six seconds, one after the other in one transport stream, whose clocks begin at ``starts``."""
    one = clips.make(folder / "one.ts", SIX)
    parts = [shifted(one, folder / f"part{number}.ts", start).read_bytes() for number, start in enumerate(starts)]
    return written(folder / "joined.ts", b"".join(parts))


def cut_off(folder: Path, suffix: str, share: float = 2 / 3) -> Path:
    """A file of six seconds of which the end is missing; the index of an MP4 stands in front."""
    options = FAST_START if suffix == ".mp4" else ()
    whole = clips.make(folder / f"whole{suffix}", Clip(seconds=6, gop=25, container_options=options)).read_bytes()
    return written(folder / f"cut{suffix}", whole[: int(len(whole) * share)])


def with_hole(folder: Path, suffix: str) -> Path:
    """A file of six seconds with zeros where its third and fourth second should be."""
    options = FAST_START if suffix == ".mp4" else ()
    whole = clips.make(folder / f"sound{suffix}", Clip(seconds=6, gop=25, container_options=options)).read_bytes()
    content = bytearray(whole)
    start = content.index(b"mdat") if suffix == ".mp4" else 0
    length = len(content) - start
    hole = range(start + length // 3, start + length // 2)
    content[hole.start : hole.stop] = bytes(len(hole))
    return written(folder / f"hole{suffix}", bytes(content))


def written(path: Path, content: bytes) -> Path:
    """Write and return the path."""
    path.write_bytes(content)
    return path
