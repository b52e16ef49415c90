"""Which tables a statement writes to, read from its text."""

from __future__ import annotations

import re
from functools import lru_cache

_WRITTEN = re.compile(
    r"\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+\"?(\w+)", re.IGNORECASE
)


@lru_cache(maxsize=2048)
def tables_of(sql: str) -> frozenset[str]:
    """The tables that a statement names as those it changes; what triggers and cascades change is not among them.

    It may name too many, such as what follows UPDATE in an upsert, never too few."""
    return frozenset(_WRITTEN.findall(sql))
