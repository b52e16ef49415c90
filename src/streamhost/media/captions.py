"""Caption files: SRT and WebVTT in, WebVTT out. Pure; safe in the server, on at most ``MAX_BYTES``.

A parser of our own: the libraries for it are lenient, and hand markup through that a page would show.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from streamhost.media import cuetext
from streamhost.media.errors import MediaError

MAX_BYTES = 2 * 1024**2
"""Bytes of a caption file: ten times those of a long film."""
MAX_CUES = 20_000
MAX_CUE_LENGTH = 2_000
"""Characters of one caption: more than fits on any screen."""
LATEST = 100 * 3600 * 1000
"""Milliseconds; no caption is later."""
HEADER = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n"
"""The map (RFC 8216, 3.5) says that captions and segments both begin at 0; without it some players guess."""

_LEGACY = {
    "cp1250": "cs sk pl hu ro hr sl bs sq", "cp1251": "ru uk bg sr mk be kk ky mn tg tt", "cp1253": "el",
    "cp1254": "tr az", "cp1255": "he yi", "cp1256": "ar fa ur", "cp1257": "et lv lt", "cp1258": "vi", "cp874": "th",
    "cp932": "ja", "cp949": "ko", "gb18030": "zh",
}  # fmt: skip
"""What files in a language were written in before UTF-8, by encoding."""
_ENCODINGS = {language: encoding for encoding, group in _LEGACY.items() for language in group.split()}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:[ \t]+(.*))?")
_SETTING = re.compile(
    r"vertical:(?:rl|lr)|line:-?\d{1,3}(?:\.\d{1,3})?%?(?:,(?:start|center|end))?"
    r"|position:\d{1,3}(?:\.\d{1,3})?%(?:,(?:line-left|center|line-right))?|size:\d{1,3}(?:\.\d{1,3})?%"
    r"|align:(?:start|center|end|left|right)"
)
"""Cue settings (W3C WebVTT, 4.4) but for regions, whose definitions are not kept."""
_ASIDE = ("NOTE", "STYLE", "REGION")


class NotCaptions(MediaError):
    """The file cannot be read as WebVTT or SRT captions."""

    code = "not_captions"
    hint = "Save it as SRT or WebVTT in UTF-8 from a caption editor, and send that."


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: shown from ``start`` to ``end``, in milliseconds; ``text`` and ``settings`` are clean WebVTT."""

    start: int
    end: int
    text: str
    settings: str = ""


def parse(data: bytes, language: str = "") -> tuple[Cue, ...]:
    """Read a caption file. ``language`` (RFC 5646) helps to guess an encoding that is not Unicode.

    Raises ``NotCaptions``, with the line that is wrong.
    """
    if len(data) > MAX_BYTES:
        raise NotCaptions(f"It has more than {MAX_BYTES} bytes.")
    lines = decoded(data, language).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    webvtt = re.match(r"WEBVTT(?:[ \t].*)?$", lines[0]) is not None
    found = ordered(_webvtt(lines) if webvtt else _srt(lines))
    if not found:
        raise NotCaptions("There is no caption in it.")
    return found


