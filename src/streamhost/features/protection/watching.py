"""Takes up new signing keys while the server runs, and lets old ones go when their time is up."""

from __future__ import annotations

from streamhost import log
from streamhost.jobs.background import Watch
from streamhost.keyrings import Keyrings, Ring
from streamhost.model.clock import Clock
from streamhost.model.grants import Grants

LOOK_EVERY = 5.0
"""Seconds between two looks at the file's date: a key that was replaced after a leak must not sign much longer."""

_logger = log.get("keys")


def grants_of(keyrings: Keyrings, clock: Clock, life: float) -> Grants:
    """Grants that are signed by the key in use; they live for `life` seconds."""
    ring = keyrings.ring(Ring.GRANTS)
    return Grants(ring.secrets(clock()), clock, life, signs=ring.current.id)


class KeyWatch:
    """Looks now and then whether another process has replaced the key that signs grants."""

    def __init__(self, keyrings: Keyrings, grants: Grants, clock: Clock) -> None:
        self._keyrings = keyrings
        self._grants = grants
        self._clock = clock
        self._known = self._state()
        self._watching = Watch("grant_keys", self._look, LOOK_EVERY)

    def look(self) -> None:
        """Use the keys that count now."""
        state = self._state()
        if state == self._known:
            return
        ring = self._keyrings.ring(Ring.GRANTS)
        self._grants.use(ring.secrets(self._clock()), ring.current.id)
        self._known = state
        _logger.info("The keys that sign grants were taken up", action="grant_keys", signs=ring.current.id)

    async def start(self) -> None:
        """Look every few seconds."""
        self.look()
        self._watching.start()

    async def stop(self) -> None:
        """Stop looking. Safe to call twice."""
        await self._watching.stop()

    def _state(self) -> tuple[int, frozenset[int]]:
        """Which key signs, and which verify."""
        ring = self._keyrings.ring(Ring.GRANTS)
        return ring.current.id, frozenset(ring.secrets(self._clock()))

    async def _look(self) -> None:
        self.look()
