"""What players say about themselves in requests for media: Common Media Client Data (CTA-5004 and CTA-5004-A).

The same pairs stand in the query argument `CMCD` or, dealt out over four header fields, in `CMCD-Object`,
`CMCD-Request`, `CMCD-Session` and `CMCD-Status` (clause 2). Clauses below are those of CTA-5004 with the list of keys
in its table 1; keys that only version 2 has are marked so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MOST_TEXT = 4096
"""Characters that are looked at; what players send is a few hundred."""
HEADERS = (b"cmcd-object", b"cmcd-request", b"cmcd-session", b"cmcd-status")
_PAIR = re.compile(r'\s*([A-Za-z][A-Za-z0-9.-]*)(?:=("(?:[^"\\]|\\.)*"|[^,]*))?\s*(?:,|$)')
_LONGEST_SID = 64
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Cmcd:
    """What one request says. Times are seconds, None where nothing was said.

    session: `sid`; buffered: `bl`; starved: the buffer ran empty since the request before, `bs`; starved_for: `bsd`
    (version 2); rate: `pr`; first_frame: `msd`, from the wish to play to the first picture (version 2).
    """

    session: str | None = None
    buffered: float | None = None
    starved: bool = False
    starved_for: float | None = None
    rate: float | None = None
    first_frame: float | None = None


def parsed(text: str) -> Cmcd:
    """Read the pairs of one request; headers are given as one text, joined by commas. What cannot be read is left out:
    a player that speaks badly plays nevertheless."""
    pairs = _pairs(text[:MOST_TEXT])
    sid = pairs.get("sid", "")
    return Cmcd(
        session=sid[:_LONGEST_SID] or None,
        buffered=_time(pairs, "bl"),
        starved=_flag(pairs, "bs"),
        starved_for=_time(pairs, "bsd"),
        rate=_number(pairs, "pr"),
        first_frame=_time(pairs, "msd"),
    )


def _pairs(text: str) -> dict[str, str]:
    """Keys and values. A key alone is a true flag (clause 2, rule 5); strings stand in quotes with backslashes before
    quotes and backslashes (rule 4)."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None or match.end() == at:
            at = text.find(",", at) + 1 or len(text)
            continue
        key, value = match.groups()
        if value is None:
            value = "true"
        elif value.startswith('"') and value.endswith('"') and len(value) > 1:
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found.setdefault(key, value.strip())
        at = match.end()
    return found


def _flag(pairs: Mapping[str, str], key: str) -> bool:
    return pairs.get(key, "false").lower() in ("true", "?1")


def _number(pairs: Mapping[str, str], key: str) -> float | None:
    """A number that makes sense. Version 2 gives lists for some keys, such as `(3200;v 128;a)`: the first counts."""
    text = re.match(r"\(?\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)", pairs.get(key, ""))
    return float(text[1]) if text else None


def _time(pairs: Mapping[str, str], key: str) -> float | None:
    number = _number(pairs, key)
    return None if number is None else number / _MILLISECONDS