def ordered(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Return cues that show something, by time. Raises ``NotCaptions`` for more than can be meant."""
    kept: list[Cue] = []
    for cue in cues:
        if len(cue.text) > MAX_CUE_LENGTH:
            raise NotCaptions(f"The caption at {clock(cue.start)} has more than {MAX_CUE_LENGTH} characters.")
        if cue.text and cue.end > cue.start:
            kept.append(cue)
        if len(kept) > MAX_CUES:
            raise NotCaptions(f"There are more than {MAX_CUES} captions.")
    return tuple(sorted(kept, key=lambda cue: (cue.start, cue.end)))


def write(cues: Iterable[Cue]) -> str:
    """Return a WebVTT file."""
    blocks = [HEADER]
    for cue in cues:
        settings = f" {cue.settings}" if cue.settings else ""
        blocks.append(f"{clock(cue.start)} --> {clock(cue.end)}{settings}\n{cue.text}\n")
    return "\n".join(blocks)


def decoded(data: bytes, language: str = "") -> str:
    """Return the text of a file: Unicode by its mark or its form, else the encoding usual for the language."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    start = data[:1000]
    if b"\0" in start:
        return data.decode("utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(_ENCODINGS.get(language.partition("-")[0], "cp1252"), "replace")


def _webvtt(lines: list[str]) -> Iterator[Cue]:
    """Yield the cues of WebVTT: blocks between empty lines (W3C WebVTT, 4.1)."""
    at = 0
    while at < len(lines) and lines[at]:
        at += 1
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        end = next((place for place in range(at, len(lines)) if not lines[place]), len(lines))
        yield from _block(lines, at, end)
        at = end


def _block(lines: list[str], at: int, end: int) -> Iterator[Cue]:
    """Yield the cue in a block: perhaps a name, the times, the text. Notes and styles hold none."""
    if lines[at].split(" ", 1)[0].split("\t", 1)[0] in _ASIDE and "-->" not in lines[at]:
        return
    timing = at if "-->" in lines[at] else at + 1
    if timing >= end or "-->" not in lines[timing]:
        raise NotCaptions(f"Line {at + 1}: expected times such as 00:01:02.500 --> 00:01:04.000.")
    start, stop, rest = _times(lines[timing], timing)
    clean = cuetext.from_webvtt(_text(lines, timing + 1, end))
    yield Cue(start, stop, clean.text, " ".join(word for word in rest.split() if _SETTING.fullmatch(word)))


def _srt(lines: list[str]) -> Iterator[Cue]:
    """Yield the cues of SubRip: a number, the times, and text up to the next times, which may hold empty lines."""
    timings = [place for place, line in enumerate(lines) if "-->" in line]
    first = timings[0] if timings else len(lines)
    for place, line in enumerate(lines[:first]):
        if line.strip() and not (place == first - 1 and line.strip().isdigit()):
            raise NotCaptions(f"Line {place + 1}: expected a number, or times such as 00:01:02,500 --> 00:01:04,000.")
    for timing, following in pairwise((*timings, len(lines))):
        start, stop, _ = _times(lines[timing], timing)
        end = following
        if following < len(lines) and end - 1 > timing and lines[end - 1].strip().isdigit():
            end -= 1
        clean = cuetext.from_srt(_text(lines, timing + 1, end))
        yield Cue(start, stop, clean.text, clean.settings)


def _text(lines: list[str], first: int, end: int) -> str:
    """Return the raw text of a cue; markup may make it longer than what is shown, but not endless."""
    text = "\n".join(lines[first:end])
    if len(text) > 4 * MAX_CUE_LENGTH:
        raise NotCaptions(f"Line {first + 1}: this caption is too long.")
    return text


def _times(line: str, place: int) -> tuple[int, int, str]:
    """Return start, end and what stands behind them."""
    found = _TIMING.fullmatch(line)
    if found is None:
        raise NotCaptions(f"Line {place + 1}: these are no times: {line.strip()[:60]!r}.")
    start, end = (_milliseconds(found.groups()[first : first + 4], place) for first in (0, 4))
    if end < start:
        raise NotCaptions(f"Line {place + 1}: it ends before it begins.")
    return start, end, found[9] or ""


def _milliseconds(groups: tuple[str | None, ...], place: int) -> int:
    hours, minutes, seconds = (int(group or 0) for group in groups[:3])
    if minutes > 59 or seconds > 59:
        raise NotCaptions(f"Line {place + 1}: there are 60 minutes and 60 seconds.")
    time = ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((groups[3] or "0").ljust(3, "0"))
    if time > LATEST:
        raise NotCaptions(f"Line {place + 1}: that is later than any video lasts.")
    return time


def clock(milliseconds: int) -> str:
    """Return a time as WebVTT writes it (W3C WebVTT, 4.1)."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
