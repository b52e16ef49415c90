"""What a source is made of, how it is cut and encoded, and the facts of the renditions that come out.

Times of a source are exact seconds (``Fraction``) on the source's own clock. Times of a rendition are whole ticks of
its ``timescale`` on the presentation's clock, which starts at 0 with the earliest track. ``streamhost.media.wire``
turns each of these types into JSON and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from streamhost.model.protection import RenditionProtection
from streamhost.model.stills import Storyboard

MASTER_PLAYLIST = "master.m3u8"
"""Name of the HLS multivariant playlist (RFC 8216, 4.3.4) at the top of a video's stream."""
MANIFEST = "manifest.mpd"
"""Name of the DASH manifest (ISO/IEC 23009-1) at the top of a video's stream."""
MEDIA_PLAYLIST = "index.m3u8"
"""Name of a rendition's HLS media playlist, inside the rendition's folder."""
IFRAME_PLAYLIST = "iframes.m3u8"
"""Name of a video rendition's playlist of keyframes alone (RFC 8216, 4.3.3.6), inside the rendition's folder."""
INIT_SEGMENT = "init.mp4"
"""Name of a rendition's CMAF header, inside the rendition's folder."""
POSTER = "poster.jpg"
"""Name of the poster picture at the top of a video's stream."""
CAPTIONS_FOLDER = "captions"
"""Folder of the caption tracks at the top of a video's stream; each has a folder of its own in it."""
CAPTIONS_FILE = "captions.vtt"
"""Name of a caption track's WebVTT file, inside the track's folder."""


def segment_name(start: int) -> str:
    """File name of the media segment that starts at ``start`` ticks; the same in HLS and DASH."""
    return f"{start}.m4s"


class Kind(StrEnum):
    """What a track or rendition carries."""

    VIDEO = "video"
    AUDIO = "audio"


class Transfer(StrEnum):
    """How a picture's numbers stand for light."""

    SDR = "sdr"
    PQ = "pq"
    HLG = "hlg"


class FrameRateKind(StrEnum):
    """Whether pictures come at equal intervals."""

    CONSTANT = "constant"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """One video track of a source, as stored; ``width`` and ``height`` are before rotation and pixel aspect.

    ``frame_rate`` is the best guess of the nominal rate; ``frame_rate_kind`` is what the container and the first
    pictures tell, where encoding goes by the times of all (``media.timing.constant_rate``). ``start`` is when its first
    picture is shown, in seconds of the source's clock. ``rotation`` is the clockwise turn in degrees that shows it
    upright: 0, 90, 180 or 270.
    ``peak`` is the brightest light of a high dynamic range, in cd/m2, if the source says it.
    """

    index: int
    codec: str
    profile: str | None
    level: int | None
    width: int
    height: int
    pixel_format: str
    bit_depth: int
    pixel_aspect: Fraction
    rotation: int
    flipped: bool
    frame_rate: Fraction
    time_base: Fraction
    start: Fraction
    bit_rate: int | None
    interlaced: bool
    full_range: bool
    transfer: Transfer
    color_matrix: str
    picture_reorder: int
    peak: float | None = None
    frame_rate_kind: FrameRateKind | None = None

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height in square pixels as a viewer sees it, upright."""
        width, height = max(1, round(self.width * self.pixel_aspect)), self.height
        return (height, width) if self.rotation in (90, 270) else (width, height)


class Purpose(StrEnum):
    """What an audio track is for: the film itself, people who talk about it, or its pictures in words."""

    MAIN = "main"
    COMMENTARY = "commentary"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """One audio track of a source. ``start`` is when its first real sample (after encoder priming) is heard, in
    seconds. ``language`` follows RFC 5646.
    """

    index: int
    codec: str
    profile: str | None
    sample_rate: int
    channels: int
    language: str | None
    title: str | None
    default: bool
    time_base: Fraction
    start: Fraction
    bit_rate: int | None
    purpose: Purpose = Purpose.MAIN


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """One subtitle track of a source. ``language`` follows RFC 5646.

    ``text``: it is made of words that can become WebVTT; else it is made of pictures, or coded in a way not known here.
    ``forced``: meant to be shown always, for what is said in a foreign language.
    """

    index: int
    codec: str
    language: str | None
    title: str | None
    text: bool
    default: bool = False
    forced: bool = False
    hearing_impaired: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a source with a name: ``start`` and ``end`` in seconds of the presentation."""

    start: Fraction
    end: Fraction
    title: str


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What probing found out. ``duration`` is in seconds; ``origin`` is the source time that becomes 0.

    ``cover`` is the index of an attached picture, which is no video track.
    """

    container: str
    size: int
    duration: Fraction
    origin: Fraction
    video: VideoTrack | None
    audio: tuple[AudioTrack, ...]
    title: str | None = None
    warnings: tuple[str, ...] = ()
    subtitles: tuple[SubtitleTrack, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    cover: int | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """One video rendition to encode: even size, capped constant quality.

    ``max_rate`` and ``buffer`` are the VBV's rate and size in bit/s and bits (H.264, Annex C).
    """

    name: str
    width: int
    height: int
    crf: float
    max_rate: int
    buffer: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of segments encoded by one job: segments ``first`` up to, not including, ``last``.

    ``seek`` is the source time in seconds of the keyframe from which decoding starts.
    """

    first: int
    last: int
    seek: Fraction


class Seam(NamedTuple):
    """Where a source's clock jumps: from its ``packet``-th packet on (from 0, as the file has them) the times of the
    track with the index ``track`` are to be taken ``shift`` seconds later.
    """

    track: int
    packet: int
    shift: Fraction


