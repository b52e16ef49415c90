"""What tracks are called in manifests. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from streamhost.model import languages
from streamhost.model.streaming import Purpose, Rendition

WORDS = {Purpose.COMMENTARY: "commentary", Purpose.DESCRIPTION: "audio description"}
"""What is said of a track that has no name of its own, behind its language."""


def audio_label(rendition: Rendition) -> str | None:
    """Return the name of an audio rendition: its own, or its language's with what it is for; ``None`` for neither."""
    if rendition.label:
        return rendition.label
    language = languages.name(rendition.language) if rendition.language else ""
    word = WORDS.get(rendition.purpose, "")
    if not language or not word:
        return language or word.capitalize() or None
    return f"{language} ({word})"


def distinct(labels: Iterable[str]) -> list[str]:
    """Return names of which no two are alike: the number in the list stands behind one that is taken."""
    names: list[str] = []
    for number, label in enumerate(labels, 1):
        names.append(f"{label} ({number})" if label in names else label)
    return names
