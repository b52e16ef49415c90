"""Encodes one chunk of pictures into every rung: one decode, one scaler cascade, one encoder a rung."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from streamhost.media import boxes, cmaf, h264
from streamhost.media.encoders import Coded, Encoder
from streamhost.media.errors import DamagedSource, EncoderFailed
from streamhost.media.ladder import even
from streamhost.media.pictures import BT709, Decoding, Scaler, Upright
from streamhost.media.poster import write_poster
from streamhost.media.progress import Progress, Report
from streamhost.media.protect import shield
from streamhost.media.reading import Damage
from streamhost.media.retime import Retimer
from streamhost.media.taking import StillsTaker
from streamhost.media.tasks import EncodeChunk, Encoded
from streamhost.media.writer import TrackWriter, VideoWriter
from streamhost.model.protection import Protecting
from streamhost.model.streaming import Kind, Plan, Rendition, Rung, Transfer, VideoTrack

GROUP = 16
"""Pictures that each step, a scaler or an encoder, has before the next one's turn: its code and tables stay in the
processor's caches, which saves some 9 % of the time against turns of one picture."""
GROUP_BYTES = 48 * 1024**2
"""Memory that the pictures of such a group take at most, in all sizes together, if they are more than one."""


def encode_chunk(task: EncodeChunk, report: Report) -> Encoded:
    """Write the segments of one chunk for every rung of the plan, and each rung's header; take its stills."""
    plan, track = task.plan, task.info.video
    if track is None:
        raise DamagedSource("There is no picture to encode.")
    retimer: Retimer[VideoFrame] = Retimer(plan, task.chunk)
    chunk = plan.chunks[task.chunk]
    rungs = [RungEncoder(rung, plan, chunk.first, Path(task.out_dir), task.protecting) for rung in plan.rungs]
    wanted = [(rung.width, rung.height) for rung in plan.rungs] or [track.display_size]
    scalers = [Scaler(track, even(w), even(h), converted=n > 0) for n, (w, h) in enumerate(wanted)]
    taker = _taker(task, track, scalers[0].size) if task.stills_dir else None
    starts = frozenset(plan.boundaries[chunk.first : chunk.last])
    group: list[tuple[int, VideoFrame]] = []
    made = sum(_bytes(*scaler.size) for scaler in scalers)
    progress = Progress(report, "encode")
    poster_at = _poster_ticks(task)
    candidate: VideoFrame | None = None
    decoding = Decoding(task.source, track, task.limits, Damage(plan.origin), plan.seams)
    start = plan.origin + Fraction(retimer.start, plan.timescale) if retimer.start else track.start
    pictures = Upright(track, scalers[0].size).run(decoding.pictures(chunk.seek, start))
    seen = False
    for ticks, picture in retimer.run(pictures):
        seen = True
        group.append((ticks, picture))
        own = _bytes(picture.width, picture.height, picture.format.padded_bits_per_pixel)
        if len(group) == GROUP or (len(group) + 1) * (own + made) > GROUP_BYTES:
            _take(group, scalers, rungs, starts, taker)
        if poster_at is not None and (candidate is None or ticks <= poster_at):
            candidate = picture
        progress.at((ticks - retimer.start) / (retimer.end - retimer.start))
    if not seen:
        raise DamagedSource(f"Nothing could be decoded in part {task.chunk + 1} of {len(plan.chunks)}.")
    _take(group, scalers, rungs, starts, taker)
    renditions = tuple(rung.finish(retimer.end) for rung in rungs)
    poster = write_poster(Path(task.out_dir), scalers[0](candidate)) if candidate is not None else None
    stills = taker.finish() if taker is not None else None
    return Encoded(renditions, poster, retimer.repeated, decoding.damage.warnings, stills)


def _bytes(width: int, height: int, bits: int = 12) -> int:
    """Return what a picture takes in memory; 8-bit 4:2:0 has 12 bits for each pixel."""
    return width * height * bits // 8


