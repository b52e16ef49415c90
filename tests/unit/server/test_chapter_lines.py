"""Chapters as people write them, one line each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.details import checked_details
from streamhost.model.errors import InvalidInput
from streamhost.model.videos import ChapterMark
from streamhost.server.pages.wording import chapters_of, chapters_text


def test_lines_become_chapters() -> None:
    """With and without hours, with parts of seconds; empty lines are passed over."""
    assert chapters_of("0:00 Start\n\n  1:02:03.5\tThe end \r\n75:00 Late\n") == [
        {"start": 0.0, "title": "Start"},
        {"start": 3723.5, "title": "The end"},
        {"start": 4500.0, "title": "Late"},
    ]
    assert chapters_of("") == []


@pytest.mark.parametrize(
    ("text", "line"), [("Start", 1), ("0:00", 1), ("0:00 A\n1:75 B", 2), ("1:60:00 A", 1), ("-1:00 A", 1), ("0:0 A", 1)]
)
def test_a_line_without_a_time_is_named(text: str, line: int) -> None:
    """The complaint says which line it is."""
    with pytest.raises(InvalidInput) as caught:
        chapters_of(text)
    assert f"Line {line}" in caught.value.fields["chapters"]


@given(
    st.lists(
        st.tuples(st.integers(0, 100 * 3600 * 1000), st.text("ab cé:1", min_size=1).filter(str.strip)),
        unique_by=lambda one: one[0],
        max_size=20,
    )
)
def test_what_is_shown_can_be_saved_again(chapters: list[tuple[int, str]]) -> None:
    """The text in the form, sent back unchanged, changes nothing."""
    given_chapters = [{"start": milliseconds / 1000, "title": title} for milliseconds, title in chapters]
    marks: tuple[ChapterMark, ...] = checked_details({"chapters": given_chapters})["chapters"]
    assert checked_details({"chapters": chapters_of(chapters_text(marks))})["chapters"] == marks
