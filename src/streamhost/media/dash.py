"""Writes the DASH manifest (ISO/IEC 23009-1: live profile, CMAF) from the facts. Pure text.

It is static, and dynamic while the presentation grows: what is not in its lists is not there yet."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from fractions import Fraction
from html import escape
from itertools import groupby
from math import gcd
from uuid import UUID

from streamhost.media.naming import audio_label
from streamhost.media.timeline import runs
from streamhost.model.clock import DAY, iso
from streamhost.model.protection import system_of
from streamhost.model.stills import STORYBOARD, Storyboard
from streamhost.model.streaming import (
    CAPTIONS_FILE,
    INIT_SEGMENT,
    Growth,
    Kind,
    Presentation,
    Purpose,
    Rendition,
    TextTrack,
)

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
ROLE = "urn:mpeg:dash:role:2011"
CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
"""Scheme whose value is the number of channels (23009-1, 5.8.5.4)."""
AUDIO_PURPOSE = "urn:tva:metadata:cs:AudioPurposeCS:2007"
"""Scheme for what a sound is for (ETSI TS 102 822-3-1, A.13; DVB-DASH, 6.1.2)."""
FOR_THE_BLIND = 1
CAPTIONS_BANDWIDTH = 256
"""Bit/s that captions are said to need: the attribute must stand, and nobody chooses by it."""
MP4_PROTECTION = "urn:mpeg:dash:mp4protection:2011"
CLEARKEY = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
LICENSE_PATH = "license/clearkey"
"""Where ClearKey licences are answered, from the top of the stream."""
PROTECTION_NAMESPACES = {"xmlns:cenc": "urn:mpeg:cenc:2013", "xmlns:dashif": "https://dashif.org/CPS"}
TILES = "http://dashif.org/guidelines/thumbnail_tile"
"""Scheme whose value is columns x rows of the tiles in one image (DASH-IF IOP 4.3, 6.2.6)."""
UPDATED_EVERY = 4
"""Seconds after which players ask for a growing manifest anew: well before they have played what they loaded."""
CLOCKS_OFF = DAY
"""Seconds by which a viewer's clock may be behind."""


def manifest(presentation: Presentation) -> str:
    """Return the MPD: one Period, one AdaptationSet for the pictures and one for each audio rendition's language and
    label. Raises ``ValueError`` for files that are encrypted as a whole: those are for HLS alone.
    """
    if any(r.protection and not r.protection.scheme.common for r in presentation.renditions):
        raise ValueError("DASH has no whole-file encryption")
    longest = max((r.target_duration for r in presentation.renditions), default=1)
    attributes = {
        "xmlns": NAMESPACE,
        **(PROTECTION_NAMESPACES if any(r.protection for r in presentation.renditions) else {}),
        "profiles": PROFILES,
        "type": "static",
        "mediaPresentationDuration": _duration(presentation.duration),
        "minBufferTime": f"PT{longest}S",
        **_growing(presentation.growing),
    }
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', _tag("MPD", attributes), '  <Period id="0" start="PT0S">']
    sets = [list(presentation.video)] if presentation.video else []
    sets += [list(group) for _, group in groupby(presentation.audio, key=lambda r: (r.language, r.label, r.name))]
    for number, renditions in enumerate(sets):
        lines += _adaptation_set(number, renditions)
    for number, track in enumerate(presentation.captions, len(sets)):
        lines += _captions(number, track)
    if presentation.storyboard:
        lines += _images(len(sets) + len(presentation.captions), presentation.storyboard)
    return "\n".join([*lines, "  </Period>", *_clock(presentation.growing), "</MPD>"]) + "\n"


def _growing(growth: Growth | None) -> dict[str, str]:
    """Return what a dynamic MPD says besides (5.3.1.2). Whatever is listed is available, however far a clock is off:
    by this beginning all of it would have been there before its making began.
    """
    if growth is None:
        return {}
    begun = growth.since - float(growth.duration) - CLOCKS_OFF
    return {
        "type": "dynamic",
        "availabilityStartTime": str(iso(begun)),
        "publishTime": str(iso(growth.now)),
        "minimumUpdatePeriod": f"PT{UPDATED_EVERY}S",
    }