def _take(
    group: list[tuple[int, VideoFrame]],
    scalers: Sequence[Scaler],
    rungs: Sequence[RungEncoder],
    starts: frozenset[int],
    taker: StillsTaker | None,
) -> None:
    """Scale the pictures of a group to every size, encode them, take their stills, each step all of them at once; empty
    the group.
    """
    sizes = [[picture for _, picture in group]]
    for scaler in scalers:
        sizes.append([scaler(picture) for picture in sizes[-1]])
    for rung, scaled in zip(rungs, sizes[1:], strict=False):
        for (ticks, _), picture in zip(group, scaled, strict=True):
            rung.encode(picture, ticks, key=ticks in starts)
    if taker is not None:
        for (ticks, decoded), *shown in zip(group, *sizes[1:], strict=True):
            taker.see(ticks, decoded, shown)
    group.clear()


def _taker(task: EncodeChunk, track: VideoTrack, best: tuple[int, int]) -> StillsTaker:
    """Return what takes the chunk's stills. Colours that are looked up are so at the ``best`` rung's size already."""
    whole = Scaler(track, *map(even, track.display_size), converted=False)
    larger = whole.size > best and track.transfer is Transfer.SDR
    return StillsTaker(task.plan, task.chunk, Path(task.stills_dir or ""), whole if larger else None)


def _poster_ticks(task: EncodeChunk) -> int | None:
    """Return when the poster is to be taken if that falls into this chunk; the last chunk takes what lies beyond."""
    if task.poster_at is None:
        return None
    chunk = task.plan.chunks[task.chunk]
    start, end = task.plan.boundaries[chunk.first], task.plan.boundaries[chunk.last]
    wanted = min(max(0, round(task.poster_at * task.plan.timescale)), task.plan.boundaries[-1] - 1)
    return wanted if start <= wanted < end else None


class RungEncoder:
    """The encoder of one rung of one chunk, and the writer of its segments and its header."""

    def __init__(self, rung: Rung, plan: Plan, first: int, out_dir: Path, protecting: Protecting | None) -> None:
        self._rung = rung
        self._plan = plan
        self._encoder = Encoder(plan.encoder, rung, plan.timescale, plan.frame_rate, plan.preset, plan.threads)
        picture = Fraction(plan.timescale) / plan.frame_rate
        delay = round(self._encoder.reorder * picture)
        self._shield = shield(protecting, rung.name, Kind.VIDEO, plan.timescale)
        self._writer = VideoWriter(TrackWriter(out_dir / rung.name, first=first, shield=self._shield), delay)

    def encode(self, frame: VideoFrame, ticks: int, *, key: bool) -> None:
        """Take one picture of the rung's size, to be shown at ``ticks``; ``key`` starts a segment."""
        self._take(self._encoder.encode(frame, ticks, key=key))

    def finish(self, end: int) -> Rendition:
        """Write what is left; the last picture stands until ``end``. Return the facts of this chunk's segments."""
        self._take(self._encoder.encode(None))
        self._cut(end)
        rung, plan, sets = self._rung, self._plan, self._encoder.sets
        if sets is None:
            raise EncoderFailed(f"{plan.encoder} gave no parameter sets.")
        self._writer.track.write_header(
            video_header(sets, plan.timescale, self._writer.delay, rung.width, rung.height, tagged=True)
        )
        return Rendition(
            name=rung.name,
            kind=Kind.VIDEO,
            codecs=sets.codecs,
            timescale=plan.timescale,
            segments=tuple(self._writer.track.segments),
            width=rung.width,
            height=rung.height,
            frame_rate=plan.frame_rate,
            protection=self._shield.facts if self._shield else None,
        )

    def _cut(self, end: int) -> None:
        """Write what is there; by now the encoder has told its parameters, which encryption reads."""
        if self._shield and self._encoder.sets:
            self._shield.learn(self._encoder.sets)
        self._writer.cut(end)

    def _take(self, coded: Iterable[Coded]) -> None:
        for picture in coded:
            if picture.key:
                self._cut(picture.ticks)
            self._writer.add(picture.data, picture.ticks, sync=picture.key)


def video_header(
    sets: h264.ParameterSets, timescale: int, delay: int, width: int, height: int, *, tagged: bool
) -> cmaf.Header:
    """Return the CMAF header of an H.264 rendition; ``tagged`` says its colours are BT.709, limited."""
    extensions = [sets.configuration(), boxes.square_pixels()]
    if tagged:
        extensions.append(boxes.colour(BT709, BT709, BT709, full_range=False))
    entry = boxes.visual_sample_entry(b"avc1", width, height, *extensions)
    return cmaf.Header(entry, timescale, delay, width, height)
