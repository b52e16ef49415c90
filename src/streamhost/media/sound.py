"""Encodes an audio track, whole, into stereo AAC-LC at 48 kHz on the presentation's clock.

Silence fills what is missing: before a late start, in gaps, up to the video's end. So sound and picture cannot drift
apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext

from streamhost.media import aac, boxes, cmaf
from streamhost.media.errors import DamagedSource
from streamhost.media.opening import opened
from streamhost.media.progress import Progress, Report
from streamhost.media.protect import shield
from streamhost.media.reading import Damage, decode, only, packets
from streamhost.media.tasks import EncodeAudio, Encoded
from streamhost.media.timing import steadied
from streamhost.media.waveform import Loudness, write_cover, write_waveform
from streamhost.media.writer import AudioWriter, TrackWriter
from streamhost.model.streaming import AudioTrack, Kind, Rendition, Seam

RATE = 48_000
CHANNELS = 2
JUMP_SECONDS = 0.04
"""Time stamps off by more than this are filled or trimmed at once, since a viewer would notice; less is stretched
away.
"""
LIMITER = "limit=0.98:attack=5:release=60:level=disabled:latency=1"
"""Folding adds channels up, with all of them at full scale to 7.7 dB over it. Levels stay as ITU-R BS.775-4, annex 4
has them (centre and surrounds at -3 dB, no low-frequency channel); only what would clip is pressed down meanwhile.
"""
LATEST_END = 60
"""Seconds after the source's end at which sound can only be a mistake."""
MOST_STRETCH = 1000
"""Samples a second by which sound may be stretched to follow its time stamps: 2 %, below what is heard."""


def encode_audio(task: EncodeAudio, report: Report) -> Encoded:
    """Write the rendition of one audio track."""
    track = task.track
    progress = Progress(report, "audio")
    length = max(task.info.duration, task.until or Fraction(0))
    encoder = _open(task.encoding.audio_rate)
    config = encoder.extradata or aac.lc_config(RATE, CHANNELS)
    guard = shield(task.protecting, task.name, Kind.AUDIO, RATE)
    out = TrackWriter(Path(task.out_dir) / task.name, shield=guard)
    out.write_header(audio_header(config, RATE, CHANNELS, task.encoding.audio_rate, track.language))
    writer = AudioWriter(out, aac.FRAME_SAMPLES, frames_per_segment(RATE, task.encoding.segment))
    conform = Conform()
    loudness = Loudness()
    with opened(task.source, task.limits) as container:
        [stream] = only(container, AudioStream, track.index)
        frame_length = Fraction(stream.codec_context.frame_size or aac.FRAME_SAMPLES, track.sample_rate)
        heard = Heard(container, stream, task.info.origin, length + LATEST_END, frame_length, task.seams)
        for frame in conform.run(heard.frames()):
            if task.poster:
                loudness.hear(frame)
            _take(encoder, frame, writer)
            progress.at(float(frame.pts or 0) / RATE / float(length) if length else 0.0)
    if conform.written == 0:
        raise DamagedSource(f"Nothing of audio track {track.index} could be decoded.")
    if task.until is not None:
        for frame in silence(conform.written, int(task.until * RATE)):
            _take(encoder, frame, writer)
            progress.at(float(frame.pts or 0) / RATE / float(length) if length else 0.0)
    _take(encoder, None, writer)
    writer.finish()
    rendition = audio_rendition(task.name, track, aac.CODECS_LC, RATE, CHANNELS, out)
    poster = _picture(task, loudness) if task.poster else None
    return Encoded((rendition,), poster, warnings=heard.damage.warnings)


def _picture(task: EncodeAudio, loudness: Loudness) -> str:
    """Write the poster of a source without pictures: its cover, else what it sounds like."""
    out_dir, cover = Path(task.out_dir), task.info.cover
    found = write_cover(task.source, cover, out_dir, task.limits) if cover is not None else None
    return found or write_waveform(out_dir, loudness)


