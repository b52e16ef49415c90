"""Finds out what a file is: its header, and the first pictures and sounds, decoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from streamhost.media import extras, luminance
from streamhost.media.errors import DamagedSource, NoTracks, UnsupportedCodec, UnsupportedColours
from streamhost.media.opening import check_claimed_size, check_length, check_size, opened
from streamhost.media.progress import Progress, Report, silent
from streamhost.media.reading import Damage, decode, packets
from streamhost.media.scanning import length_of
from streamhost.media.seams import JUMPING_FORMATS
from streamhost.media.tasks import Limits
from streamhost.model.streaming import AudioTrack, FrameRateKind, MediaInfo, Transfer, VideoTrack

LOOK_AT_PICTURES = 12
"""Decoded pictures that tell interlacing, rotation and colour."""
LOOK_AT_PACKETS = 3000
"""Packets read at most before giving up on a track that shows nothing."""
MAX_AUDIO_TRACKS = 16
USUAL_RATE = Fraction(25)
"""Taken where a container says nothing believable about its frame rate."""
MAX_BELIEVABLE_RATE = 1000
STEADY = Fraction(1, 100)
"""By how much the average of a constant rate may miss its grid: clocks are rounded, and a first picture may be late."""
ONE_GAP = Fraction(3, 2)
"""By how many pictures it may, where their number is known: one may be missing."""
UNEVEN = Fraction(3, 10)
"""By how much an interval may differ from the usual one: rounding to milliseconds at 60/s is 0.06. One may be a gap."""
THINNEST = 8_000
"""Bit/s. If a file of a clock that jumps would have less, its duration is not believed."""
MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
"""Names of AVColorSpace code points (ISO/IEC 23091-2, MatrixCoefficients)."""
CLOCK = Fraction(1, av.time_base)


@dataclass(slots=True)
class _Sample:
    """The first decoded things of a track."""

    frames: list[VideoFrame] = field(default_factory=list)
    start: Fraction | None = None
    enough: int = 1


def probe(source: str, limits: Limits, report: Report = silent) -> MediaInfo:
    """Return what the file is. Raises the errors that ``tasks.Probe`` names."""
    with opened(source, limits) as container:
        subtitles, cover = extras.subtitles(container), extras.cover(container)
        video, audio = choose_tracks(container)
        if video is None and not audio:
            raise NoTracks
        for track in (video, *audio):
            if track is not None and track.codec_context is None:
                raise UnsupportedCodec("No decoder knows it.")
        if video is not None:
            check_size(video.width, video.height, limits)
        samples, warnings = _look(container, video, audio)
        video_track = None
        if video is not None:
            found = samples[video.index]
            if not found.frames:
                check_claimed_size(source, limits)
                raise DamagedSource("No picture could be decoded.")
            check_size(found.frames[0].width, found.frames[0].height, limits)
            if luminance.only_dolby_vision(found.frames[0]):
                raise UnsupportedColours("It is Dolby Vision of profile 5.")
            video_track = _video_track(video, found)
        heard = [stream for stream in audio if samples[stream.index].start is not None]
        if video is None and not heard:
            raise DamagedSource("No sound could be decoded.")
        warnings += [f"Audio track {s.index} could not be decoded." for s in audio if s not in heard]
        warnings += _left_out(container)
        tracks = tuple(_audio_track(s, samples[s.index].start or Fraction(0)) for s in heard)
        all_tracks = [track for track in (video_track, *tracks) if track is not None]
        starts = [track.start for track in all_tracks]
        duration = _duration(container, source, all_tracks, limits, Progress(report, "probe"))
        check_length(duration, limits)
        warnings += extras.notes(subtitles, samples[video.index].frames if video is not None else ())
        return MediaInfo(
            container=container.format.name.split(",")[0],
            size=container.size,
            duration=duration,
            origin=min(starts),
            video=video_track,
            audio=tracks,
            title=container.metadata.get("title"),
            warnings=tuple(warnings),
            subtitles=subtitles,
            chapters=extras.chapters(container, min(starts), duration),
            cover=cover,
        )


def choose_tracks(container: InputContainer) -> tuple[VideoStream | None, list[AudioStream]]:
    """Return the video track to show and the audio tracks to offer; every other stream is left unread."""
    video = max(_moving(container), key=_rank, default=None)
    audio = list(container.streams.audio)[:MAX_AUDIO_TRACKS]
    for stream in container.streams:
        if stream is not video and stream not in audio:
            stream.discard = Discard.all
    return video, audio


def _moving(container: InputContainer) -> list[VideoStream]:
    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def _left_out(container: InputContainer) -> Iterator[str]:
    """Say to the owner which tracks viewers do not get: one is shown, and so many are offered beside it."""
    for kind, count, most in (
        ("video", len(_moving(container)), 1),
        ("audio", len(container.streams.audio), MAX_AUDIO_TRACKS),
        ("subtitle", len(container.streams.subtitles), extras.MAX_SUBTITLES),
    ):
        if count > most:
            yield f"Of {count} {kind} tracks, {count - most} {'is' if count - most == 1 else 'are'} left out."


def _rank(stream: VideoStream) -> tuple[bool, bool, int]:
    known = stream.codec_context is not None
    return known, bool(stream.disposition & Disposition.default), stream.width * stream.height if known else 0


def _look(
    container: InputContainer, video: VideoStream | None, audio: list[AudioStream]
) -> tuple[dict[int, _Sample], list[str]]:
    """Decode the beginning of every track."""
    samples = {stream.index: _Sample() for stream in (video, *audio) if stream is not None}
    if video is not None:
        samples[video.index].enough = LOOK_AT_PICTURES
    damage = Damage()
    streams = [stream for stream in (video, *audio) if stream is not None]
    missing = dict.fromkeys(samples)
    for number, packet in enumerate(packets(container, *streams)):
        sample = samples.get(packet.stream_index)
        if sample is not None and packet.stream_index in missing:
            kind: type[VideoFrame | AudioFrame] = VideoFrame if packet.stream.type == "video" else AudioFrame
            for frame in decode(packet, kind, damage):
                time = frame.pts if frame.pts is not None else frame.dts
                if time is not None and frame.time_base:
                    at = time * Fraction(frame.time_base)
                    sample.start = at if sample.start is None else min(sample.start, at)
                if isinstance(frame, VideoFrame):
                    sample.frames.append(frame)
                sample.enough -= 1
            if sample.enough <= 0:
                missing.pop(packet.stream_index)
        if not missing or number > LOOK_AT_PACKETS:
            break
    return samples, list(damage.warnings)


def _video_track(stream: VideoStream, sample: _Sample) -> VideoTrack:
    frame = sample.frames[0]
    context = stream.codec_context
    rotation, flipped = orientation(frame)
    aspect = Fraction(stream.sample_aspect_ratio or 1)  # PyAV 19 has a type of its own for ratios
    interlaced = sum(f.interlaced_frame for f in sample.frames) * 2 > len(sample.frames)
    return VideoTrack(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        level=context.level if context.level > 0 else None,
        width=frame.width,
        height=frame.height,
        pixel_format=frame.format.name,
        bit_depth=frame.format.components[0].bits,
        pixel_aspect=aspect if aspect > 0 else Fraction(1),
        rotation=rotation,
        flipped=flipped,
        frame_rate=_rate(stream),
        time_base=Fraction(stream.time_base or Fraction(1, 90000)),
        start=sample.start or Fraction(0),
        bit_rate=context.bit_rate or None,
        interlaced=interlaced,
        full_range=frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj"),
        transfer=luminance.TRANSFERS.get(frame.color_trc, Transfer.SDR),
        color_matrix=MATRICES.get(frame.colorspace, "unknown"),
        picture_reorder=context.reorder_depth,
        peak=luminance.brightest(frame),
        frame_rate_kind=_rate_kind(stream, sample.frames, interlaced=interlaced),
    )


def orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Return the clockwise turn that shows a picture upright, and whether it is then mirrored left to right.

    From the display matrix (14496-12, 8.3.2): ``[a b u; c d v; x y w]`` maps stored to shown places.
    """
    sides: Mapping[Any, Any] = frame.side_data  # by type; what iterating gives differs between PyAV 18 and 19
    try:
        side = sides[Type.DISPLAYMATRIX]
    except KeyError:
        return 0, False
    matrix = memoryview(bytes(side)).cast("i")
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    flipped = a * d - b * c < 0
    if flipped:
        a, c = -a, -c
    turned = max(((a, 0), (b, 90), (-a, 180), (-b, 270)))[1]
    return turned, flipped


