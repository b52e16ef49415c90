"""Errors: one code each, a sentence, a status at the door, an entry in the reference."""

from __future__ import annotations

import re
from collections import Counter

import pytest

import reference
from streamhost.model.errors import StreamhostError
from tests.house.tree import ROOT

ERRORS = reference.every_error()


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: str(kind.__name__))
def test_an_error_speaks_for_itself(kind: type[StreamhostError]) -> None:
    """An error class has a code of its own and a docstring whose first line is a sentence for people."""
    assert re.fullmatch(r"[a-z][a-z0-9_]*", kind.code)
    assert "code" in vars(kind), "the code is inherited; give it one of its own"
    assert re.fullmatch(r"[A-Z].*[.!?]", kind.title()), kind.title()
    assert kind.hint is None or kind.hint.endswith((".", "?", "!")), kind.hint


def test_codes_are_unique() -> None:
    """A code names one situation, so that programs can tell them apart."""
    assert {code: n for code, n in Counter(kind.code for kind in ERRORS).items() if n > 1} == {}


def test_every_code_is_documented() -> None:
    """The reference lists every code."""
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    assert [kind.code for kind in ERRORS if f"`{kind.code}`" not in page] == []
