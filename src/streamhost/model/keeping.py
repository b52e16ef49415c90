"""How long uploaded files are kept: the words for it, and what they mean. Pure."""

from __future__ import annotations

import re

from streamhost.model.clock import DAY, Timestamp

ALWAYS = "always"
UNTIL_READY = "until-ready"
KEEP_SOURCE = r"^(always|until-ready|days:[1-9][0-9]{0,4})$"
"""`always`; `until-ready`: until every rendition stands; `days:30`: so many days more."""
MEANT = "always, until-ready, or days:30 for so many days after it became ready"
_PATTERN = re.compile(KEEP_SOURCE)


def keep_source(text: str) -> str:
    """The rule as it is written. Raises `ValueError` for anything else."""
    if not _PATTERN.fullmatch(text):
        raise ValueError(f"One of: {MEANT}.")
    return text


def due(rule: str, ready_at: Timestamp) -> Timestamp | None:
    """When the file of a video that became ready at `ready_at` is to go; None for never."""
    if rule == UNTIL_READY:
        return ready_at
    return ready_at + int(rule.removeprefix("days:")) * DAY if rule.startswith("days:") else None
