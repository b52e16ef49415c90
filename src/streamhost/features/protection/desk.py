"""The keys of an instance, for whoever runs it: which there are, and replacing them. No secret is ever shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.db import audit as audit_rows
from streamhost.db.core import Database
from streamhost.features.protection.local import LocalKeySource, Wrapping
from streamhost.keyrings import Keyrings, Ring, RingKey
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import Clock, Timestamp


@dataclass(frozen=True, slots=True)
class KeyState:
    """The keys that sign grants, the newest last, and those that wrap content keys, at the moment `now`."""

    grants: Sequence[RingKey]
    wrapping: Sequence[Wrapping]
    now: Timestamp


@dataclass(frozen=True, slots=True)
class Replaced:
    """Ids of the keys that sign and wrap from now on, and how many content keys were wrapped anew."""

    grants: int
    wrapping: int
    wrapped: int


class KeyDesk:
    """Lists and replaces the keys of one instance."""

    def __init__(
        self, db: Database, keyrings: Keyrings, local: LocalKeySource, clock: Clock, grants_live: float
    ) -> None:
        """`grants_live`: seconds that a grant lives, and so the key that signed it."""
        self._db = db
        self._keyrings = keyrings
        self._local = local
        self._clock = clock
        self._grants_live = grants_live

    async def state(self) -> KeyState:
        """How they stand."""
        return KeyState(self._keyrings.ring(Ring.GRANTS).keys, await self._local.wrappings(), self._clock())

    async def replace(self, by: Actor, *, at_once: bool) -> Replaced:
        """Replace both kinds. `at_once`: grants that are out end now; else they go on until they run out.

        A running server takes the new ones up within seconds. Content keys stay what they are and are wrapped anew, in
        one transaction."""
        fresh = self._keyrings.replace(Ring.GRANTS, self._clock(), 0.0 if at_once else self._grants_live)
        wrapping, wrapped = await self._local.replace_wrapping()
        old = "at once" if at_once else "as grants run out"
        details = {"grants": str(fresh.id), "wrapping": str(wrapping), "old": old}
        async with self._db.write() as conn:
            await audit_rows.insert(conn, AuditEntry(self._clock(), Act.KEYS_REPLACED, by, details=details))
        return Replaced(fresh.id, wrapping, wrapped)