def _clock(growth: Growth | None) -> list[str]:
    """Return the clock that `_growing` reckons with, as it stood when this was written (5.8.4.11): all was
    available by then, also for a player whose own clock is off.
    """
    if growth is None:
        return []
    timing = {"schemeIdUri": "urn:mpeg:dash:utc:direct:2014", "value": str(iso(growth.now))}
    return [f"  {_tag('UTCTiming', timing, close=True)}"]


def _adaptation_set(number: int, renditions: list[Rendition]) -> list[str]:
    first = renditions[0]
    attributes = {"id": str(number), "contentType": str(first.kind), "mimeType": f"{first.kind}/mp4"}
    if first.language:
        attributes["lang"] = first.language
    attributes |= {"segmentAlignment": "true", "startWithSAP": "1"}
    if first.kind is Kind.VIDEO:
        shape = gcd(first.width, first.height)
        attributes |= {
            "par": f"{first.width // shape}:{first.height // shape}",
            "maxWidth": str(max(r.width for r in renditions)),
            "maxHeight": str(max(r.height for r in renditions)),
        }
    lines = [f"    {_tag('AdaptationSet', attributes)}"]
    if first.kind is Kind.AUDIO:
        lines.append(f'      <AudioChannelConfiguration schemeIdUri="{CHANNELS}" value="{first.channels}"/>')
    lines += _content_protection(first)
    label = first.label or (audio_label(first) if first.purpose is not Purpose.MAIN else None)
    if label:
        lines.append(f"      <Label>{escape(_printable(label), quote=False)}</Label>")
    if first.purpose is Purpose.DESCRIPTION:
        lines.append(f'      <Accessibility schemeIdUri="{AUDIO_PURPOSE}" value="{FOR_THE_BLIND}"/>')
    lines.append(f'      <Role schemeIdUri="{ROLE}" value="{_role(first)}"/>')
    shared = _template(first, "      ")
    alike = all(_template(r, "      ") == shared for r in renditions)
    lines += shared if alike else []
    for rendition in renditions:
        lines += _representation(rendition, [] if alike else _template(rendition, "        "))
    return [*lines, "    </AdaptationSet>"]


def _images(number: int, board: Storyboard) -> list[str]:
    """Return the storyboard as a set of tiled images; a player may leave it out who does not know the scheme."""
    sheet = {
        "id": STORYBOARD,
        "bandwidth": str(board.bandwidth),
        "width": str(board.columns * board.width),
        "height": str(board.rows * board.height),
    }
    template = {"media": "$RepresentationID$/$Number$.jpg", "duration": str(board.tiles * board.interval)}
    tiles = {"schemeIdUri": TILES, "value": f"{board.columns}x{board.rows}"}
    return [
        f"    {_tag('AdaptationSet', {'id': str(number), 'contentType': 'image', 'mimeType': 'image/jpeg'})}",
        f"      {_tag('SegmentTemplate', template | {'startNumber': '1'}, close=True)}",
        f"      {_tag('Representation', sheet)}",
        f"        {_tag('EssentialProperty', tiles, close=True)}",
        "      </Representation>",
        "    </AdaptationSet>",
    ]


def _role(rendition: Rendition) -> str:
    """Return the role of a set (23009-1, 5.8.5.5)."""
    if rendition.kind is Kind.VIDEO or rendition.default:
        return "main"
    return "commentary" if rendition.purpose is Purpose.COMMENTARY else "alternate"


