"""Writes HLS playlists (RFC 8216, protocol version 7) from the facts. Pure text."""

from __future__ import annotations

from fractions import Fraction

from streamhost.media import hls_keys
from streamhost.media.naming import audio_label, distinct
from streamhost.model.streaming import (
    CAPTIONS_FILE,
    IFRAME_PLAYLIST,
    INIT_SEGMENT,
    MASTER_PLAYLIST,
    MEDIA_PLAYLIST,
    Growth,
    Kind,
    Presentation,
    Purpose,
    Rendition,
    TextTrack,
    segment_name,
)

VERSION = 7
"""Fragmented MP4 with EXT-X-MAP in any playlist needs 6, and clients know CMAF from 7 on."""
AUDIO_GROUP = "audio"
CAPTIONS_GROUP = "captions"
DESCRIBES_PICTURES = "public.accessibility.describes-video"
DESCRIBES_SOUND = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
"""Apple's media characteristics (RFC 8216, 4.3.4.1): pictures told in words; speech and sounds written down."""


def playlists(presentation: Presentation) -> dict[str, str]:
    """Return every playlist of a presentation by its path from the top of the stream."""
    made = {MASTER_PLAYLIST: master(presentation)}
    for rendition in presentation.renditions:
        made[f"{rendition.name}/{MEDIA_PLAYLIST}"] = media(rendition, presentation.growth)
    for rendition in with_iframes(presentation):
        made[f"{rendition.name}/{IFRAME_PLAYLIST}"] = iframes(rendition, presentation.growth)
    for track in presentation.captions:
        made[f"{track.name}/{MEDIA_PLAYLIST}"] = captions(presentation)
    return made


def with_iframes(presentation: Presentation) -> tuple[Rendition, ...]:
    """Return the renditions that have a playlist of their keyframes, for winding."""
    return tuple(rendition for rendition in presentation.video if rendition.key_bandwidth)


def master(presentation: Presentation) -> str:
    """Return the multivariant playlist: every video rendition with the audio group, or the audio renditions alone."""
    video, audio = presentation.video, presentation.audio
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += hls_keys.session_keys(presentation)
    # One sound without pictures is a variant by itself; a choice of several needs a group.
    group = audio if video or len(audio) > 1 else ()
    lines += [_audio(rendition, name) for rendition, name in zip(group, _names(group), strict=True)]
    names = distinct(track.label for track in presentation.captions)
    lines += [_captions(track, name) for track, name in zip(presentation.captions, names, strict=True)]
    for rendition in video or audio[:1]:
        variant = _variant(rendition, group, captioned=bool(names))
        lines += [variant, f"{rendition.name}/{MEDIA_PLAYLIST}"]
    lines += [_iframe_variant(rendition) for rendition in with_iframes(presentation)]
    return "\n".join(lines) + "\n"


def media(rendition: Rendition, growth: Growth | None = None) -> str:
    """Return a rendition's media playlist."""
    lines = _head(rendition, growth)
    for number, segment in enumerate(rendition.segments):
        lines += hls_keys.before_segment(rendition, number)
        lines += [f"#EXTINF:{segment.duration / rendition.timescale:.6f},", segment_name(segment.start)]
    return _text(lines, growth)


def iframes(rendition: Rendition, growth: Growth | None = None) -> str:
    """Return the playlist of a rendition's keyframes: of each segment the bytes up to the end of its first picture."""
    lines = _head(rendition, growth, "#EXT-X-I-FRAMES-ONLY")
    for number, segment in enumerate(rendition.segments):
        lines += [
            *hls_keys.before_segment(rendition, number),
            f"#EXTINF:{segment.duration / rendition.timescale:.6f},",
            f"#EXT-X-BYTERANGE:{segment.key_size}@0",
            segment_name(segment.start),
        ]
    return _text(lines, growth)


def captions(presentation: Presentation) -> str:
    """Return the playlist of a caption track: one WebVTT file for the whole presentation."""
    seconds = presentation.duration
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{max(1, round(seconds))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXTINF:{float(seconds):.6f},",
        CAPTIONS_FILE,
        "#EXT-X-ENDLIST",
    ]
    return "\n".join(lines) + "\n"


def _head(rendition: Rendition, growth: Growth | None, *more: str) -> list[str]:
    """Return what stands before the segments. Of a list that grows nothing in it may change (6.2.1), so the longest
    segment's length is said beforehand; and players, which begin such a list at its end, are told to begin at 0, or as
    good as that: Shaka Player 5.2 takes exactly 0 for nothing said.
    """
    target, kind = rendition.target_duration, ["#EXT-X-PLAYLIST-TYPE:VOD"]
    if growth:
        target, kind = max(target, growth.target), ["#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-START:TIME-OFFSET=0.001"]
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        *kind,
        *more,
        *hls_keys.before_header(rendition),
        f'#EXT-X-MAP:URI="{INIT_SEGMENT}"',
    ]


