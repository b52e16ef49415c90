"""From an event to words: facts about it, and sentences with the facts in them."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from streamhost.db import users
from streamhost.db.core import Connection
from streamhost.model.events import Event
from streamhost.model.ids import UserId
from streamhost.model.words import one_line

LONGEST = 500
"""Characters of one fact in a sentence; a description of an error may have pages."""
STEPS = ("bytes", "kB", "MB", "GB", "TB", "PB")
SIZES = ("free", "keep_free", "used", "allowed")
"""Facts that are counted in bytes unless the event says otherwise."""


def data_of(event: Event) -> dict[str, Any]:
    """What a program is told of an event: its fields, without name and time, which stand beside them."""
    return {name: value for name, value in event.payload().items() if name not in ("id", "at")}


async def values_of(conn: Connection, event: Event, site: str) -> dict[str, str]:
    """The facts of an event as words, with the name and address of the user it speaks of."""
    data = data_of(event)
    unit = data.get("unit", "bytes")
    values = {name: size_text(value, unit) if name in SIZES else str(value) for name, value in data.items()}
    user = await users.get(conn, UserId(str(data.get("user_id", ""))))
    if user is not None:
        values |= {"name": user.name, "email": user.email}
    return values | {"site": site}


def words_of(form: str, values: Mapping[str, Any]) -> str:
    """A sentence with facts in it, each on one line and not too long; what is not known is left out."""
    parts = []
    for text, name, _, _ in Formatter().parse(form):
        parts.append(text)
        if name is not None:
            parts.append(_bounded(str(values.get(name, ""))))
    return "".join(parts).strip()


def size_text(amount: int, unit: str = "bytes") -> str:
    """An amount in words: `3.2 GB`, `500 bytes`, `12 videos`."""
    if unit != "bytes":
        return f"{amount} {unit}"
    value, step = float(amount), 0
    while value >= 1000 and step < len(STEPS) - 1:
        value, step = value / 1000, step + 1
    return f"{value:.0f} {STEPS[step]}" if step == 0 or value >= 100 else f"{value:.1f} {STEPS[step]}"


def _bounded(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
