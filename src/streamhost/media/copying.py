"""Repackages a file: packets of its H.264 and AAC become CMAF samples as they are, in one reading pass."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.packet import Packet
from av.stream import Stream

from streamhost.media import h264, losses
from streamhost.media.compat import MAX_GOP, NotCopyable, audio_obstacle, encoded_beside, source_obstacle
from streamhost.media.copied_sound import AudioCopy
from streamhost.media.encoding import video_header
from streamhost.media.errors import NotProtectable
from streamhost.media.ladder import audio_names, rung_name
from streamhost.media.opening import check_length, opened, translated
from streamhost.media.planning import follow_plan
from streamhost.media.poster import make_poster
from streamhost.media.progress import Progress, Report
from streamhost.media.protect import shield
from streamhost.media.reading import only, packets
from streamhost.media.scanning import latest, measure
from streamhost.media.tasks import Copied, CopyTracks, MakePoster
from streamhost.media.timing import Clock, Timing, source_timescale
from streamhost.media.writer import Put, TrackWriter, VideoWriter, WriteBehind
from streamhost.model.protection import Protecting
from streamhost.model.streaming import Kind, MediaInfo, Plan, Rendition, VideoTrack

CUT_FROM = 0.9
"""A keyframe this share of the segment length after the last cut is good enough to cut at."""
POSTER_FROM, POSTER_UNTIL = Fraction(15, 100), Fraction(30, 100)
"""Where in the video its first poster is taken: after titles, before the end gives anything away. At the first keyframe
between these, which is decoded alone: from the one before, half a group of pictures would be. Else at the former."""
LATEST_KEY = Fraction(1, 2)
"""Seconds of pictures before the first IDR that a copy may leave out."""
TELL_EVERY = 100
"""Packets between two thoughts of progress."""
ENDS_APART = Fraction(1)
"""Seconds between the ends of sound and picture. For more a player would wait for what does not come."""


def copy_tracks(task: CopyTracks, report: Report) -> Copied:
    """Copy the video and what sound can be copied; nothing at all if the video cannot. See ``tasks.CopyTracks``."""
    info, out_dir = task.info, Path(task.out_dir)
    obstacle = source_obstacle(info, info.video, task.encoding.max_frame_rate) if info.video else None
    if obstacle is not None:
        return _refused(info, obstacle)
    with translated(), WriteBehind() as put:
        video = VideoCopy(info, out_dir, task.encoding.segment, task.protecting, put) if info.video else None
        sounds = [
            AudioCopy(track, name, info, out_dir, task.encoding.segment, task.protecting, put)
            for track, name in zip(info.audio, audio_names(info.audio), strict=True)
            if audio_obstacle(track) is None
        ]
        copies: list[VideoCopy | AudioCopy] = [video, *sounds] if video else [*sounds]
        heard_until = _read(task, copies, Progress(report, "copy"))
    if video is not None:
        _compare_ends(video, sounds, heard_until)
    for copy in copies:
        if copy.obstacle is not None or (video and video.obstacle is not None):
            shutil.rmtree(out_dir / copy.name, ignore_errors=True)
    if video is not None and video.obstacle is not None:
        return _refused(info, video.obstacle)
    done = [copy for copy in copies if copy.obstacle is None]
    seen_until = video.rendition().end if video else Fraction(0)
    check_length(max(seen_until, heard_until), task.limits)
    copied = {copy.track.index for copy in done}
    reasons = {sound.track.index: sound.obstacle for sound in sounds}
    encode_audio = tuple(place for place, track in enumerate(info.audio) if track.index not in copied)
    return Copied(
        renditions=tuple(copy.rendition() for copy in done),
        encode_audio=encode_audio,
        obstacle=None,
        plan=video.plan(task) if video else None,
        poster=video.poster(task) if video else None,
        warnings=(
            *(losses.begins_late(video.left_out) if video else ()),
            *losses.breaks_off(info.duration, max(seen_until, heard_until)),
            *(_why_encoded(info, place, reasons) for place in encode_audio if video),
        ),
    )


def _why_encoded(info: MediaInfo, place: int, reasons: Mapping[int, str | None]) -> str:
    track = info.audio[place]
    return encoded_beside(place, info.audio, reasons.get(track.index) or audio_obstacle(track) or "")


def _refused(info: MediaInfo, obstacle: str) -> Copied:
    return Copied((), tuple(range(len(info.audio))), obstacle, None, None)


def _compare_ends(video: VideoCopy, sounds: list[AudioCopy], heard_until: Fraction) -> None:
    """Give up copies of tracks that end too far apart: encoding makes them equally long."""
    if video.obstacle is not None:
        return
    seen_until = video.rendition().end
    if heard_until - seen_until > ENDS_APART:
        video.give_up("The picture ends before the sound.")
        return
    for sound in sounds:
        if sound.obstacle is None and seen_until - sound.rendition().end > ENDS_APART:
            sound.give_up("The sound ends before the picture.")


def _read(task: CopyTracks, copies: list[VideoCopy | AudioCopy], progress: Progress) -> Fraction:
    """Read the file through and hand every packet to the copy of its track; stop when nothing is left to copy.

    Returns when the sound ends, in seconds of the presentation.
    """
    by_index = {copy.track.index: copy for copy in copies}
    size = task.info.size
    heard = {sound.index: array("q") for sound in task.info.audio}
    with opened(task.source, task.limits) as container:
        streams = only(container, Stream, *(by_index | heard))
        for stream in streams:
            if stream.index in by_index:
                by_index[stream.index].begin(stream)
        for count, packet in enumerate(packets(container, *streams)):
            index, time = packet.stream_index, packet.pts
            if time is not None and index in heard:
                heard[index].append(time)
            taker = by_index.get(index)
            if taker is None or taker.obstacle is not None or packet.size == 0:
                continue
            try:
                taker.add(packet)
            except (NotCopyable, NotProtectable) as finding:
                taker.give_up(finding.detail if isinstance(finding, NotProtectable) else str(finding))
                if isinstance(taker, VideoCopy) or all(copy.obstacle for copy in copies):
                    break
            if count % TELL_EVERY == 0 and packet.pos and size:
                progress.at(packet.pos / size)
    for copy in copies:
        copy.end()
    ends = [latest(heard[sound.index], sound.time_base) for sound in task.info.audio if heard[sound.index]]
    return max((end - task.info.origin for end in ends), default=Fraction(0))


@dataclass(slots=True)
class VideoCopy:
    """Copies the video track, cut at its own IDR pictures."""

    info: MediaInfo
    out_dir: Path
    segment: float
    protecting: Protecting | None
    put: Put
    obstacle: str | None = field(default=None, init=False)
    left_out: Fraction = field(default=Fraction(0), init=False)
    """Seconds of pictures before the first keyframe."""
    track: VideoTrack = field(init=False)
    name: str = field(init=False)
    timescale: int = field(init=False)
    _writer: VideoWriter = field(init=False)
    _sets: h264.ParameterSets | None = field(default=None, init=False)
    _length_size: int = field(default=0, init=False)
    _times: array[int] = field(default_factory=lambda: array("q"), init=False)
    _durations: array[int] = field(default_factory=lambda: array("q"), init=False)
    _keys: array[int] = field(default_factory=lambda: array("q"), init=False)
    _last_key: int = field(default=0, init=False)
    _earliest: int | None = field(default=None, init=False)
    _timing: Timing | None = field(default=None, init=False)
    _clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        assert self.info.video is not None, "made only for sources with pictures"
        self.track = self.info.video
        self.name = rung_name(self.track.width, self.track.height)
        self.timescale = source_timescale(self.track.time_base)
        self._clock = Clock.between(self.track.time_base, self.info.origin, self.timescale)

    def begin(self, stream: Stream) -> None:
        """Read the parameter sets."""
        extradata = stream.codec_context.extradata or b""
        self._length_size = h264.length_size(extradata) if h264.is_avcc(extradata) else 0
        self._sets = h264.parameter_sets(extradata)
        delay = round(self.track.picture_reorder * self.timescale / self.track.frame_rate)
        guard = shield(self.protecting, self.name, Kind.VIDEO, self.timescale)
        if guard and self._sets:
            guard.learn(self._sets)
        self._writer = VideoWriter(TrackWriter(self.out_dir / self.name, shield=guard, put=self.put), delay)

    def add(self, packet: Packet[Stream]) -> None:
        """Take a packet. Raises ``NotCopyable``."""
        if packet.is_discard:
            raise NotCopyable("An edit in the file hides some of its pictures.")
        if packet.pts is None:
            raise NotCopyable("Some pictures carry no time.")
        if packet.is_corrupt:
            raise NotCopyable("Some pictures are damaged.")
        data, idr = self._sample(packet)
        if self._earliest is None:
            self._earliest = packet.pts
        if not self._times and not idr:
            return
        if packet.is_keyframe and not idr:
            # Chromium starts at such pictures when seeking, and fails at those shown before them.
            raise NotCopyable("Groups of pictures are open: some depend on pictures before their keyframe.")
        ticks = self._clock(packet.pts)
        if idr:
            self._key(packet.pts, ticks)
        elif ticks < self._last_key:
            raise NotCopyable("Pictures before a keyframe depend on it.")
        elif ticks - self._last_key > MAX_GOP * self.timescale:
            raise NotCopyable(f"The distance between keyframes is over {MAX_GOP:g} seconds.")
        # The first picture stands from the start, whenever it came.
        self._writer.add(data, ticks if self._times else 0, sync=idr)
        self._times.append(packet.pts)
        self._durations.append(packet.duration or 0)

    def end(self) -> None:
        """Write the last segment and the header."""
        if self.obstacle is not None:
            return
        if not self._times or self._sets is None:
            self.give_up("The video holds no keyframe to start from.")
            return
        timing = self._timing = measure(self._times, self._durations, self._keys, self.track)
        if len(timing.times) < len(self._times):
            self.give_up("Several pictures claim the same time.")
            return
        if len(timing.times) > 1 and int(np.diff(timing.times).max()) * self.track.time_base > MAX_GOP:
            self.give_up(f"A picture stands for more than {MAX_GOP:g} seconds.")
            return
        if self._earliest is not None:
            self.left_out = timing.first - timing.seconds(self._earliest)
        try:
            self._writer.cut(self._clock(timing.end))
        except NotProtectable as finding:
            self.give_up(finding.detail)
            return
        header = video_header(
            self._sets, self.timescale, self._writer.delay, self.track.width, self.track.height, tagged=False
        )
        self._writer.track.write_header(header)

    def give_up(self, why: str) -> None:
        """Remember the reason. What was written is not looked at any more."""
        self.obstacle = why

    def rendition(self) -> Rendition:
        """Return the facts."""
        assert self._sets is not None, "asked only after a copy that worked"
        return Rendition(
            name=self.name,
            kind=Kind.VIDEO,
            codecs=self._sets.codecs,
            timescale=self.timescale,
            segments=tuple(self._writer.track.segments),
            width=self.track.width,
            height=self.track.height,
            frame_rate=self.track.frame_rate,
            copied=True,
            protection=self._writer.track.shield.facts if self._writer.track.shield else None,
        )

    def plan(self, task: CopyTracks) -> Plan:
        """Return the plan for the lower rungs."""
        segments = self._writer.track.segments
        boundaries = [*(s.start for s in segments), segments[-1].start + segments[-1].duration]
        assert self._timing is not None, "asked only after a copy that worked"
        return follow_plan(task.info, self._timing, boundaries, self.timescale, task.rungs, task.encoding)

    def poster(self, task: CopyTracks) -> str | None:
        """Write the poster; return its name."""
        timing, info = self._timing, self.info
        assert timing is not None, "asked only after a copy that worked"
        at, latest_at = info.duration * POSTER_FROM, info.duration * POSTER_UNTIL
        following = (timing.seconds(int(key)) - info.origin for key in timing.keys)
        at = next((key for key in following if at <= key <= latest_at), at)
        return make_poster(MakePoster(task.source, task.out_dir, info, at, task.limits)).name

    def _key(self, time: int, ticks: int) -> None:
        """Note an IDR picture and cut before it when the segment is long enough."""
        self._keys.append(time)
        self._last_key = ticks
        start = self._writer.start
        if start is None:
            if ticks - self._clock(round(self.track.start / self.track.time_base)) > LATEST_KEY * self.timescale:
                raise NotCopyable("The video does not begin with a keyframe.")
            return
        if self._writer.last >= ticks:
            raise NotCopyable("Pictures after a keyframe are shown before it.")
        if ticks - start >= self.segment * CUT_FROM * self.timescale:
            self._writer.cut(ticks)

    def _sample(self, packet: Packet[Stream]) -> tuple[bytes, bool]:
        """Return a packet as a sample with four-byte lengths, and whether it is an IDR picture."""
        data = bytes(packet)
        if self._length_size and not h264.is_whole(data, self._length_size):
            raise NotCopyable("Some pictures are damaged.")
        if self._length_size == h264.LENGTH_SIZE and not packet.is_keyframe:
            return data, False
        nals = h264.split_sized(data, self._length_size) if self._length_size else h264.split_annexb(data)
        kinds = {h264.kind_of(nal) for nal in nals}
        if kinds & {h264.NAL_SPS, h264.NAL_PPS}:
            self._check_sets(nals)
            nals = [nal for nal in nals if h264.kind_of(nal) not in (h264.NAL_SPS, h264.NAL_PPS)]
        elif self._length_size == h264.LENGTH_SIZE:
            return data, h264.NAL_IDR in kinds
        return h264.join_sized([nal for nal in nals if h264.kind_of(nal) != h264.NAL_AUD]), h264.NAL_IDR in kinds

    def _check_sets(self, nals: list[bytes]) -> None:
        """Compare parameter sets within the stream to the header's; the first ones count where the header has none."""
        if self._sets is None:
            self._sets = h264.collect(nals)
            guard = self._writer.track.shield
            if guard and self._sets:
                guard.learn(self._sets)
            return
        known = {*self._sets.sps, *self._sets.pps}
        if any(h264.kind_of(nal) in (h264.NAL_SPS, h264.NAL_PPS) and nal not in known for nal in nals):
            raise NotCopyable("The video's parameters change on the way.")
