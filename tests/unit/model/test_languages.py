"""Language codes out of files, and their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model import languages


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("FRE", "fr"),
        ("pt-br", "pt-BR"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("haw", "haw"),
        ("iw", "he"),
        ("und", None),
        ("mul", None),
        ("", None),
        (None, None),
        ("english", None),
        ("e\nn", None),
        ("en-" + "x" * 40, None),
    ],
)
def test_codes_become_tags(code: str | None, tag: str | None) -> None:
    """Both forms of ISO 639-2 and careless spellings end as the one tag of RFC 5646; anything else is no language."""
    assert languages.tag(code) == tag


def test_languages_call_themselves() -> None:
    """A name is in its own language; a region stays visible; an unknown tag is its own name."""
    assert [languages.name(tag) for tag in ("de", "pt-BR", "ja", "haw")] == [
        "Deutsch",
        "Português (BR)",
        "日本語",
        "haw",
    ]


def test_the_table_is_whole() -> None:
    """All 184 languages of ISO 639-1 are there, each with a name and a code of three letters."""
    assert len(languages.known()) == 184
    for tag, name in languages.known():
        assert len(tag) == 2
        assert name
        assert languages.tag(languages.three_letters(tag)) == tag


@given(st.text(max_size=12))
def test_a_tag_is_a_tag_for_ever(text: str) -> None:
    """Whatever comes in, what comes out is stable, and fits into MP4's three letters."""
    tag = languages.tag(text)
    assert languages.tag(tag) == tag
    assert len(languages.three_letters(tag)) == 3
