"""What creators may say of a video, and what places in lists are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.cursors import InvalidCursor, decoded, encoded
from streamhost.model.details import checked_details
from streamhost.model.errors import InvalidInput
from streamhost.model.videos import Visibility


def test_good_details_are_tidied() -> None:
    """Titles lose stray space and control signs, tags are lower case and unique, emoji survive."""
    details = checked_details(
        {
            "title": "  The \u202e Film \n",
            "tags": ["Rome ", "rome", " Forum"],
            "visibility": "public",
            "description": "👨‍👩‍👧",
        }
    )
    assert details == {
        "title": "The Film",
        "tags": ("rome", "forum"),
        "visibility": Visibility.PUBLIC,
        "description": "👨‍👩‍👧",
    }


def test_every_wrong_field_is_named() -> None:
    """One answer names all that is wrong."""
    with pytest.raises(InvalidInput) as caught:
        checked_details({"title": " ", "tags": "no list", "visibility": "secret", "owner_id": "x", "description": 3})
    assert set(caught.value.fields) == {"title", "tags", "visibility", "owner_id", "description"}


@given(st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_a_cursor_comes_back_as_it_went(moment: float, last: str) -> None:
    """Encoding and decoding a place in a list are inverse."""
    assert decoded(encoded([moment, last]), [float, str]) == [moment, last]


@given(st.text())
def test_a_made_up_cursor_is_refused(text: str) -> None:
    """Whatever is sent as a cursor ends in a named error or a well-formed place."""
    try:
        values = decoded(text, [float, str])
    except InvalidCursor:
        return
    assert [type(value) for value in values] == [float, str]
