"""Takes the text subtitles out of a file: each track becomes a WebVTT file on the presentation's clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from streamhost.media import captions, cuetext
from streamhost.media.captions import Cue
from streamhost.media.cuetext import CueText
from streamhost.media.opening import check_memory, opened
from streamhost.media.progress import Progress, Report
from streamhost.media.reading import only, packets
from streamhost.media.scanning import Track
from streamhost.media.seams import JUMPING_FORMATS, Shift, find_seams, shifts
from streamhost.media.tasks import Extracted, ExtractedTrack, ExtractText
from streamhost.model.streaming import SubtitleTrack

AS_THEY_STAND = {"srt": cuetext.from_srt, "subrip": cuetext.from_srt, "text": cuetext.from_srt}
"""Codecs whose packets are the text itself."""
ASS = frozenset({"ass", "ssa"})
ASS_FIELDS = 8
"""Fields before the text of an event as containers keep it (Matroska's codec mappings, S_TEXT/ASS)."""
LARGEST_PACKET = 64 * 1024
"""Bytes; a caption that is longer is none."""
UNTIL_NEXT = 5_000
"""Milliseconds that a caption without an end stays at most."""
MOST_READ = 32 * 1024**2
"""Bytes that are read of one track: animated ASS is large, though little of it is words."""
TIMING = 64
"""Bytes that a cue's times and settings take at most."""
MOST_WRITTEN = captions.MAX_BYTES - len(captions.HEADER)


def extract_text(task: ExtractText, report: Report) -> Extracted:
    """Write one WebVTT file for each text track that holds a caption. See ``tasks.ExtractText``."""
    info = task.info
    takers = {track.index: _Taker(track, info.origin) for track in info.subtitles if track.text}
    clocks = {track.index: Track.of(track) for track in info.audio}
    if info.video is not None:
        clocks = {info.video.index: Track.of(info.video), **clocks}
    progress = Progress(report, "captions")
    with opened(task.source, task.limits) as container:
        streams = only(container, Stream, *takers, *clocks)
        for place, packet in enumerate(packets(container, *streams)):
            taker = takers.get(packet.stream_index)
            if taker is not None and packet.size:
                taker.take(packet, place)
            elif packet.size:
                clocks[packet.stream_index].add(packet, place)
            if all(one.full for one in takers.values()):
                break
            if packet.pos and info.size:
                progress.at(packet.pos / info.size)
    passages = [track.passage for track in clocks.values() if track.times]
    later = shifts(passages, find_seams(passages, jumping=info.container in JUMPING_FORMATS))
    written = [_write(taker, later, Path(task.out_dir)) for taker in takers.values()]
    warnings = [sentence for taker in takers.values() for sentence in taker.warnings]
    return Extracted(tuple(track for track in written if track is not None), tuple(warnings))


def _write(taker: _Taker, later: Sequence[Shift], out_dir: Path) -> ExtractedTrack | None:
    cues = taker.ordered(later)
    if not cues:
        return None
    data = captions.write(cues).encode()
    name = f"{taker.track.index}.vtt"
    (out_dir / name).write_bytes(data)
    return ExtractedTrack(taker.track.index, name, len(cues), len(data))


@dataclass(slots=True)
class _Taker:
    """Collects the captions of one track, within limits."""

    track: SubtitleTrack
    origin: Fraction
    cues: list[Cue] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Numbers of the cues' packets among those of all tracks."""
    read: int = 0
    written: int = 0
    lost: int = 0
    full: bool = False

    def take(self, packet: Packet[Stream], place: int) -> None:
        """Read a packet, the ``place``-th of all tracks; its times are still the file's."""
        if self.full or packet.pts is None or not packet.time_base:
            return
        self.read += packet.size
        if packet.size > LARGEST_PACKET:
            self.lost += 1
            return
        clean = self._text(packet)
        start = round((packet.pts * Fraction(packet.time_base) - self.origin) * 1000)
        end = start + round((packet.duration or 0) * Fraction(packet.time_base) * 1000)
        if not clean.text:
            return
        if len(clean.text) > captions.MAX_CUE_LENGTH:
            self.lost += 1
            return
        self.written += len(clean.text.encode()) + TIMING
        self.full = self.read > MOST_READ or self.written > MOST_WRITTEN or len(self.cues) == captions.MAX_CUES
        if not self.full:
            self.cues.append(Cue(start, end, clean.text, clean.settings))
            self.places.append(place)

    def _text(self, packet: Packet[Stream]) -> CueText:
        codec = self.track.codec
        if codec == "webvtt" or codec in AS_THEY_STAND or codec in ASS:
            text = captions.decoded(bytes(packet), self.track.language or "").replace("\r\n", "\n").strip("\n\0")
            if codec in ASS:
                return cuetext.from_ass(text.split(",", ASS_FIELDS)[-1])
            return AS_THEY_STAND.get(codec, cuetext.from_webvtt)(text)
        return cuetext.from_ass("\\N".join(self._decoded(packet)))

    def _decoded(self, packet: Packet[Stream]) -> list[str]:
        """Have FFmpeg decode what is not plain text; it answers with events of ASS."""
        assert isinstance(packet.stream, SubtitleStream)
        try:
            found = packet.stream.decode(packet)
        except av.error.FFmpegError as error:
            check_memory(error)
            self.lost += 1
            return []
        events = [one.ass.decode("utf-8", "replace") for one in found if isinstance(one, AssSubtitle)]
        return [event.split(",", ASS_FIELDS)[-1] for event in events]

    def ordered(self, later: Sequence[Shift]) -> tuple[Cue, ...]:
        """Return the captions by time, ``later`` as the file's clock jumps; one without an end stays until the next."""
        cues = sorted(self._shown(later), key=lambda cue: cue.start)
        ended = []
        for cue, following in zip(cues, [*cues[1:], None], strict=False):
            latest = cue.start + UNTIL_NEXT
            until = latest if following is None else min(latest, following.start)
            ended.append(cue if cue.end > cue.start else Cue(cue.start, until, cue.text, cue.settings))
        return captions.ordered(ended)

    def _shown(self, later: Sequence[Shift]) -> Iterator[Cue]:
        """Yield the captions on the mended clock; those before its beginning or after any end are left out."""
        for cue, place in zip(self.cues, self.places, strict=True):
            by = round(next((shift.by for shift in reversed(later) if shift.place <= place), Fraction(0)) * 1000)
            start, end = cue.start + by, cue.end + by
            if start > captions.LATEST:
                self.lost += 1
            elif end > 0 or end == start:
                yield Cue(max(0, start), min(end, captions.LATEST), cue.text, cue.settings)

    @property
    def warnings(self) -> list[str]:
        """Return what to tell the owner."""
        which = f"Subtitle track {self.track.index}"
        sentences = [f"{which} holds more than captions need; its end was left out."] if self.full else []
        if self.lost:
            sentences.append(f"{which}: {self.lost} captions could not be read and were left out.")
        return sentences
