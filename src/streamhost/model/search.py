"""What people type into a search, and what is meant by it: words, phrases, exclusions, filters, typing errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from streamhost.model.clock import Timestamp

MAX_TEXT = 1000
"""Signs of a search that are looked at; what comes after is not."""
MAX_TERMS = 16
MAX_TAGS_ASKED = 8
SHORTEST_LEARNT, LONGEST_LEARNT = 3, 40
"""Letters of words that typing errors are put right to."""
MOST_LEARNT = 200
"""Different words of one video that are learnt."""

_PIECE = re.compile(
    r'(?P<minus>-)?(?:(?P<field>title|tag|by|creator):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))', re.I
)
_WORD = re.compile(r"[^\W_]+")


class Sort(StrEnum):
    """In which order what was found is shown."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    LONGEST = "longest"
    SHORTEST = "shortest"


@dataclass(frozen=True, slots=True)
class Term:
    """A word that a video must have at the beginning of one of its own, or a phrase that it must have as it is."""

    text: str
    phrase: bool = False
    title_only: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """What is left out whatever its words are. Lengths in seconds; `creator` is an id or a name."""

    min_duration: float | None = None
    max_duration: float | None = None
    after: Timestamp | None = None
    before: Timestamp | None = None
    creator: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, understood."""

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    tags: tuple[str, ...] = ()
    creator: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (self.terms or self.without or self.tags or self.creator)

    @property
    def words(self) -> tuple[str, ...]:
        """The plain words, in which there may be typing errors."""
        return tuple(term.text for term in self.terms if not term.phrase)


def parse(text: str) -> Query:
    """Understand any text: there are no wrong searches.

    `"as it is"` asks for a phrase, `-word` leaves out, `title:word` looks at titles alone, `tag:name` and `by:name`
    filter. Signs that are no letters and no numbers are not looked for."""
    terms: list[Term] = []
    without: list[Term] = []
    tags: list[str] = []
    creator = None
    for piece in _PIECE.finditer(text[:MAX_TEXT]):
        field = (piece["field"] or "").lower()
        said = piece["phrase"] if piece["phrase"] is not None else piece["word"]
        if field in ("by", "creator") and not piece["minus"]:
            creator = said.strip() or creator
            continue
        words = _WORD.findall(said)
        if not words or len(terms) + len(without) + len(tags) >= MAX_TERMS:
            continue
        if field == "tag" and not piece["minus"]:
            tags.append(said.strip())
            continue
        whole = " ".join(words)
        term = Term(whole, phrase=piece["phrase"] is not None, title_only=field == "title")
        (without if piece["minus"] else terms).append(term)
    return Query(tuple(terms), tuple(without), tuple(tags), creator)


def match_of(query: Query, instead: Mapping[str, Sequence[str]] | None = None, tags: Sequence[str] = ()) -> str:
    """The query as an FTS5 expression over the columns title, description and tags; empty if it names no words.

    `instead`: for a word, others that will do as well. `tags`: more that it must have."""
    wanted = [_expression(term, (instead or {}).get(term.text, ())) for term in query.terms]
    wanted += [f"tags : {_quoted(' '.join(words))}" for tag in (*query.tags, *tags) if (words := _WORD.findall(tag))]
    found = " AND ".join(wanted)
    if not found or not query.without:
        return found
    return f"({found}) NOT ({without_of(query)})"


def without_of(query: Query) -> str:
    """What is to be left out, as an FTS5 expression."""
    return " OR ".join(_expression(term) for term in query.without)


def suggestion_match(text: str) -> str:
    """An FTS5 expression for what somebody is still typing: whole words, but for the last. Empty if it is too short."""
    *before, last = _WORD.findall(text[:MAX_TEXT])[-MAX_TERMS:] or [""]
    if len(last) < 2 and last.isascii() and not before:
        return ""
    words = [_quoted(word) for word in before] + ([f"{_quoted(last)}*"] if last else [])
    return "{title tags} : (" + " AND ".join(words) + ")"


def _expression(term: Term, instead: Sequence[str] = ()) -> str:
    # One letter of Latin begins half of all words; nobody looks for that.
    whole = term.phrase or (len(term.text) == 1 and term.text.isascii())
    found = [_quoted(term.text) + ("" if whole else "*"), *map(_quoted, instead)]
    text = f"({' OR '.join(found)})" if len(found) > 1 else found[0]
    return f"title : {text}" if term.title_only else text


def _quoted(words: str) -> str:
    return '"' + words.replace('"', "") + '"'


def words_in(text: str) -> list[str]:
    """The different words of a text as the index spells them: small letters, without accents."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).lower()
    found = (word for word in _WORD.findall(plain) if SHORTEST_LEARNT <= len(word) <= LONGEST_LEARNT)
    return list(dict.fromkeys(word for word in found if not word.isdigit()))[:MOST_LEARNT]


def errors_allowed(word: str) -> int:
    """How many typing errors a word of this length may have: short ones would turn into anything."""
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2


def trigrams(word: str) -> list[str]:
    """All runs of three signs of a word with two spaces before it and one behind, so that its ends count."""
    padded = f"  {word} "
    return list(dict.fromkeys(padded[at : at + 3] for at in range(len(padded) - 2)))


def distance(one: str, other: str, most: int) -> int:
    """How many signs must be added, left out, replaced or swapped with their neighbour to make `other` of `one`.

    Optimal string alignment (Damerau 1964); `most` + 1 stands for anything more than `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before = before, row
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def likely(word: str, known: Sequence[tuple[str, int]], most: int = 3) -> list[str]:
    """The words that were probably meant, best first. `known`: candidates, and in how many videos each is."""
    plain = (words_in(word) or [""])[0]
    allowed = errors_allowed(plain)
    scored = []
    for candidate, videos in known:
        errors = distance(plain, candidate, allowed)
        if errors <= allowed:
            scored.append((errors, False, plain[:1] != candidate[:1], -videos, candidate))
        elif allowed and (errors := _errors_at_the_beginning(plain, candidate, allowed)) <= allowed:
            scored.append((errors, True, plain[:1] != candidate[:1], -videos, candidate))
        elif len(plain) >= SHORTEST_LEARNT and plain in candidate:
            scored.append((allowed + 1, False, False, -videos, candidate))
    return [candidate for *_, candidate in sorted(scored)[:most]]


def _errors_at_the_beginning(word: str, longer: str, most: int) -> int:
    """How many errors a word has if it was to be the beginning of a longer one."""
    return min(distance(word, longer[: len(word) + more], most) for more in range(-most, most + 1))