def _text(lines: list[str], growth: Growth | None) -> str:
    """Return the playlist, with its end unless more of it is to come."""
    end = [] if growth and not growth.over else ["#EXT-X-ENDLIST"]
    return "\n".join([*lines, *end]) + "\n"


def quoted(text: str) -> str:
    """Return a quoted-string (4.2): line breaks and double quotes cannot stand in one."""
    kept = "".join("'" if c == '"' else c for c in text if c.isprintable())
    return f'"{kept}"'


def _names(audio: tuple[Rendition, ...]) -> list[str]:
    """Return a name for each; names in a group differ (4.3.4.1)."""
    return distinct(audio_label(rendition) or f"Audio {number}" for number, rendition in enumerate(audio, 1))


def _audio(rendition: Rendition, name: str) -> str:
    # A commentary is not what somebody whose language it is wants to hear unasked.
    unasked = rendition.default or rendition.purpose is not Purpose.COMMENTARY
    attributes = [
        "TYPE=AUDIO",
        f"GROUP-ID={quoted(AUDIO_GROUP)}",
        f"NAME={quoted(name)}",
        f"DEFAULT={_yes(rendition.default)}",
        f"AUTOSELECT={_yes(unasked)}",
        f"CHANNELS={quoted(str(rendition.channels))}",
        f"URI={quoted(f'{rendition.name}/{MEDIA_PLAYLIST}')}",
    ]
    if rendition.language:
        attributes.insert(2, f"LANGUAGE={quoted(rendition.language)}")
    if rendition.purpose is Purpose.DESCRIPTION:
        attributes.insert(-1, f"CHARACTERISTICS={quoted(DESCRIBES_PICTURES)}")
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _captions(track: TextTrack, name: str) -> str:
    attributes = [
        "TYPE=SUBTITLES",
        f"GROUP-ID={quoted(CAPTIONS_GROUP)}",
        f"LANGUAGE={quoted(track.language)}",
        f"NAME={quoted(name)}",
        f"DEFAULT={_yes(track.default)}",
        "AUTOSELECT=YES",
        f"FORCED={_yes(track.forced)}",
        f"URI={quoted(f'{track.name}/{MEDIA_PLAYLIST}')}",
    ]
    if track.hearing_impaired:
        attributes.insert(-1, f"CHARACTERISTICS={quoted(DESCRIBES_SOUND)}")
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _yes(so: bool) -> str:
    return "YES" if so else "NO"


def _variant(rendition: Rendition, audio: tuple[Rendition, ...], *, captioned: bool) -> str:
    codecs = dict.fromkeys([rendition.codecs, *(r.codecs for r in audio)])
    beside = audio if rendition.kind is Kind.VIDEO else ()
    peak = rendition.peak_bandwidth + max((r.peak_bandwidth for r in beside), default=0)
    average = rendition.bandwidth + max((r.bandwidth for r in beside), default=0)
    attributes = [f"BANDWIDTH={peak}", f"AVERAGE-BANDWIDTH={average}", f"CODECS={quoted(','.join(codecs))}"]
    if rendition.width:
        attributes.append(f"RESOLUTION={rendition.width}x{rendition.height}")
    if rendition.frame_rate:
        attributes.append(f"FRAME-RATE={_decimal(rendition.frame_rate)}")
    if audio:
        attributes.append(f"AUDIO={quoted(AUDIO_GROUP)}")
    if captioned:
        attributes.append(f"SUBTITLES={quoted(CAPTIONS_GROUP)}")
    attributes.append("CLOSED-CAPTIONS=NONE")
    return f"#EXT-X-STREAM-INF:{','.join(attributes)}"


def _iframe_variant(rendition: Rendition) -> str:
    average = round(sum(s.key_size for s in rendition.segments) * 8 / rendition.duration)
    attributes = [
        f"BANDWIDTH={rendition.key_bandwidth}",
        f"AVERAGE-BANDWIDTH={average}",
        f"CODECS={quoted(rendition.codecs)}",
        f"RESOLUTION={rendition.width}x{rendition.height}",
        f"URI={quoted(f'{rendition.name}/{IFRAME_PLAYLIST}')}",
    ]
    return f"#EXT-X-I-FRAME-STREAM-INF:{','.join(attributes)}"


def _decimal(rate: Fraction) -> str:
    return f"{float(rate):.3f}"
