"""Pages of lists: how long they may be, and places in lists as texts that clients give back unread."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from streamhost.model.clock import Timestamp
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import is_id

Id = TypeVar("Id", bound=str)
NUMBER_DIGITS = 18
"""Digits of the largest numbers that any database takes (64 bits)."""


class InvalidCursor(InvalidInput):
    """That is not a place in this list."""

    code = "invalid_cursor"
    hint = "Use the `next_cursor` of the page before, or none."

    def __init__(self, detail: str = "", *, hint: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, hint=hint, fields=fields or {"cursor": "That is not a place in this list."})


def check_limit(limit: int, most: int) -> None:
    """Raise `InvalidInput` for a page of no length, or longer than `most`."""
    if not 1 <= limit <= most:
        raise InvalidInput(fields={"limit": f"From 1 to {most}."})


def one_more(limit: int, most: int) -> int:
    """One row more than a page has, which tells whether there is a next one. Raises as `check_limit`."""
    check_limit(limit, most)
    return limit + 1


def encoded(values: Sequence[Any]) -> str:
    """A cursor that holds these values."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def decoded(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The values of a cursor, of exactly these types. Raises `InvalidCursor`."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidCursor from None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise InvalidCursor
    return values


def by_time(cursor: str | None, kind: Callable[[str], Id]) -> tuple[Timestamp, Id] | None:
    """The moment and the id, of this kind, at which a page of a list by time ended; None at its beginning.

    Raises `InvalidCursor`."""
    if not cursor:
        return None
    moment, last = decoded(cursor, [float, str])
    if not is_id(last):
        raise InvalidCursor
    return moment, kind(last)


def by_number(cursor: str | None) -> int | None:
    """The number, from 1, at which a page of a numbered list ended; None at its beginning. Raises `InvalidCursor`."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= NUMBER_DIGITS and int(cursor)):
        raise InvalidCursor
    return int(cursor)