def frames_per_segment(rate: int, seconds: float) -> int:
    """Return how many AAC frames make a segment of about ``seconds``."""
    return max(1, -int(-seconds * rate // aac.FRAME_SAMPLES))


def audio_header(config: bytes, rate: int, channels: int, bit_rate: int, language: str | None) -> cmaf.Header:
    """Return the CMAF header of an AAC rendition."""
    entry = boxes.audio_sample_entry(b"mp4a", channels, rate, aac.elementary_stream_descriptor(config, bit_rate))
    return cmaf.Header(entry, rate, language=language)


def audio_rendition(
    name: str, track: AudioTrack, codecs: str, rate: int, channels: int, out: TrackWriter, *, copied: bool = False
) -> Rendition:
    """Return the facts of an audio rendition."""
    return Rendition(
        name=name,
        kind=Kind.AUDIO,
        codecs=codecs,
        timescale=rate,
        segments=tuple(out.segments),
        sample_rate=rate,
        channels=channels,
        language=track.language,
        label=track.title,
        default=track.default,
        copied=copied,
        purpose=track.purpose,
        protection=out.shield.facts if out.shield else None,
    )


@dataclass(slots=True)
class Heard:
    """Decodes a track; gives its frames times on the presentation's clock; counts what was damaged."""

    container: InputContainer
    stream: AudioStream
    origin: Fraction
    until: Fraction
    step: Fraction
    seams: Sequence[Seam] = ()
    damage: Damage = field(init=False)

    def __post_init__(self) -> None:
        self.damage = Damage(self.origin)

    def frames(self) -> Iterator[AudioFrame]:
        """Yield frames whose ``pts`` counts their own samples from the presentation's start; earlier ones are left
        out.
        """
        for time, frame in steadied(self._decode(), self.origin, self.step):
            at = time - self.origin
            if at > self.until:
                return
            if at + Fraction(frame.samples, frame.sample_rate) > 0:
                frame.pts, frame.time_base = round(at * frame.sample_rate), Fraction(1, frame.sample_rate)
                yield frame

    def _decode(self) -> Iterator[tuple[Fraction | None, AudioFrame]]:
        for packet in packets(self.container, self.stream, seams=self.seams):
            for frame in decode(packet, AudioFrame, self.damage):
                yield None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base, frame


class Conform:
    """Turns decoded sound into frames of 1024 stereo samples at 48 kHz that follow each other from 0 without a gap."""

    def __init__(self) -> None:
        self.written = 0
        self._graph: Graph | None = None
        self._entry: FilterContext | None = None
        self._shape: tuple[int, str, str] | None = None

    def run(self, frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
        """Yield conformed frames. The sources' ``pts`` are in ``time_base``, 0 being the presentation's start."""
        for frame in frames:
            shape = (frame.sample_rate, frame.format.name, frame.layout.name)
            if shape != self._shape:
                yield from self._drain()
                self._build(frame)
                self._shape = shape
            assert self._entry is not None
            self._entry.push(frame)
            yield from self._pull()
        yield from self._drain()

    def _build(self, frame: AudioFrame) -> None:
        self._graph = Graph()
        self._graph.threads = 1
        self._entry = self._graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name, time_base=frame.time_base
        )
        channels = frame.layout.nb_channels
        stretch = f"async={MOST_STRETCH}:min_hard_comp={JUMP_SECONDS}:first_pts={self.written}"
        nodes = [
            self._entry,
            *([self._graph.add("pan", "stereo|c0=c0|c1=c0")] if channels == 1 else []),
            self._graph.add("aresample", f"{RATE}:{stretch}:out_sample_fmt=fltp:out_chlayout=stereo"),
            *([self._graph.add("alimiter", LIMITER)] if channels > CHANNELS else []),
            self._graph.add("aformat", f"sample_fmts=fltp:sample_rates={RATE}:channel_layouts=stereo"),
            self._graph.add("abuffersink"),
        ]
        self._graph.link_nodes(*nodes)
        self._graph.configure()
        self._graph.set_audio_frame_size(aac.FRAME_SAMPLES)

    def _pull(self) -> Iterator[AudioFrame]:
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, AudioFrame)
            frame.pts, frame.time_base = self.written, Fraction(1, RATE)
            self.written += frame.samples
            yield frame

    def _drain(self) -> Iterator[AudioFrame]:
        if self._graph is not None and self._entry is not None:
            self._entry.push(None)
            yield from self._pull()
            self._graph = None


def silence(start: int, end: int) -> Iterator[AudioFrame]:
    """Yield frames of silence for the samples from ``start`` up to ``end``."""
    while start < end:
        frame = AudioFrame("fltp", "stereo", min(aac.FRAME_SAMPLES, end - start))
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        start += frame.samples
        yield frame


def _take(encoder: AudioCodecContext, frame: AudioFrame | None, writer: AudioWriter) -> None:
    """Encode a frame. The packet before 0 only primes the encoder: players would need an edit list to skip it."""
    for packet in encoder.encode(frame):
        if packet.pts is None or packet.pts >= 0:
            writer.add(bytes(packet))


def _open(bit_rate: int) -> AudioCodecContext:
    context = av.CodecContext.create("aac", "w")
    context.sample_rate, context.layout, context.format = RATE, "stereo", "fltp"
    context.bit_rate = bit_rate
    context.time_base = Fraction(1, RATE)
    context.flags |= Flags.global_header
    context.open()
    return context