@dataclass(frozen=True, slots=True)
class Plan:
    """How a source's pictures are cut and encoded. Made once, then every chunk follows it.

    ``boundaries`` are the segment starts and, last, the end, in ticks of ``timescale`` on the presentation's clock.
    ``frame_duration`` is the ticks of a picture when the rate is constant: then picture n is shown at ``phase`` + n
    times it (the first at 0 in any case). ``None``: pictures keep their own times.
    Of a faster source every ``thin``-th picture is kept. ``encoder`` is FFmpeg's name of it, the same for all chunks.
    ``seams`` are where the source's clock jumps; ``warnings`` say what the reading found missing.
    """

    timescale: int
    frame_duration: int | None
    phase: int
    frame_rate: Fraction
    origin: Fraction
    boundaries: tuple[int, ...]
    chunks: tuple[Chunk, ...]
    rungs: tuple[Rung, ...]
    preset: str = "veryfast"
    threads: int = 1
    thin: int = 1
    encoder: str = "libx264"
    max_frame_rate: int = 60
    seams: tuple[Seam, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Length of the presentation in seconds."""
        return Fraction(self.boundaries[-1] - self.boundaries[0], self.timescale)


class Segment(NamedTuple):
    """One media segment: ``start`` (its tfdt) and ``duration`` in ticks, ``size`` of the file in bytes.

    ``key_size``: bytes from the file's start to the end of its first picture, a keyframe; 0 where that is not known.
    """

    start: int
    duration: int
    size: int
    key_size: int = 0


@dataclass(frozen=True, slots=True)
class Rendition:
    """One encoded version of a track, complete or the part that one chunk made.

    ``codecs`` follows RFC 6381, ``language`` RFC 5646. Folder, name and DASH Representation id are ``name``.
    ``protection`` is ``None`` for a clear one.
    """

    name: str
    kind: Kind
    codecs: str
    timescale: int
    segments: tuple[Segment, ...]
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    sample_rate: int = 0
    channels: int = 0
    language: str | None = None
    label: str | None = None
    default: bool = False
    copied: bool = False
    protection: RenditionProtection | None = None
    purpose: Purpose = Purpose.MAIN

    @property
    def start(self) -> Fraction:
        """When it begins, in seconds."""
        return Fraction(self.segments[0].start, self.timescale)

    @property
    def end(self) -> Fraction:
        """When it ends, in seconds."""
        return Fraction(self.segments[-1].start + self.segments[-1].duration, self.timescale)

    @property
    def duration(self) -> Fraction:
        """Length in seconds."""
        return self.end - self.start

    @property
    def bandwidth(self) -> int:
        """Average rate over the whole, in bit/s."""
        return round(sum(s.size for s in self.segments) * 8 / self.duration)

    @property
    def target_duration(self) -> int:
        """Length of the longest segment in whole seconds (RFC 8216, 4.3.3.1)."""
        return max(1, max(round(Fraction(s.duration, self.timescale)) for s in self.segments))

    @property
    def key_bandwidth(self) -> int:
        """Highest rate, in bit/s, of the keyframes alone; 0 unless every segment's is known."""
        if not all(s.key_size for s in self.segments):
            return 0
        return max(-(-s.key_size * 8 * self.timescale // s.duration) for s in self.segments)

    @property
    def peak_bandwidth(self) -> int:
        """Highest rate, in bit/s, of consecutive segments that last 0.5 to 1.5 target durations (RFC 8216, 4.1)."""
        target = self.target_duration * self.timescale
        peak = self.bandwidth
        for first in range(len(self.segments)):
            size = duration = 0
            for segment in self.segments[first:]:
                size, duration = size + segment.size, duration + segment.duration
                if 2 * duration > 3 * target:
                    break
                if 2 * duration >= target:
                    peak = max(peak, -(-size * 8 * self.timescale // duration))
        return peak


@dataclass(frozen=True, slots=True)
class TextTrack:
    """One caption track beside the renditions: a WebVTT file in the folder ``name``.

    ``language`` follows RFC 5646; ``default``: shown unless the viewer chooses otherwise.
    """

    name: str
    language: str
    label: str
    default: bool = False
    forced: bool = False
    hearing_impaired: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """That a presentation is, or was, shown while it was made: its playlists are only ever added to.

    ``duration`` is its length in seconds once it is whole, ``target`` that of its longest segment of pictures, in whole
    seconds. ``since`` is when its making began and ``now`` when this was written, in seconds since 1970. ``over``: it
    is whole.
    """

    duration: Fraction
    target: int
    since: float
    now: float
    over: bool


@dataclass(frozen=True, slots=True)
class Presentation:
    """Everything the manifests say about a video: renditions whose segments all exist, and what goes with them."""

    renditions: tuple[Rendition, ...]
    storyboard: Storyboard | None = None
    captions: tuple[TextTrack, ...] = ()
    growth: Growth | None = None

    @property
    def video(self) -> tuple[Rendition, ...]:
        """Video renditions, best first."""
        found = [r for r in self.renditions if r.kind is Kind.VIDEO]
        return tuple(sorted(found, key=lambda r: (r.width * r.height, r.bandwidth), reverse=True))

    @property
    def audio(self) -> tuple[Rendition, ...]:
        """Audio renditions, the default one first."""
        return tuple(sorted((r for r in self.renditions if r.kind is Kind.AUDIO), key=lambda r: not r.default))

    @property
    def duration(self) -> Fraction:
        """Length in seconds: the end of the longest rendition, or what that will be."""
        if self.growing:
            return self.growing.duration
        return max((r.end for r in self.renditions), default=Fraction(0))

    @property
    def growing(self) -> Growth | None:
        """How it still grows; ``None`` where nothing is missing."""
        return self.growth if self.growth and not self.growth.over else None
