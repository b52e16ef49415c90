"""Encodes one chunk of pictures into every rung: one decode, one scaler cascade, one encoder a rung."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from streamhost.media import boxes, cmaf, h264
from streamhost.media.errors import DamagedSource
from streamhost.media.opening import encoder
from streamhost.media.pictures import BT709, PIXEL_FORMAT, Decoding, Scaler, Upright
from streamhost.media.poster import write_poster
from streamhost.media.progress import Progress, Report
from streamhost.media.retime import Retimer
from streamhost.media.tasks import EncodeChunk, Encoded
from streamhost.media.writer import TrackWriter, VideoWriter
from streamhost.model.streaming import Kind, Plan, Rendition, Rung

X264 = "annexb=0:keyint=infinite:min-keyint=1:scenecut=0:open-gop=0:force-cfr=0"
"""Keyframes only where segments start, closed groups, samples with lengths instead of start codes."""
MPEG_RANGE = 1


def encode_chunk(task: EncodeChunk, report: Report) -> Encoded:
    """Write the segments of one chunk for every rung of the plan, and each rung's header."""
    plan, track = task.plan, task.info.video
    if track is None:
        raise DamagedSource("There is no picture to encode.")
    retimer: Retimer[VideoFrame] = Retimer(plan, task.chunk)
    chunk = plan.chunks[task.chunk]
    rungs = [RungEncoder(rung, plan, chunk.first, Path(task.out_dir)) for rung in plan.rungs]
    scalers = [Scaler(track, r.width, r.height, converted=n > 0) for n, r in enumerate(plan.rungs)]
    starts = frozenset(plan.boundaries[chunk.first : chunk.last])
    progress = Progress(report, "encode")
    poster_at = _poster_ticks(task)
    candidate: VideoFrame | None = None
    decoding = Decoding(task.source, track, task.limits)
    start = plan.origin + Fraction(retimer.start, plan.timescale) if retimer.start else track.start
    pictures = Upright(track).run(decoding.pictures(chunk.seek, start))
    for ticks, picture in retimer.run(pictures):
        scaled = picture
        for rung, scaler in zip(rungs, scalers, strict=True):
            scaled = scaler(scaled)
            rung.encode(scaled, ticks, key=ticks in starts)
        if poster_at is not None and (candidate is None or ticks <= poster_at):
            candidate = picture
        progress.at((ticks - retimer.start) / (retimer.end - retimer.start))
    if not rungs or rungs[0].count == 0:
        raise DamagedSource(f"Nothing could be decoded in part {task.chunk + 1} of {len(plan.chunks)}.")
    renditions = tuple(rung.finish(retimer.end) for rung in rungs)
    poster = write_poster(Path(task.out_dir), scalers[0](candidate)) if candidate is not None else None
    return Encoded(renditions, poster, retimer.repeated, decoding.damage.warnings)


def _poster_ticks(task: EncodeChunk) -> int | None:
    """Return when the poster is to be taken if that falls into this chunk; the last chunk takes what lies beyond."""
    if task.poster_at is None:
        return None
    chunk = task.plan.chunks[task.chunk]
    start, end = task.plan.boundaries[chunk.first], task.plan.boundaries[chunk.last]
    wanted = min(max(0, round(task.poster_at * task.plan.timescale)), task.plan.boundaries[-1] - 1)
    return wanted if start <= wanted < end else None


class RungEncoder:
    """x264 for one rung of one chunk, and the writer of its segments."""

    def __init__(self, rung: Rung, plan: Plan, first: int, out_dir: Path) -> None:
        self.count = 0
        self._rung = rung
        self._plan = plan
        self._context = _open(rung, plan)
        sets = h264.parameter_sets(self._context.extradata or b"")
        assert sets is not None, "x264 gives its parameter sets in the header"
        picture = Fraction(plan.timescale) / plan.frame_rate
        delay = round(self._context.reorder_depth * picture)
        self._writer = VideoWriter(TrackWriter(out_dir / rung.name, first=first), delay)
        self._writer.track.write_header(video_header(sets, plan.timescale, delay, rung.width, rung.height, tagged=True))
        self._codecs = sets.codecs

    def encode(self, frame: VideoFrame, ticks: int, *, key: bool) -> None:
        """Take one picture of the rung's size, to be shown at ``ticks``; ``key`` starts a segment."""
        frame.pts, frame.time_base = ticks, self._context.time_base
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self.count += 1
        with encoder():
            packets = self._context.encode(frame)
        self._take(packets)

    def finish(self, end: int) -> Rendition:
        """Write what is left; the last picture stands until ``end``. Return the facts of this chunk's segments."""
        with encoder():
            packets = self._context.encode(None)
        self._take(packets)
        self._writer.cut(end)
        return Rendition(
            name=self._rung.name,
            kind=Kind.VIDEO,
            codecs=self._codecs,
            timescale=self._plan.timescale,
            segments=tuple(self._writer.track.segments),
            width=self._rung.width,
            height=self._rung.height,
            frame_rate=self._plan.frame_rate,
        )

    def _take(self, packets: Iterable[Packet]) -> None:  # type: ignore[type-arg]  # generic in the stubs only
        for packet in packets:
            assert packet.pts is not None, "x264 gives every packet its time"
            if packet.is_keyframe:
                self._writer.cut(packet.pts)
            self._writer.add(bytes(packet), packet.pts, sync=packet.is_keyframe)


def video_header(
    sets: h264.ParameterSets, timescale: int, delay: int, width: int, height: int, *, tagged: bool
) -> cmaf.Header:
    """Return the CMAF header of an H.264 rendition; ``tagged`` says its colours are BT.709, limited."""
    extensions = [sets.configuration(), boxes.square_pixels()]
    if tagged:
        extensions.append(boxes.colour(BT709, BT709, BT709, full_range=False))
    entry = boxes.visual_sample_entry(b"avc1", width, height, *extensions)
    return cmaf.Header(entry, timescale, delay, width, height)


def _open(rung: Rung, plan: Plan) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = rung.width, rung.height, PIXEL_FORMAT
    context.time_base = Fraction(1, plan.timescale)
    context.framerate = plan.frame_rate
    context.color_range = MPEG_RANGE
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.sample_aspect_ratio = Fraction(1)
    context.thread_count = plan.threads
    context.flags |= Flags.global_header | Flags.closed_gop
    context.options = {
        "preset": plan.preset,
        "crf": f"{rung.crf:g}",
        "maxrate": str(rung.max_rate),
        "bufsize": str(rung.buffer),
        "forced-idr": "1",
        "x264-params": X264,
    }
    with encoder():
        context.open()
    return context
