"""Ranges and conditions of a request, as pure rules (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from streamhost.model.errors import StreamhostError

_SINGLE = re.compile(rb"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE)
_ENTITY_TAG = re.compile(rb'(?:W/)?"[^"]*"')


class Range(NamedTuple):
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int


class Unsatisfiable(StreamhostError):
    """There are no bytes in that range."""

    code = "range_not_satisfiable"
    permanent = True

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes.")
        self.size = size


def requested(header: bytes, if_range: bytes | None, size: int, etag: bytes, modified: int) -> Range | None:
    """The one range asked for, None if the whole is to be sent: no single byte range, or another version is meant.

    Several ranges at once are answered with the whole, as section 14.2 allows. Raises `Unsatisfiable`.
    """
    found = _SINGLE.fullmatch(header)
    if found is None or (if_range is not None and not _same(if_range, etag, modified)):
        return None
    first, last = found.groups()
    if not first:
        if not last:
            return None
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable(size)
        return Range(size - length, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable(size)
    return Range(start, min(int(last) + 1, size) if last else size)


def match(none_match: bytes | None, modified_since: bytes | None, etag: bytes, modified: int) -> bool:
    """Whether what the client has is still good. If-None-Match wins over If-Modified-Since (section 13.2.2)."""
    if none_match is not None:
        return none_match.strip() == b"*" or etag in (
            tag.removeprefix(b"W/") for tag in _ENTITY_TAG.findall(none_match)
        )
    moment = _moment(modified_since or b"")
    return moment is not None and modified <= moment


def _same(if_range: bytes, etag: bytes, modified: int) -> bool:
    """If-Range: a strong tag that is equal, or exactly the date of this version (section 13.1.5)."""
    value = if_range.strip()
    return value == etag if value.startswith((b'"', b"W/")) else _moment(value) == modified


def _moment(value: bytes) -> int | None:
    """Seconds since 1970 of an HTTP date, None if it is none."""
    try:
        return int(parsedate_to_datetime(value.decode("ascii")).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
