"""How many event streams may be open: each holds one of the connections that the server has, for as long as somebody
likes. Without a bound, one visitor with a thousand of them would be the last one who is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from streamhost.features.accounts.limits import network_of
from streamhost.model.accounts import Viewer

MOST = 512
"""All together: half of the connections, so that half are left for everything else."""
MOST_OF_ONE = 48
"""Of one account, or of one network of people who are not signed in. A browser opens six at most to one server, and
its tabs share the one for notifications."""


class EventStreams:
    """Counts those that are open."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._open: Counter[str] = Counter()

    def open(self, scope: Mapping[str, Any]) -> str | None:
        """Count one more, by the name that is to be given to `close`; None where there are too many."""
        viewer, client = scope.get("user"), scope.get("client")
        if isinstance(viewer, Viewer) and viewer.id:
            whose = f"account {viewer.id}"
        else:
            whose = network_of(client[0]) if client else ""
        # A proxy that is not trusted stands for everybody.
        if self._open.total() >= self._most or (whose and self._open[whose] >= self._most_of_one):
            return None
        self._open[whose] += 1
        return whose

    def close(self, whose: str) -> None:
        """One of these has ended."""
        self._open[whose] -= 1
        if not self._open[whose]:
            del self._open[whose]
