"""Text of others: what is left of it, and on how many lines."""

from __future__ import annotations

import pytest

from streamhost.model.words import blanked, one_line, printable, tidied

TEXT = "  Two \x1b[31mlines,\r\n\u202eone  after\tthe other. \n"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (printable, "  Two [31mlines,one  afterthe other. "),
        (blanked, "  Two  [31mlines,   one  after the other.  "),
        (one_line, "Two [31mlines, one after the other."),
        (tidied, "Two [31mlines,\none  afterthe other."),
    ],
)
def test_nothing_is_left_that_could_move_a_cursor(made: object, expected: str) -> None:
    """Control signs and marks of direction go, or become spaces; line ends stay where lines are wanted."""
    assert callable(made)
    assert made(TEXT) == expected
