"""What stands in a caption, cleaned: SRT, WebVTT or ASS becomes text with the few tags that every player knows. Pure.

Kept are italics, bold, underline and, from WebVTT, who speaks (W3C WebVTT, 4.2.2); where a caption wants to stand
becomes cue settings (4.4). Colours, fonts, karaoke, drawings and everything else goes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

STYLES = frozenset({"i", "b", "u"})
VOICE = "v"
DEEPEST = 8
"""Tags within tags that are kept."""
LONGEST_VOICE = 100

_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": "\u00a0", "&lrm;": "\u200e", "&rlm;": "\u200f"}
_ENTITY = re.compile("|".join(_ENTITIES))
_HTML = re.compile(r"<(/?)\s*([A-Za-z]+)((?:\s[^<>]*)?)/?>")
_DROPPED = frozenset({"font", "s", "strike", "del", "span", "c", "ruby", "rt", "small", "big", "p", "div"})
_SAME = {"em": "i", "strong": "b", "ins": "u"}
_CUE_TAG = re.compile(r"<([^<>]*)>")
_OVERRIDES = re.compile(r"\{([^{}]*)\}")
_OVERRIDE = re.compile(r"\\(an?|i|b|u|p|r)(\d*)(?![A-Za-z(])")
_BOLD = 700
"""ASS gives weights to \\b; from here on they count as bold."""
_PLACES = {7: "line:0", 8: "line:0", 9: "line:0", 4: "line:50%", 5: "line:50%", 6: "line:50%"}
_SIDES = {1: " align:left", 4: " align:left", 7: " align:left", 3: " align:right", 6: " align:right", 9: " align:right"}


@dataclass(frozen=True, slots=True)
class CueText:
    """The payload of a cue as WebVTT writes it, without empty lines, and the settings that its markup asked for."""

    text: str
    settings: str = ""


def from_srt(text: str) -> CueText:
    """Clean SubRip's text: a few HTML tags, and overrides that came over from ASS (``{\\an8}``)."""
    made = _Payload()
    for piece, overrides in _parted(text):
        at = 0
        for tag in _HTML.finditer(piece):
            name = _SAME.get(tag[2].lower(), tag[2].lower())
            if name not in STYLES and name not in _DROPPED and name != "br":
                continue
            made.say(piece[at : tag.start()])
            at = tag.end()
            if name == "br":
                made.say("\n")
            elif name in STYLES:
                made.close(name) if tag[1] else made.open(name)
        made.say(piece[at:])
        made.override(overrides)
    return made.finished()


def from_webvtt(text: str) -> CueText:
    """Clean WebVTT's text: every tag that is not kept goes, its content stays."""
    made = _Payload()
    at = 0
    for tag in _CUE_TAG.finditer(text):
        made.say(text[at : tag.start()])
        at = tag.end()
        words = tag[1].split()
        name = words[0].partition(".")[0] if words else ""
        if name.removeprefix("/") in STYLES or name.removeprefix("/") == VOICE:
            made.close(name[1:]) if name[0] == "/" else made.open(name, " ".join(words[1:]))
    made.say(text[at:])
    return made.finished()


def from_ass(text: str) -> CueText:
    """Clean the text of an ASS event; drawings are left out."""
    made = _Payload()
    for piece, overrides in _parted(text):
        made.say(piece.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", "\u00a0"))
        made.override(overrides)
    return made.finished()


def _parted(text: str) -> list[tuple[str, str]]:
    """Return plain pieces, each with the overrides that follow it."""
    pieces = []
    at = 0
    for block in _OVERRIDES.finditer(text):
        if "\\" in block[1]:
            pieces.append((text[at : block.start()], block[1]))
            at = block.end()
    return [*pieces, (text[at:], "")]


@dataclass(slots=True)
class _Payload:
    """Puts a payload together in which every tag is closed, in the right order."""

    parts: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    place: int = 0
    drawing: bool = False

    def say(self, text: str) -> None:
        """Add plain text."""
        if self.drawing or not text:
            return
        plain = _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)
        kept = "".join(c for c in plain if c == "\n" or c.isprintable() or c in _JOINERS)
        self.parts.append(kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

    def open(self, tag: str, voice: str = "") -> None:
        """Begin a style, or what somebody says."""
        if tag in self.stack:
            if tag != VOICE:
                return
            self.close(tag)
        if len(self.stack) >= DEEPEST or (tag == VOICE and not voice):
            return
        self.stack.append(tag)
        name = "".join(c for c in voice if c.isprintable() and c not in "<>&")[:LONGEST_VOICE]
        self.parts.append(f"<v {name}>" if tag == VOICE else f"<{tag}>")

    def close(self, tag: str) -> None:
        """End a style; those that were begun after it go on."""
        if tag not in self.stack:
            return
        inner: list[str] = []
        while (top := self.stack.pop()) != tag:
            self.parts.append(f"</{top}>")
            inner.insert(0, top)
        self.parts.append(f"</{tag}>")
        for name in inner:
            if name != VOICE:
                self.open(name)

    def override(self, codes: str) -> None:
        """Follow the codes of an ASS override block as far as they matter here."""
        for code, digits in _OVERRIDE.findall(codes):
            value = int(digits[:4] or 0)
            if code == "an" and 1 <= value <= 9:
                self.place = self.place or value
            elif code == "p":
                self.drawing = value > 0
            elif code == "r":
                for tag in list(self.stack):
                    self.close(tag)
            elif code in STYLES:
                on = value == 1 or (code == "b" and value >= _BOLD)
                self.open(code) if on else self.close(code)

    def finished(self) -> CueText:
        """Return what has come together."""
        while self.parts and not self.parts[-1].strip(" \n"):
            self.parts.pop()
        if self.parts:
            self.parts[-1] = self.parts[-1].rstrip(" \n")
        closing = "".join(f"</{tag}>" for tag in reversed(self.stack))
        whole = "".join(self.parts) + closing
        lines = (" ".join(line.split(" ")).strip() for line in whole.split("\n"))
        text = "\n".join(line for line in lines if line)
        settings = (_PLACES.get(self.place, "") + _SIDES.get(self.place, "")).strip()
        return CueText(text if _WORDS.sub("", text).strip() else "", settings)


_JOINERS = "\u200c\u200d\u200e\u200f\u00a0\u00ad"
"""Signs that several scripts need, though they cannot be printed by themselves."""
_WORDS = re.compile(r"</?[a-z][^<>]*>")
