"""What players say of themselves while they ask for segments (CMCD): noticed on the delivery path, read elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamhost.features.analytics import Overheard
from streamhost.model.clock import Clock
from streamhost.model.cmcd import HEADERS
from streamhost.model.grants import Grant
from streamhost.server.door import Scope
from streamhost.server.visitors import wants_privacy

ARGUMENT = b"CMCD="
_WANTED = frozenset(HEADERS)
_LONGEST_AGENT = 512

Hears = Callable[[Scope, Grant], None]


def hears(tell: Callable[[Overheard], None], clock: Clock) -> Hears:
    """What looks whether a request says something, and tells it. Costs a request that says nothing about a
    microsecond."""

    def look(scope: Scope, grant: Grant) -> None:
        query: bytes = scope["query_string"]
        told = [value for name, value in scope["headers"] if name in _WANTED]
        if told or (query and ARGUMENT in query):
            tell(_overheard(scope, grant, query, b",".join(told), clock()))

    return look


def _overheard(scope: Scope, grant: Grant, query: bytes, told: bytes, now: float) -> Overheard:
    headers: dict[str, Any] = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    agent = headers.get("user-agent", "")[:_LONGEST_AGENT]
    return Overheard(grant, scope["path"], query, told, agent, wants_privacy(headers), now)
