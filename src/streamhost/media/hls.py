"""Writes HLS playlists (RFC 8216, protocol version 7) from the facts. Pure text."""

from __future__ import annotations

from fractions import Fraction

from streamhost.model.streaming import (
    IFRAME_PLAYLIST,
    INIT_SEGMENT,
    MASTER_PLAYLIST,
    MEDIA_PLAYLIST,
    Presentation,
    Rendition,
    segment_name,
)

VERSION = 7
"""Fragmented MP4 with EXT-X-MAP in any playlist needs 6, and clients know CMAF from 7 on."""
AUDIO_GROUP = "audio"


def playlists(presentation: Presentation) -> dict[str, str]:
    """Return every playlist of a presentation by its path from the top of the stream."""
    made = {MASTER_PLAYLIST: master(presentation)}
    for rendition in presentation.renditions:
        made[f"{rendition.name}/{MEDIA_PLAYLIST}"] = media(rendition)
    for rendition in with_iframes(presentation):
        made[f"{rendition.name}/{IFRAME_PLAYLIST}"] = iframes(rendition)
    return made


def with_iframes(presentation: Presentation) -> tuple[Rendition, ...]:
    """Return the renditions that have a playlist of their keyframes, for winding."""
    return tuple(rendition for rendition in presentation.video if rendition.key_bandwidth)


def master(presentation: Presentation) -> str:
    """Return the multivariant playlist: every video rendition with the audio group, or the audio renditions alone."""
    video, audio = presentation.video, presentation.audio
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if video:
        lines += [_audio(rendition, name) for rendition, name in zip(audio, _names(audio), strict=True)]
    for rendition in video or audio[:1]:
        together = audio if video else ()
        lines += [_variant(rendition, together), f"{rendition.name}/{MEDIA_PLAYLIST}"]
    lines += [_iframe_variant(rendition) for rendition in with_iframes(presentation)]
    return "\n".join(lines) + "\n"


def media(rendition: Rendition) -> str:
    """Return a rendition's media playlist."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{rendition.target_duration}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f'#EXT-X-MAP:URI="{INIT_SEGMENT}"',
    ]
    for segment in rendition.segments:
        lines += [f"#EXTINF:{segment.duration / rendition.timescale:.6f},", segment_name(segment.start)]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def iframes(rendition: Rendition) -> str:
    """Return the playlist of a rendition's keyframes: of each segment the bytes up to the end of its first picture."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{rendition.target_duration}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY",
        f'#EXT-X-MAP:URI="{INIT_SEGMENT}"',
    ]
    for segment in rendition.segments:
        lines += [
            f"#EXTINF:{segment.duration / rendition.timescale:.6f},",
            f"#EXT-X-BYTERANGE:{segment.key_size}@0",
            segment_name(segment.start),
        ]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def quoted(text: str) -> str:
    """Return a quoted-string (4.2): line breaks and double quotes cannot stand in one."""
    kept = "".join("'" if c == '"' else c for c in text if c.isprintable())
    return f'"{kept}"'


def _names(audio: tuple[Rendition, ...]) -> list[str]:
    """Return a name for each: its label or language; numbered where it is taken, since names in a group differ
    (4.3.4.1).
    """
    names: list[str] = []
    for number, rendition in enumerate(audio, 1):
        name = rendition.label or rendition.language or f"Audio {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names


def _audio(rendition: Rendition, name: str) -> str:
    attributes = [
        "TYPE=AUDIO",
        f"GROUP-ID={quoted(AUDIO_GROUP)}",
        f"NAME={quoted(name)}",
        f"DEFAULT={'YES' if rendition.default else 'NO'}",
        "AUTOSELECT=YES",
        f"CHANNELS={quoted(str(rendition.channels))}",
        f"URI={quoted(f'{rendition.name}/{MEDIA_PLAYLIST}')}",
    ]
    if rendition.language:
        attributes.insert(2, f"LANGUAGE={quoted(rendition.language)}")
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _variant(rendition: Rendition, audio: tuple[Rendition, ...]) -> str:
    codecs = dict.fromkeys([rendition.codecs, *(r.codecs for r in audio)])
    peak = rendition.peak_bandwidth + max((r.peak_bandwidth for r in audio), default=0)
    average = rendition.bandwidth + max((r.bandwidth for r in audio), default=0)
    attributes = [f"BANDWIDTH={peak}", f"AVERAGE-BANDWIDTH={average}", f"CODECS={quoted(','.join(codecs))}"]
    if rendition.width:
        attributes.append(f"RESOLUTION={rendition.width}x{rendition.height}")
    if rendition.frame_rate:
        attributes.append(f"FRAME-RATE={_decimal(rendition.frame_rate)}")
    if audio:
        attributes.append(f"AUDIO={quoted(AUDIO_GROUP)}")
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
