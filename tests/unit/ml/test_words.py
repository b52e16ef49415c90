"""Words are found whatever they are dressed in, and where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.ml import grams, texts
from streamhost.ml.words import words_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("You are an IDIOT!!!", "you are an idiot"),
        ("1d10t", "idiot"),
        ("m0r0n", "moron"),
        ("a$$", "ass"),
        ("i d i o t", "idiot"),
        ("i.d.i.o.t", "idiot"),
        ("i-d-i-o-t", "idiot"),
        ("idiooooot", "idioot"),
        ("\u0456d\u0456\u043et", "idiot"),  # Cyrillic i, o
        ("\uff49\uff44\uff49\uff4f\uff54", "idiot"),  # full width
        ("i\u200bd\u200bi\u200bo\u200bt", "idiot"),  # zero width spaces
        ("\U0001d422\U0001d41d\U0001d422\U0001d428\U0001d42d", "idiot"),  # mathematical bold
        ("\u00efd\u00ed\u00f6t", "idiot"),
        ("see https://example.org/x and @bob: 42", "see <link> and <you> <number>"),
        ("don't", "dont"),
        ("don\u2019t", "dont"),
        ("I am a cat", "i am a cat"),
        ("", ""),
        ("!!! ... ***", ""),
    ],
)
def test_disguises(written: str, meant: str) -> None:
    """Capitals, digits, symbols, spaces and letters of other scripts hide nothing."""
    assert " ".join(word.plain for word in words_of(written)) == meant


@given(st.text(max_size=120))
def test_any_text(text: str) -> None:
    """Words stand in order at places of the text, and none is endless; what occurs falls into the slots."""
    words = words_of(text)
    edges = [edge for word in words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)
    assert all(len(word.plain) > 0 for word in words)
    found = grams.features(words, 1024)
    assert found == sorted(set(found))
    assert all(0 <= slot < 1024 for slot in found)


def test_the_recipe_stays() -> None:
    """What a text becomes never changes under this name: the trained model depends on it."""
    found = grams.features(words_of("You are kind."), 1 << 18)
    assert (grams.RECIPE, len(found), sum(found)) == ("grams-1", RECIPE_COUNT, RECIPE_SUM)


RECIPE_COUNT, RECIPE_SUM = 26, 3519487


def test_rows_are_filled_up() -> None:
    """Rows of unequal length become one array; an empty one is only filling."""
    assert texts.padded([[1, 2], [], [3]], 9).tolist() == [[1, 2], [9, 9], [3, 9]]
    assert texts.padded([[]], 9).tolist() == [[9]]
