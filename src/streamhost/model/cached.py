"""What is kept in caches: the families of answers, how long each is good, and what makes it stale. All of it is here.

An answer that is worked out from tables of the catalog is forgotten as soon as a transaction has written to one of
them; others are dropped by name by whoever changes what they were made from. What is removed by a cascade counts as a
change of the table in which the removal began, so a family names the tables above its own too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Answers of one kind. Times in seconds; `shared` is 0 for what never leaves the process."""

    name: str
    local: float
    shared: float = 0.0
    remote: float = 0.0
    """Like `shared`, where the shared store is a server: reading a file takes as long as asking the catalog."""
    tables: frozenset[str] = frozenset()


VIDEO_TABLES = frozenset({"users", "videos", "packages", "renditions", "replacements", "review_cases"})

METADATA = Family("metadata", local=60, remote=60, tables=VIDEO_TABLES)
"""Videos by id and the first page of the newest ones, as the catalog has them. Who may see them is decided anew each
time."""
SESSIONS = Family("sessions", local=5, remote=30, tables=frozenset({"users", "sessions"}))
"""Whose session it is."""
SUGGESTIONS = Family("suggestions", local=30, tables=VIDEO_TABLES)
"""What completes the first letters of a search, for those who are not signed in."""
RECOMMENDATIONS = Family("recommendations", local=3600, shared=3600)
"""Rankings: ids, scores, reasons. Dropped for a viewer by what the viewer does; who may see them is decided anew."""
ROWS = Family("rows", local=60, shared=600)
"""Rankings of the home page that are the same for all, such as what is trending: ids, looked up anew each time."""

FAMILIES: Mapping[str, Family] = {
    family.name: family for family in (METADATA, SESSIONS, SUGGESTIONS, RECOMMENDATIONS, ROWS)
}


def written(family: Family, tables: frozenset[str]) -> bool:
    """Whether a transaction that wrote to these tables makes the answers of a family stale."""
    return not family.tables.isdisjoint(tables)
