"""Copies AAC as it is: the packets of one track become CMAF samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from av.packet import Packet
from av.stream import Stream

from streamhost.media import aac
from streamhost.media.compat import NotCopyable
from streamhost.media.protect import shield
from streamhost.media.sound import audio_header, audio_rendition, frames_per_segment
from streamhost.media.timing import Clock
from streamhost.media.writer import AudioWriter, Put, TrackWriter
from streamhost.model.protection import Protecting
from streamhost.model.streaming import AudioTrack, Kind, MediaInfo, Rendition

LATEST_AUDIO_START = Fraction(1, 10)
"""Seconds of missing sound at the start that players bear; more is filled with silence by encoding."""
LARGEST_AUDIO_SLIP = Fraction(5, 1000)
"""Seconds by which copied sound may be off its time stamps; more, and it is encoded, which fills and stretches."""
SLACK = 5
"""A first frame may start this part of the slip before 0 and count as at 0: times rounded to milliseconds do."""


@dataclass(slots=True)
class AudioCopy:
    """Copies an AAC track; priming and what an edit hides is left out."""

    track: AudioTrack
    name: str
    info: MediaInfo
    out_dir: Path
    segment: float
    protecting: Protecting | None
    put: Put
    obstacle: str | None = field(default=None, init=False)
    _writer: AudioWriter | None = field(default=None, init=False)
    _config: bytes | None = field(default=None, init=False)
    _bytes: int = field(default=0, init=False)
    _in_adts: bool | None = field(default=None, init=False)
    _clock: Clock = field(init=False)
    _slip: int = field(init=False)

    def __post_init__(self) -> None:
        rate = self.track.sample_rate
        self._clock = Clock.between(self.track.time_base, self.info.origin, rate)
        self._slip = int(LARGEST_AUDIO_SLIP * rate)

    def begin(self, stream: Stream) -> None:
        """Read the decoder's configuration, if the container has it."""
        self._config = stream.codec_context.extradata or None

    def add(self, packet: Packet[Stream]) -> None:
        """Take a packet. Raises ``NotCopyable``."""
        if packet.pts is None:
            raise NotCopyable("Some of the sound carries no time.")
        data = bytes(packet)
        if self._in_adts is None:
            self._in_adts = self._config is None and aac.is_adts(data)
            if self._in_adts:
                self._config = aac.adts_config(data)
        time = self._clock(packet.pts)
        if self._writer is None:
            if packet.is_discard or time < -self._slip // SLACK:
                return
            self._begin_at(max(0, time))
        assert self._writer is not None, "begun above"
        if abs(time - self._writer.taken) > self._slip:
            raise NotCopyable("The sound has gaps or overlaps.")
        self._bytes += len(data)
        self._writer.add(aac.strip_adts(data) if self._in_adts else data)

    def end(self) -> None:
        """Write the last segment and the header."""
        if self.obstacle is not None:
            return
        if self._writer is None or self._config is None:
            self.give_up("The track holds no sound.")
            return
        self._writer.finish()
        rate = self.track.sample_rate
        bit_rate = self._bytes * 8 * rate // max(1, self._writer.next)
        header = audio_header(self._config, rate, self.track.channels, bit_rate, self.track.language)
        self._writer.track.write_header(header)

    def give_up(self, why: str) -> None:
        """Remember the reason. What was written is not looked at any more."""
        self.obstacle = why

    def rendition(self) -> Rendition:
        """Return the facts."""
        assert self._writer is not None, "asked only after a copy that worked"
        rate, channels = self.track.sample_rate, self.track.channels
        return audio_rendition(self.name, self.track, aac.CODECS_LC, rate, channels, self._writer.track, copied=True)

    def _begin_at(self, start: int) -> None:
        config = aac.parse_config(self._config or b"")
        if config is None or config.object_type != aac.OBJECT_LC or config.frame_samples != aac.FRAME_SAMPLES:
            raise NotCopyable("The sound is an unusual kind of AAC.")
        if config.sample_rate != self.track.sample_rate or config.channels != self.track.channels:
            raise NotCopyable("The sound's header does not say what the sound is.")
        if Fraction(start, self.track.sample_rate) > LATEST_AUDIO_START:
            raise NotCopyable("The sound starts late.")
        per_segment = frames_per_segment(self.track.sample_rate, self.segment)
        guard = shield(self.protecting, self.name, Kind.AUDIO, self.track.sample_rate)
        out = TrackWriter(self.out_dir / self.name, shield=guard, put=self.put)
        self._writer = AudioWriter(out, aac.FRAME_SAMPLES, per_segment, start)
