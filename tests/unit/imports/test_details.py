"""Files of details: ours is taken at its word, those of others as far as they fit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.features.imports import details
from streamhost.features.imports.errors import SidecarInvalid
from streamhost.model.videos import ChapterMark, Protection, Visibility


def test_our_own() -> None:
    """Every field that the API lets one set, a language, and when it came out."""
    said = {
        "title": " A  film ",
        "description": "Words.",
        "tags": ["Sea", "sea"],
        "visibility": "unlisted",
        "protection": "cenc",
        "chapters": [{"start": 0, "title": "One"}],
        "language": "pt-br",
        "published_at": "2024-05-01T12:00:00Z",
        "password": "opens it",
    }
    found = details.read("a.json", json.dumps(said).encode())
    assert found.fields == {
        "title": "A film",
        "description": "Words.",
        "tags": ("sea",),
        "visibility": Visibility.UNLISTED,
        "protection": Protection.CENC,
        "chapters": (ChapterMark(0.0, "One"),),
    }
    assert (found.language, found.published_at, found.password) == ("pt-BR", 1714564800.0, "opens it")
    assert "opens it" not in repr(found)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"visibility": "pubic"}, "visibility"),
        ({"title": ""}, "title"),
        ({"owner": "root"}, "owner"),
        ({"language": "klingon!"}, "language"),
        ({"published_at": "soon"}, "published_at"),
    ],
)
def test_mistakes_of_our_own_are_told(said: dict[str, Any], field: str) -> None:
    """What a video cannot have stops the import, by the name of the field: a typing error must not publish a film."""
    with pytest.raises(SidecarInvalid) as caught:
        details.read("a.json", json.dumps(said).encode())
    assert field in caught.value.fields


def test_what_is_meant_to_break_us_says_nothing() -> None:
    """Chapters at numbers that no clock has, and entities, also in the two-byte form of XML."""
    odd = b'{"extractor": "x", "title": "A", "chapters": [{"start_time": 1%s, "title": "far"}]}' % (b"0" * 400)
    assert details.read("a.json", odd).fields == {"title": "A"}
    entities = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE m [<!ENTITY a "b">]><movie><title>&a;</title></movie>'
    for coding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert details.read("a.nfo", entities.encode(coding)) == details.NOTHING


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json(data: bytes) -> None:
    """Broken files are told, too."""
    with pytest.raises(SidecarInvalid):
        details.read("a.json", data)


def test_of_yt_dlp() -> None:
    """What yt-dlp writes is cut to what fits; what it does not say is left to others."""
    said = {
        "title": "x" * 500,
        "description": "About.",
        "tags": ["One", None, "t" * 90],
        "categories": ["Film"],
        "chapters": [
            {"start_time": 5.0, "title": "B"},
            {"start_time": 0, "title": "A"},
            {"start_time": 0, "title": "C"},
        ],
        "upload_date": "20240501",
        "language": "en",
        "formats": [{"url": "x"}] * 3,
    }
    found = details.read("a.info.json", json.dumps(said).encode())
    assert found.fields["title"] == "x" * 200
    assert found.fields["tags"] == ("one", "t" * 50, "film")
    assert found.fields["chapters"] == (ChapterMark(0.0, "A"), ChapterMark(5.0, "B"))
    assert (found.language, found.published_at) == ("en", 1714521600.0)


def test_of_kodi() -> None:
    """Title, plot, tags and genres of an `.nfo`; one that holds only a link says nothing."""
    text = "<movie><title>Sea</title><plot>Water.</plot><tag>Blue</tag><genre>Nature</genre>"
    text += "<premiered>2024-05-01</premiered></movie>"
    found = details.read("a.nfo", text.encode())
    assert found.fields == {"title": "Sea", "description": "Water.", "tags": ("blue", "nature")}
    assert found.published_at == 1714521600.0
    assert details.read("a.nfo", b"https://example.org/film") == details.NOTHING


def test_entities_are_not_expanded() -> None:
    """A file with a document type is not read at all: it could name other files, or grow without end."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><movie><title>&b;</title></movie>'
    assert details.read("a.nfo", bomb) == details.NOTHING


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_nothing_else_is_raised(data: bytes) -> None:
    """Whatever lies beside a film, it is understood, left out or refused."""
    for name in ("a.json", "a.info.json", "a.nfo"):
        try:
            details.read(name, data)
        except SidecarInvalid as error:
            assert error.permanent


@given(
    st.dictionaries(
        st.sampled_from(["title", "tags", "chapters", "upload_date", "timestamp", "language"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["start_time", "title"]), inner, max_size=2)
            ),
            max_leaves=5,
        ),
    )
)
def test_strange_details_of_others(said: dict[str, Any]) -> None:
    """Fields of any type in a file of yt-dlp's are taken as far as they fit."""
    details.read("a.info.json", json.dumps(said).encode())
