"""Words as people meant them, whatever they wrote: the tokens of a text with their places in it. Pure.

Look-alikes of other scripts, digits in the place of letters, stretched and spaced-out words come out as the plain
word, so that a model need not have seen every disguise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LONGEST_WORD = 40
"""Characters of a word that count: longer ones are addresses, codes or keys held down."""
_MENTION, _LINK, _NUMBER = "<you>", "<link>", "<number>"
_TOKEN = re.compile(r"\S+")
_PIECE = re.compile(r"[^\W_]+(?:['\u2019*@$!|+.\-_]+[^\W_]+)*[$!*]*", re.UNICODE)
_LOOKS = str.maketrans(
    {
        # Cyrillic and Greek letters that look like Latin ones (Unicode TR 39, confusables; the common ones)
        **dict(zip("авеёкмнорстухіїјѕԁѵ", "abeekmhopctyxiijsdv", strict=True)),
        **dict(zip("αβγεηικνορστυχω", "abyenikvopotuxw", strict=True)),
        **dict(zip("ıłøđħŧßæœ", "ilodhtsao", strict=True)),
    }
)
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_LEET |= str.maketrans({"|": "i", "+": "t", "8": "b", "9": "g"})
_STRETCHED = re.compile(r"(.)\1{2,}")
_INNER = re.compile(r"[\u2019'*.\-_|+!@$]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was meant, and the characters of the text, from `start` up to `end`, in which it stands."""

    plain: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words of a text in order. Letters that stand alone in a row are one word."""
    return list(_joined(_words(text)))


def _words(text: str) -> Iterator[Word]:
    for token in _TOKEN.finditer(text):
        raw = token.group()
        special = _special(raw)
        if special:
            yield Word(special, token.start(), token.end())
            continue
        for piece in _PIECE.finditer(raw):
            plain = plain_word(piece.group())
            if plain:
                yield Word(plain, token.start() + piece.start(), token.start() + piece.end())


def _special(raw: str) -> str | None:
    if raw.startswith("@") and len(raw) > 1 and raw[1:].strip(".,:;!?").replace("_", "a").isalnum():
        return _MENTION
    if "://" in raw or raw.startswith("www."):
        return _LINK
    return None


@lru_cache(maxsize=20_000)
def plain_word(raw: str) -> str:
    """One word in small Latin letters where it was meant so; a number is a number."""
    raw = raw[: 2 * LONGEST_WORD]
    if raw.isdigit():
        return _NUMBER
    text = unicodedata.normalize("NFKD", raw).casefold()
    text = "".join(char for char in text if not unicodedata.combining(char) and unicodedata.category(char) != "Cf")
    text = text.translate(_LOOKS)
    if any(char.isalpha() for char in text):
        text = text.rstrip("!").translate(_LEET)
    text = _INNER.sub("", text)
    return _STRETCHED.sub(r"\1\1", text)[:LONGEST_WORD]


def _joined(words: Iterator[Word]) -> Iterator[Word]:
    """Three or more single letters in a row become one word."""
    row: list[Word] = []
    for word in words:
        if len(word.plain) == 1 and word.plain.isalpha():
            row.append(word)
            continue
        yield from _row(row)
        row = []
        yield word
    yield from _row(row)


def _row(row: list[Word]) -> list[Word]:
    if len(row) < LETTERS_OF_A_WORD:
        return row
    return [Word("".join(word.plain for word in row), row[0].start, row[-1].end)]


LETTERS_OF_A_WORD = 3
"""Fewer single letters in a row are words such as "I" and "a"."""
