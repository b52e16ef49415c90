"""Ranges and conditions, by the text of RFC 9110."""

from __future__ import annotations

import pytest

from streamhost.server.ranges import Range, Unsatisfiable, match, requested

ETAG = b'"abc"'
MODIFIED = 1_700_000_000
DATE, LATER, EARLIER = (
    b"Tue, 14 Nov 2023 22:13:20 GMT",
    b"Tue, 14 Nov 2023 22:13:21 GMT",
    b"Tue, 14 Nov 2023 22:13:19 GMT",
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"bytes=0-0", Range(0, 1)),
        (b"bytes=0-99", Range(0, 100)),
        (b"bytes=10-", Range(10, 100)),
        (b"bytes=-1", Range(99, 100)),
        (b"bytes=-1000", Range(0, 100)),
        (b"bytes=90-1000", Range(90, 100)),
        (b"BYTES = 5 - 6 ", Range(5, 7)),
        (b"bytes=0-9,20-29", None),
        (b"bytes=9-5", None),
        (b"bytes=-", None),
        (b"bytes=a-b", None),
        (b"items=0-9", None),
        (b"bytes=1", None),
        (b"", None),
        (b"bytes=" + b"9" * 30 + b"-", None),
    ],
)
def test_what_is_asked_for(header: bytes, expected: Range | None) -> None:
    """One byte range is honoured; whatever is no such thing is ignored, as section 14.2 asks."""
    assert requested(header, None, 100, ETAG, MODIFIED) == expected


@pytest.mark.parametrize("header", [b"bytes=100-", b"bytes=100-200", b"bytes=-0"])
def test_no_such_bytes(header: bytes) -> None:
    """A range that starts behind the end cannot be satisfied."""
    with pytest.raises(Unsatisfiable):
        requested(header, None, 100, ETAG, MODIFIED)


@pytest.mark.parametrize("header", [b"bytes=0-", b"bytes=-5"])
def test_nothing_of_an_empty_file(header: bytes) -> None:
    """An empty file has no range at all."""
    with pytest.raises(Unsatisfiable):
        requested(header, None, 0, ETAG, MODIFIED)


@pytest.mark.parametrize(
    ("if_range", "expected"),
    [
        (ETAG, Range(0, 10)),
        (b'"other"', None),
        (b'W/"abc"', None),
        (DATE, Range(0, 10)),
        (LATER, None),
        (EARLIER, None),
        (b"nonsense", None),
    ],
)
def test_if_range(if_range: bytes, expected: Range | None) -> None:
    """The part only of the very same version: a strong tag, or exactly its date (section 13.1.5)."""
    assert requested(b"bytes=0-9", if_range, 100, ETAG, MODIFIED) == expected


@pytest.mark.parametrize(
    ("none_match", "modified_since", "expected"),
    [
        (ETAG, None, True),
        (b'W/"abc"', None, True),
        (b'"x", "abc" , "y"', None, True),
        (b"*", None, True),
        (b'"x"', None, False),
        (b"abc", None, False),
        (None, DATE, True),
        (None, LATER, True),
        (None, EARLIER, False),
        (None, b"yesterday", False),
        (b'"x"', LATER, False),
        (ETAG, EARLIER, True),
    ],
)
def test_not_modified(none_match: bytes | None, modified_since: bytes | None, expected: bool) -> None:
    """A known tag or date means 304; the tag beats the date (section 13.2.2)."""
    assert match(none_match, modified_since, ETAG, MODIFIED) is expected