def _captions(number: int, track: TextTrack) -> list[str]:
    """Describe captions: one WebVTT file beside the segments."""
    attributes = {"id": str(number), "contentType": "text", "mimeType": "text/vtt", "lang": track.language}
    kind = "forced-subtitle" if track.forced else "caption" if track.hearing_impaired else "subtitle"
    roles = [kind, "main"] if track.default else [kind]
    return [
        f"    {_tag('AdaptationSet', attributes)}",
        f"      <Label>{escape(_printable(track.label), quote=False)}</Label>",
        *(f'      <Role schemeIdUri="{ROLE}" value="{role}"/>' for role in roles),
        f"      {_tag('Representation', {'id': track.name, 'bandwidth': str(CAPTIONS_BANDWIDTH)})}",
        f"        <BaseURL>{escape(f'{track.name}/{CAPTIONS_FILE}', quote=False)}</BaseURL>",
        "      </Representation>",
        "    </AdaptationSet>",
    ]


def _content_protection(rendition: Rendition) -> list[str]:
    """Return the descriptors of Common Encryption (23009-1, 5.8.4.1; 23001-7, 11) and DASH-IF's for ClearKey.

    The common system's own descriptor is left out: Shaka takes it for a key system that no browser has. Those of other
    systems carry their ``pssh`` (23001-7, 11.2).
    """
    facts = rendition.protection
    if facts is None:
        return []
    kid = str(UUID(hex=facts.kid(0)))
    common = {"schemeIdUri": MP4_PROTECTION, "value": facts.scheme.value, "cenc:default_KID": kid}
    return [
        f"      {_tag('ContentProtection', common, close=True)}",
        f"      {_tag('ContentProtection', {'schemeIdUri': CLEARKEY, 'value': 'ClearKey1.0'})}",
        f'        <dashif:Laurl Lic_type="EME-1.0">{LICENSE_PATH}</dashif:Laurl>',
        "      </ContentProtection>",
        *(line for box in facts.pssh for line in _system(bytes.fromhex(box))),
    ]


def _system(box: bytes) -> list[str]:
    """Return the descriptor of the key system that a ``pssh`` box is for."""
    system = {"schemeIdUri": f"urn:uuid:{system_of(box)}"}
    return [
        f"      {_tag('ContentProtection', system)}",
        f"        <cenc:pssh>{b64encode(box).decode()}</cenc:pssh>",
        "      </ContentProtection>",
    ]


def _representation(rendition: Rendition, template: list[str]) -> list[str]:
    attributes = {"id": rendition.name, "codecs": rendition.codecs, "bandwidth": str(rendition.peak_bandwidth)}
    if rendition.kind is Kind.VIDEO:
        attributes |= {"width": str(rendition.width), "height": str(rendition.height), "sar": "1:1"}
        if rendition.frame_rate:
            attributes["frameRate"] = str(rendition.frame_rate)
    else:
        attributes["audioSamplingRate"] = str(rendition.sample_rate)
    if not template:
        return [f"      {_tag('Representation', attributes, close=True)}"]
    return [f"      {_tag('Representation', attributes)}", *template, "      </Representation>"]


def _template(rendition: Rendition, indent: str) -> list[str]:
    attributes = {
        "timescale": str(rendition.timescale),
        "initialization": f"$RepresentationID$/{INIT_SEGMENT}",
        "media": "$RepresentationID$/$Time$.m4s",
    }
    lines = [f"{indent}{_tag('SegmentTemplate', attributes)}", f"{indent}  <SegmentTimeline>"]
    for number, (start, duration, count) in enumerate(runs(rendition.segments)):
        attributes = {"t": str(start)} if number == 0 else {}
        attributes["d"] = str(duration)
        if count > 1:
            attributes["r"] = str(count - 1)
        lines.append(f"{indent}    {_tag('S', attributes, close=True)}")
    return [*lines, f"{indent}  </SegmentTimeline>", f"{indent}</SegmentTemplate>"]


def _tag(name: str, attributes: Mapping[str, str], *, close: bool = False) -> str:
    inside = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{inside}{'/' if close else ''}>"


def _printable(text: str) -> str:
    """Leave out what XML cannot carry."""
    return "".join(c for c in text if c.isprintable())


def _duration(seconds: Fraction) -> str:
    """Return an XML duration to the millisecond."""
    return f"PT{float(seconds):.3f}S"
