"""Places in lists, as texts that clients give back unread."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from streamhost.model.errors import InvalidInput


class InvalidCursor(InvalidInput):
    """That is not a place in this list."""

    code = "invalid_cursor"
    hint = "Use the `next_cursor` of the page before, or none."


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
