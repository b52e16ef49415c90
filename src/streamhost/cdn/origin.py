"""No CDN: this server is the only place that segments come from."""

from __future__ import annotations

from collections.abc import Sequence

from streamhost.cdn.keys import check_object
from streamhost.model.cdn import Way
from streamhost.model.clock import Timestamp
from streamhost.model.tickets import Tickets


class OriginCdn:
    """Sends viewers nowhere else. There are no copies, so bringing and dropping them is done at once."""

    way: Way = Way.DIRECT
    base_url = ""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    def url(self, key: str, expires_at: Timestamp) -> str:
        """A path on this server, good for this object alone."""
        return self._tickets.path(check_object(key), expires_at)

    async def push(self, keys: Sequence[str]) -> None:
        """Nothing to do."""

    async def purge(self, prefixes: Sequence[str]) -> None:
        """Nothing to do."""
