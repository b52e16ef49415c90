"""What players say of themselves while they ask for segments (CMCD): noticed on the delivery path, read elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from streamhost.features.analytics import Overheard
from streamhost.model.clock import Clock
from streamhost.model.cmcd import HEADERS
from streamhost.model.grants import Grant
from streamhost.server.door import Scope

ARGUMENT = b"CMCD="
_SAID = frozenset(HEADERS)
_PRIVATE = ((b"sec-gpc", b"1"), (b"dnt", b"1"))
"""As `visitors.wants_privacy`, in the form in which headers stand here."""
_AGENT = b"user-agent"
_LONGEST_AGENT = 512

Hears = Callable[[Scope, Grant], None]


def hears(tell: Callable[[Overheard], None], clock: Clock) -> Hears:
    """What looks whether a request says something, and tells it. Costs a request that says nothing about a
    microsecond."""

    def look(scope: Scope, grant: Grant) -> None:
        query: bytes = scope["query_string"]
        headers = scope["headers"]
        said = [value for name, value in headers if name in _SAID]
        if not said and not (query and ARGUMENT in query):
            return
        agent = next((value for name, value in headers if name == _AGENT), b"")[:_LONGEST_AGENT].decode("latin-1")
        private = any(pair in headers for pair in _PRIVATE)
        tell(Overheard(grant, scope["path"], query, b",".join(said), agent, private, clock()))

    return look
