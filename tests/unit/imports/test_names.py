"""What names say: which files are films, what lies beside them, which language captions are in."""

from __future__ import annotations

import pytest

from streamhost.features.imports import names
from streamhost.features.imports.names import CaptionWords
from streamhost.model.imports import shown


@pytest.mark.parametrize("name", ["a.mp4", "A.MKV", "x.y.webm", "film.m4a", "ü 猫.mov"])
def test_media(name: str) -> None:
    """The ending decides what is looked into, in any spelling."""
    assert names.is_media(name)


@pytest.mark.parametrize(
    "name", [".a.mp4", "~a.mp4", "a.mp4~", "a.mp4.part", "a.crdownload", "a.mp4.tmp", "#a.mp4", "a.txt", "mp4", "a.srt"]
)
def test_no_media(name: str) -> None:
    """Hidden, temporary and backup files are not looked into, and neither is what has no ending of a film."""
    assert not names.is_media(name)


def test_what_lies_beside() -> None:
    """Each film gets what is called like it; captions go to the longest name that fits."""
    found = names.beside(
        ["a.mp4", "a.long.mkv", "a.json", "a.en.srt", "a.long.de.forced.vtt", "a-poster.JPG", "a.long.nfo", "b.srt"]
    )
    assert {name: [one.name for one in beside] for name, beside in found.items()} == {
        "a.mp4": ["a.json", "a.en.srt", "a-poster.JPG"],
        "a.long.mkv": ["a.long.nfo", "a.long.de.forced.vtt"],
    }


def test_a_folders_picture_is_for_its_only_film() -> None:
    """`poster.jpg` belongs to the film of a folder that has one; where there are several it belongs to none."""
    assert [one.name for one in names.beside(["a.mp4", "poster.jpg"])["a.mp4"]] == ["poster.jpg"]
    assert names.beside(["a.mp4", "b.mp4", "poster.jpg"]) == {"a.mp4": [], "b.mp4": []}


def test_a_download_that_is_not_over() -> None:
    """A film with a download's own file beside it is left alone."""
    assert list(names.beside(["a.mp4", "a.mp4.aria2", "b.mp4"])) == ["b.mp4"]


def test_our_own_details_count_most() -> None:
    """Of several files of details one counts."""
    assert [one.name for one in names.beside(["a.mp4", "a.nfo", "a.info.json", "a.json"])["a.mp4"]] == ["a.json"]
    assert [one.name for one in names.beside(["a.mp4", "a.nfo", "a.info.json"])["a.mp4"]] == ["a.info.json"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.srt", CaptionWords(None, "", False, False, False)),
        ("a.en.srt", CaptionWords("en", "", False, False, False)),
        ("a.pt-BR.forced.vtt", CaptionWords("pt-BR", "", True, False, False)),
        ("a.eng.sdh.default.srt", CaptionWords("en", "", False, True, True)),
        ("a.en.hi.srt", CaptionWords("en", "", False, True, False)),
        ("a.hi.srt", CaptionWords("hi", "", False, False, False)),
        ("a.Directors Cut.srt", CaptionWords(None, "Directors Cut", False, False, False)),
        ("a.de.Kommentar.srt", CaptionWords("de", "Kommentar", False, False, False)),
    ],
)
def test_caption_names(name: str, words: CaptionWords) -> None:
    """Language, forced, hearing impaired, default and a label stand between the film's name and the ending."""
    assert names.caption_words("a.mp4", name) == words


@pytest.mark.parametrize(
    ("name", "text"), [(b"a\xff.mp4", "a\ufffd.mp4"), ("a\nb", "a\u2423b"), ("\udcff", "?"), ("猫 🎬", "猫 🎬")]
)
def test_names_are_shown_on_one_line(name: bytes | str, text: str) -> None:
    """What is no text, and what would break a line, is replaced."""
    assert shown(name) == text
