"""The audit log, for admins to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.db import audit as rows
from streamhost.db.core import Database
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import Clock, system_clock
from streamhost.model.cursors import by_number, one_more
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import UserId

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of the log, newest first, and where the next one starts."""

    items: Sequence[AuditEntry]
    next_cursor: str | None


class Audit:
    """Reads the log. What changes the catalog is written down where it happens, in the same transaction."""

    def __init__(self, db: Database, clock: Clock = system_clock) -> None:
        self._db = db
        self._clock = clock

    async def note(self, act: Act, by: Actor, **details: str) -> None:
        """Write down an act that changes something outside the catalog."""
        async with self._db.write() as conn:
            await rows.insert(conn, AuditEntry(self._clock(), act, by, details=details))

    async def entries(
        self, cursor: str | None = None, limit: int = 50, act: str | None = None, user_id: UserId | None = None
    ) -> AuditPage:
        """Newest first; perhaps of one act, or of one user as actor or subject. Raises `InvalidInput`."""
        rows_asked, before = one_more(limit, MAX_PAGE), by_number(cursor)
        if act and act not in list(Act):
            raise InvalidInput(fields={"act": f"One of {', '.join(Act)}."})
        async with self._db.read() as conn:
            found = await rows.listed(conn, rows_asked, before, Act(act) if act else None, user_id or None)
        items = found[:limit]
        return AuditPage(items, str(items[-1].number) if len(found) > limit else None)
