"""How a search text is understood, whatever it is, and which words were probably meant."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamhost.model.search import (
    MAX_TERMS,
    Query,
    Term,
    distance,
    errors_allowed,
    likely,
    match_of,
    parse,
    suggestion_match,
    trigrams,
    without_of,
    words_in,
)

FILM = ("Big Buck Bunny: the making of", "A rabbit, three rodents and an apple.", '["blender", "open movie"]')


def index() -> sqlite3.Connection:
    """An index like that of the catalog, with one film in it."""
    conn = sqlite3.connect(":memory:")
    conn.execute(
        "CREATE VIRTUAL TABLE f USING fts5(title, description, tags, tokenize='unicode61 remove_diacritics 2')"
    )
    conn.execute("INSERT INTO f VALUES (?, ?, ?)", FILM)
    return conn


INDEX = index()


def finds(match: str) -> bool:
    """Whether an expression finds the film."""
    return bool(INDEX.execute("SELECT 1 FROM f WHERE f MATCH ?", (match,)).fetchall())


def test_operators_are_understood() -> None:
    """Phrases, exclusions, fields; field names in any case; a quote that nobody closed."""
    assert parse('big "open movie" -cat title:bunny TAG:"open movie" by:alice') == Query(
        (Term("big"), Term("open movie", phrase=True), Term("bunny", title_only=True)),
        (Term("cat"),),
        ("open movie",),
        "alice",
    )
    assert parse('"never closed') == Query((Term("never closed", phrase=True),))
    assert parse(' - * \' \x00 🎬 ""') == Query()
    assert parse("tag:").words == ("tag",), "somebody is still typing"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bun", True),
        ("RABBIT bíg", True),
        ("big -rabbit", False),
        ("big -cat", True),
        ("title:rabbit", False),
        ("title:buck", True),
        ('"buck bunny"', True),
        ('"bunny buck"', False),
        ("making-of", True),
        ("tag:blender", True),
        ('tag:"open movie" bunny', True),
        ("tag:rabbit", False),
        ("a", True),
        ("bi ma th", True),
        ("OR", False),
        ("NEAR(big buck)", False),
    ],
)
def test_what_is_found(text: str, found: bool) -> None:
    """Words begin words, phrases stand as they are, and operators of the database are only words."""
    assert finds(match_of(parse(text))) is found


SIGNS = st.text(st.sampled_from("ab\"'-*:^(){}+,. \x00\n🎬ñ中tagtitleby:") | st.characters(), max_size=60)


@settings(max_examples=300, deadline=None)
@given(SIGNS)
@example('"' * 10_000)
@example("a" * 10_000)
@example("-" * 5_000 + "x:" * 2_500)
@example("\x00 \ud800".encode("utf-8", "replace").decode())
@example("tag:" * 3_000)
def test_no_text_breaks_a_search(text: str) -> None:
    """Quotes, operators, emoji, NUL, ten thousand signs: each becomes an expression that the database takes."""
    query = parse(text)
    assert len(query.terms) + len(query.without) + len(query.tags) <= MAX_TERMS
    instead = {word: ["other", "words"] for word in query.words}
    for match in (match_of(query), match_of(query, instead, ["more"]), without_of(query), suggestion_match(text)):
        if match:
            finds(match)


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [("flim", "film", 1), ("rabit", "rabbit", 1), ("rabbit", "rabbit", 0), ("bunney", "bunny", 1), ("x", "rabbit", 3)],
)
def test_errors_are_counted(one: str, other: str, errors: int) -> None:
    """A swap of neighbours is one error; what is over the limit is just over it."""
    assert distance(one, other, 2) == distance(other, one, 2) == errors


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_the_count_is_sane(one: str, other: str, tail: str) -> None:
    """It is symmetric, nothing for equals, and what is common at the end changes nothing."""
    assert distance(one, other, 8) == distance(other, one, 8)
    assert (distance(one, other, 8) == 0) == (one == other)
    assert distance(one + tail, other + tail, 16) == distance(one, other, 16)


def test_what_was_probably_meant() -> None:
    """Fewest errors first, then the same first letter, then the commoner word; short words stay as they are."""
    assert likely("flim", [("firm", 9), ("film", 2), ("flam", 3), ("clim", 50)]) == ["flam", "film", "clim"]
    assert likely("flim", [("firm", 9), ("film", 2)]) == ["film"]
    assert likely("cta", [("cat", 9)]) == []
    assert likely("tube", [("youtube", 3), ("cube", 1)]) == ["cube", "youtube"]
    assert likely("Kätzchn", [("katzchen", 1)]) == ["katzchen"]
    assert [errors_allowed("x" * length) for length in (3, 4, 7, 8)] == [0, 1, 1, 2]


def test_words_are_spelled_as_the_index_does() -> None:
    """Small letters without accents, each once; numbers and very short words are no words to learn."""
    assert words_in('Ça va, Café? cafe 2024 I1 "été"') == ["cafe", "ete"]
    assert trigrams("film") == ["  f", " fi", "fil", "ilm", "lm "]
    assert suggestion_match("big bu") == '{title tags} : ("big" AND "bu"*)'
    assert suggestion_match("b") == suggestion_match("") == ""
