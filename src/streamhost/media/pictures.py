"""Decodes pictures and makes them what every rung needs: upright, progressive, 8-bit 4:2:0, BT.709, limited range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from streamhost.media import luts
from streamhost.media.opening import opened
from streamhost.media.reading import Damage, decode, only, ordered_by_decoding, packets
from streamhost.media.tasks import Limits
from streamhost.media.timing import steadied
from streamhost.model.streaming import Seam, Transfer, VideoTrack

SHARP_UP_TO = 360
"""Up to this short side pictures are scaled by Lanczos, larger ones by the usual bicubic. Shown at the source's size
again, 360 lines out of 720 are then 0.5 dB nearer to the source (XPSNR), at equal bit rate. Larger renditions gain half
of that, while the detail that they keep takes an encoder several times as long. Accurate rounding would cost 3 % of the
time and save 0.06 levels of darkness a step: it is for where colours, range or depth change, which adds errors."""
PIXEL_FORMAT = "yuv420p"
BT709 = 1
"""Code point of BT.709 for primaries, transfer and matrix (ISO/IEC 23091-2)."""
STANDARD_DEFINITION = 576
"""Up to this short side, video that does not say its matrix is taken for BT.601, as players do."""
STEP_BACK = (Fraction(0), Fraction(5), Fraction(30))
"""Seconds before the wanted time to seek to when a container lands too late; after these, from the beginning."""
LONG_BEFORE = Fraction(10)
"""Seconds; where a container without an index lands so far before the wanted time, packets up to there are left out."""
STEP = Fraction(1, 1000)
"""Time base in which pictures are numbered on their way through filters."""
LOOK_UP = "haldclut"
"""The filter that finds a picture's colours in a table, which comes in beside the pictures."""
TABLE = f"video_size={luts.SIDE}x{luts.SIDE}:pix_fmt={luts.PIXEL_FORMAT}:time_base={STEP}:pixel_aspect=1/1:range=2"
BT601_MATRICES = frozenset({"bt470bg", "smpte170m", "fcc"})
Timed = tuple[Fraction, VideoFrame]


@dataclass(slots=True)
class Decoding:
    """Reads the pictures of a source's video track in order of time; counts what was damaged.

    A source with ``seams`` is read from its beginning, since by its own clock no place in it can be found.
    """

    source: str
    track: VideoTrack
    limits: Limits
    damage: Damage = field(default_factory=Damage)
    seams: Sequence[Seam] = ()

    def pictures(self, seek: Fraction, start: Fraction) -> Iterator[Timed]:
        """Yield pictures with their source times in seconds, from the keyframe at ``seek`` or the nearest before.

        Every picture from ``start`` on comes; some earlier ones may. When the first one comes late, or none does, the
        file is opened again and sought further back, then read through up to there (some containers cannot be sought
        in), at last decoded from its beginning.
        """
        if self.seams:
            yield from self._read(seek, through=True)
            return
        places = [seek - back for back in STEP_BACK if seek - back > self.track.start]
        ways = [self._read(place) for place in places] + [self._read(seek, through=True) for _ in places[:1]]
        for pictures in ways:
            late: bool | None = None
            for time, frame in pictures:
                late = time > start if late is None else late
                if late:
                    break
                yield time, frame
            if late is False:
                return
        yield from self._read(None)

    def _read(self, seek: Fraction | None, *, through: bool = False) -> Iterator[Timed]:
        with opened(self.source, self.limits) as container:
            [stream] = only(container, VideoStream, self.track.index)
            if seek is not None and not through:
                try:
                    container.seek(int(seek / self.track.time_base), stream=stream)
                except av.error.FFmpegError:
                    return
            given = packets(container, stream, seams=self.seams)
            if seek is not None and seek > self.track.start:
                given = self._from_keyframe(given, seek, within=Fraction(0) if through else LONG_BEFORE)
            pictures = self._decode(given, by_decoding=ordered_by_decoding(container, self.track))
            yield from steadied(pictures, self.track.start, 1 / self.track.frame_rate)

    def _from_keyframe(
        self, given: Iterator[Packet[VideoStream]], seek: Fraction, within: Fraction
    ) -> Iterator[Packet[VideoStream]]:
        """Leave out the packets before the keyframe shown at ``seek``, unless they begin ``within`` seconds of it."""
        begun, found = False, within > 0
        for packet in given:
            ticks = packet.pts if packet.pts is not None else packet.dts
            if ticks is not None and not (begun and found):
                time = ticks * self.track.time_base
                near = not begun and time > seek - within
                begun, found = True, near or (packet.is_keyframe and time >= seek)
            if found or packet.size == 0:
                yield packet

    def _decode(
        self, given: Iterator[Packet[VideoStream]], *, by_decoding: bool
    ) -> Iterator[tuple[Fraction | None, VideoFrame]]:
        """Decode packet by packet; what cannot be decoded is counted.

        Where only decode times are known, a picture comes out as many packets late as the coding reorders pictures.
        """
        track = self.track
        late = round(track.picture_reorder / (track.frame_rate * track.time_base))
        for packet in given:
            for frame in decode(packet, VideoFrame, self.damage):
                ticks = None if by_decoding else frame.pts
                if ticks is None and frame.dts is not None:
                    ticks = frame.dts - late
                yield None if ticks is None else ticks * (frame.time_base or track.time_base), frame


