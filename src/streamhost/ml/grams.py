"""A text as the numbers of what occurs in it: words, pairs of words, and pieces of words, hashed into slots. Pure.

The recipe is called `grams-1` in manifests. A model trained on it needs exactly it: whoever changes anything here
gives it another name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

from streamhost.ml.words import Word

RECIPE = "grams-1"
SHORTEST_PIECE, LONGEST_PIECE = 3, 5
"""Characters of a piece of a word, its borders included."""


def features(words: Sequence[Word], slots: int) -> list[int]:
    """The slots, 0 up to `slots`, in which something of these words falls; each once, in order."""
    found: set[int] = set()
    for word in words:
        found.update(_of_word(word.plain, slots))
    for first, second in pairwise(words):
        found.add(_slot(f"2 {first.plain} {second.plain}", slots))
    return sorted(found)


@lru_cache(maxsize=50_000)
def _of_word(word: str, slots: int) -> tuple[int, ...]:
    return tuple({_slot(name, slots) for name in names(word)})


def names(word: str) -> Iterable[str]:
    """What of a single word counts: itself, and its pieces."""
    yield f"1 {word}"
    edged = f"<{word}>"
    for length in range(SHORTEST_PIECE, LONGEST_PIECE + 1):
        for start in range(len(edged) - length + 1):
            yield f"c {edged[start : start + length]}"


def _slot(name: str, slots: int) -> int:
    return crc32(name.encode()) % slots
