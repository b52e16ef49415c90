"""What a file carries besides picture and sound: subtitles, chapters, a cover; and what its tracks are called."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame

from streamhost.model import languages
from streamhost.model.streaming import Chapter, Purpose, SubtitleTrack

TEXT_CODECS = frozenset(
    {"subrip", "srt", "ass", "ssa", "webvtt", "text", "mov_text", "microdvd", "sami", "subviewer", "subviewer1",
     "realtext", "jacosub", "mpl2", "vplayer", "pjs", "stl"}
)  # fmt: skip
"""Subtitles made of words, which FFmpeg decodes. Closed captions and teletext are streams of screen commands."""
PICTURE_CODECS = {
    "hdmv_pgs_subtitle": "Blu-ray (PGS)",
    "pgssub": "Blu-ray (PGS)",
    "dvd_subtitle": "DVD (VobSub)",
    "dvdsub": "DVD (VobSub)",
    "dvb_subtitle": "DVB",
    "dvbsub": "DVB",
    "xsub": "DivX (XSUB)",
}
"""Subtitles made of pictures, by their codec's name."""
MAX_SUBTITLES = 32
MAX_CHAPTERS = 500
TITLE_LENGTH = 200
"""Characters of a track's or chapter's name that are kept."""


def language_of(stream: Stream) -> str | None:
    """Return the language that a track says it is in, as RFC 5646 writes it."""
    return languages.tag(stream.metadata.get("language"))


def title_of(stream: Stream) -> str | None:
    """Return the name that a track was given, tidied; ``None`` for the names that writers of files put there."""
    said = stream.metadata.get("title") or stream.metadata.get("handler_name") or ""
    title = tidy(said)
    return None if not title or title in _MEANINGLESS or title.startswith(_WRITERS) else title


_MEANINGLESS = frozenset({"SoundHandler", "SubtitleHandler", "Stereo", "Mono", "Surround", "Core Media Audio"})
_WRITERS = ("ISO Media file", "GPAC ISO", "Apple ", "Mainconcept", "#Mainconcept", "\x1fMainconcept", "VideoHandle")


def purpose_of(stream: Stream) -> Purpose:
    """Return what an audio track is for."""
    if stream.disposition & (Disposition.visual_impaired | Disposition.descriptions):
        return Purpose.DESCRIPTION
    return Purpose.COMMENTARY if stream.disposition & Disposition.comment else Purpose.MAIN


def subtitles(container: InputContainer) -> tuple[SubtitleTrack, ...]:
    """Return the subtitle tracks."""
    return tuple(_subtitle(stream) for stream in list(container.streams.subtitles)[:MAX_SUBTITLES])


def _subtitle(stream: Stream) -> SubtitleTrack:
    # A track in a coding that FFmpeg does not know has no context.
    codec = stream.codec_context.name if stream.codec_context is not None else "unknown"
    return SubtitleTrack(
        index=stream.index,
        codec=codec,
        language=language_of(stream),
        title=title_of(stream),
        text=codec in TEXT_CODECS,
        default=bool(stream.disposition & Disposition.default),
        forced=bool(stream.disposition & Disposition.forced),
        hearing_impaired=bool(stream.disposition & (Disposition.hearing_impaired | Disposition.captions)),
    )


def chapters(container: InputContainer, origin: Fraction, duration: Fraction) -> tuple[Chapter, ...]:
    """Return the chapters, in order and within the presentation; chapters without a name get their number."""
    found = []
    for number, given in enumerate(container.chapters()[:MAX_CHAPTERS], 1):
        base = given["time_base"] or Fraction(1)
        start = max(Fraction(0), given["start"] * base - origin)
        end = min(duration, given["end"] * base - origin)
        if start < duration:
            title = tidy(given["metadata"].get("title", ""))
            found.append(Chapter(start, max(start, end), title or f"Chapter {number}"))
    return tuple(sorted(found, key=lambda chapter: chapter.start))


def cover(container: InputContainer) -> int | None:
    """Return the index of the first attached picture that can be decoded."""
    pictures = (s for s in container.streams.video if s.disposition & Disposition.attached_pic)
    return next((stream.index for stream in pictures if stream.codec_context is not None), None)


def notes(tracks: Iterable[SubtitleTrack], pictures: Iterable[VideoFrame]) -> list[str]:
    """Return, in sentences for the owner, which of a file's words cannot become captions."""
    sentences = [_cannot(track) for track in tracks if not track.text]
    if any(Type.A53_CC in frame.side_data for frame in pictures):
        sentences.append(
            "The pictures carry closed captions (CEA-608 or CEA-708), which are not extracted: upload them as a file."
        )
    return sentences


def _cannot(track: SubtitleTrack) -> str:
    which = f"The {languages.name(track.language)} subtitles" if track.language else f"Subtitle track {track.index}"
    kind = PICTURE_CODECS.get(track.codec)
    are = "are" if track.language else "is"
    if kind:
        return f"{which} {are} made of pictures ({kind}) and cannot become captions: upload them as text."
    return f"{which} {are} in a coding that cannot be read ({track.codec}): upload captions as a file."


def tidy(text: str) -> str:
    """Return a name on one line, without control signs, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:TITLE_LENGTH]