def _rate(stream: VideoStream) -> Fraction:
    for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate):
        if rate and 0 < rate <= MAX_BELIEVABLE_RATE:
            return Fraction(rate)
    return USUAL_RATE


def _rate_kind(stream: VideoStream, pictures: Sequence[VideoFrame], *, interlaced: bool) -> FrameRateKind | None:
    """Tell it from the first pictures' times, and from what the container says of all: the average rate against the
    one on whose grid they stand (FFmpeg's ``avg_frame_rate``, ``r_frame_rate``), which counts fields if there are any.
    """
    average, grid = stream.average_rate, stream.base_rate
    if average and grid:
        fields = 2 if interlaced and grid > average * 3 / 2 else 1
        slack = max(STEADY, ONE_GAP / stream.frames) if stream.frames else STEADY
        if abs(average * fields / grid - 1) > slack:
            return FrameRateKind.VARIABLE
    # In order: AVI has decode times alone, and of pictures that depend on later ones these come out of it.
    times = sorted(picture.pts for picture in pictures if picture.pts is not None)
    steps = sorted(later - time for time, later in pairwise(times))
    if not steps:
        return None
    usual = steps[len(steps) // 2]
    odd = sum(abs(step - usual) > usual * UNEVEN for step in steps)
    return FrameRateKind.CONSTANT if odd <= 1 else FrameRateKind.VARIABLE


def _audio_track(stream: AudioStream, start: Fraction) -> AudioTrack:
    context = stream.codec_context
    return AudioTrack(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        sample_rate=context.sample_rate,
        channels=context.channels,
        language=extras.language_of(stream),
        title=extras.title_of(stream),
        default=bool(stream.disposition & Disposition.default),
        time_base=Fraction(stream.time_base or Fraction(1, context.sample_rate)),
        start=start,
        bit_rate=context.bit_rate or None,
        purpose=extras.purpose_of(stream),
    )


def _duration(
    container: InputContainer,
    source: str,
    tracks: Sequence[VideoTrack | AudioTrack],
    limits: Limits,
    progress: Progress,
) -> Fraction:
    """Return the container's duration; where it has none, or none to be believed, read the file through."""
    claimed = container.duration * CLOCK if container.duration is not None else Fraction(0)
    jumping = container.format.name in JUMPING_FORMATS
    alone = not any(isinstance(track, VideoTrack) for track in tracks)
    thin = container.size * 8 < claimed * THINNEST or claimed > limits.max_duration
    if claimed > 0 and not (jumping and (thin or alone)):
        return claimed
    with opened(source, limits) as again:
        return length_of(again, tracks, jumping=jumping, progress=progress)