class Upright:
    """Turns decoded pictures upright, progressive and into standard dynamic range; leaves alone what needs nothing.

    Where colours are looked up, pictures are first scaled to ``size`` (width, height), which costs less than after it.
    """

    def __init__(self, track: VideoTrack, size: tuple[int, int] | None = None) -> None:
        self._track = track
        self._size = size
        self._table = luts.hald(track.transfer, track.peak) if track.transfer is not Transfer.SDR else None
        self._graph: Graph | None = None
        self._entry: FilterContext | None = None
        self._shape: tuple[int, int, str] | None = None
        self._times: list[Fraction] = []

    def run(self, pictures: Iterator[Timed]) -> Iterator[Timed]:
        """Yield the same pictures, filtered, with the same times."""
        steps = self._steps()
        if not steps:
            yield from pictures
            return
        for time, frame in pictures:
            shape = (frame.width, frame.height, frame.format.name)
            if shape != self._shape:
                yield from self._drain()
                self._build(frame, steps)
                self._shape = shape
            self._times.append(time)
            frame.pts, frame.time_base = len(self._times) - 1, STEP
            assert self._entry is not None
            self._entry.push(frame)
            yield from self._pull()
        yield from self._drain()

    def _steps(self) -> list[tuple[str, str]]:
        track = self._track
        steps = [("bwdif", "mode=send_frame:parity=auto:deint=all")] if track.interlaced else []
        turns = {90: [("transpose", "clock")], 180: [("hflip", ""), ("vflip", "")], 270: [("transpose", "cclock")]}
        steps += turns.get(track.rotation, [])
        steps += [("hflip", "")] if track.flipped else []
        if track.transfer is not Transfer.SDR:
            size = f":w={self._size[0]}:h={self._size[1]}" if self._size else ""
            given = "pc" if track.full_range else "tv"
            steps += [("scale", f"in_color_matrix=bt2020:in_range={given}:flags=bicubic{size}"),
                      ("format", luts.PIXEL_FORMAT),
                      (LOOK_UP, "interp=tetrahedral:clut=first"),
                      ("scale", "out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd"),
                      ("format", PIXEL_FORMAT)]  # fmt: skip
        return steps

    def _build(self, frame: VideoFrame, steps: list[tuple[str, str]]) -> None:
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base={STEP}:pixel_aspect=1/1"
            f":colorspace={int(frame.colorspace)}:range={int(frame.color_range)}",
        )
        nodes = [source, *(self._graph.add(name, args or None) for name, args in steps), self._graph.add("buffersink")]
        table = None
        for place, (before, after) in enumerate(pairwise(nodes)):
            before.link_to(after)
            if place < len(steps) and steps[place][0] == LOOK_UP:
                table = self._graph.add("buffer", TABLE)
                table.link_to(after, 0, 1)
        self._graph.configure()
        if table is not None:
            table.push(self._table)
            table.push(None)
        self._entry = source
        self._times = []

    def _pull(self) -> Iterator[Timed]:
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            # bwdif halves the time base.
            yield self._times[round((frame.pts or 0) * (frame.time_base or STEP) / STEP)], frame

    def _drain(self) -> Iterator[Timed]:
        if self._graph is not None and self._entry is not None:
            self._entry.push(None)
            yield from self._pull()
            self._graph = None


class Scaler:
    """Scales upright pictures to one size, in the colours of the renditions.

    ``converted`` says that the pictures have those colours already: they come from a larger rung.
    """

    def __init__(self, track: VideoTrack, width: int, height: int, *, converted: bool) -> None:
        self.size = width, height
        self._reformatter = VideoReformatter()
        self._from_matrix = Colorspace.ITU709
        self._from_range = ColorRange.MPEG
        self._interpolation = Interpolation.LANCZOS if min(self.size) <= SHARP_UP_TO else Interpolation.BICUBIC
        if not converted and track.transfer is Transfer.SDR:
            self._from_matrix = _matrix(track)
            self._from_range = ColorRange.JPEG if track.full_range else ColorRange.MPEG
            colours = self._from_matrix, self._from_range, track.pixel_format
            if colours != (Colorspace.ITU709, ColorRange.MPEG, PIXEL_FORMAT):
                self._interpolation |= Interpolation.ACCURATE_RND

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """Return the picture at this size; the same object when nothing changes."""
        return self._reformatter.reformat(
            frame,
            *self.size,
            PIXEL_FORMAT,
            src_colorspace=self._from_matrix,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=self._from_range,
            dst_color_range=ColorRange.MPEG,
            interpolation=self._interpolation,
            threads=1,
        )


def _matrix(track: VideoTrack) -> Colorspace:
    if track.color_matrix in BT601_MATRICES:
        return Colorspace.ITU601
    if track.color_matrix == "smpte240m":
        return Colorspace.SMPTE240M
    if track.color_matrix.startswith("bt2020"):
        return Colorspace.BT2020
    if track.color_matrix == "unknown" and min(track.width, track.height) <= STANDARD_DEFINITION:
        return Colorspace.ITU601
    return Colorspace.ITU709
