"""Watches what ends: what other processes end beside this one, and what was ended before this one started.

Permissions to play are taken back in memory. The audit log is on disk and written in the transaction of what it tells
of, so reading on in it finds every end that this process has not made itself.
"""

from __future__ import annotations

from streamhost.db import audit as rows
from streamhost.db import sessions as session_rows
from streamhost.features.accounts.means import Means
from streamhost.features.accounts.signed_in import TRUSTED_SECONDS
from streamhost.jobs.background import Watch
from streamhost.model.audit import Act, AuditEntry
from streamhost.model.ids import SessionId, UserId

PAGE = 500
OF_A_SESSION = {
    Act.SIGNED_OUT: "session",
    Act.SESSION_ENDED: "session",
    Act.REFRESH_TOKEN_REUSED: "session",
    Act.API_TOKEN_REVOKED: "token",
}
"""Acts that end one session, or one API token, and the detail that names it."""
OF_A_USER = frozenset(
    {
        Act.ALL_SESSIONS_ENDED,
        Act.PASSWORD_RESET,
        Act.ROLE_CHANGED,
        Act.USER_DISABLED,
        Act.USER_DELETED,
    }
)
"""Acts that end what hangs on any session of a user. Whoever stays signed in asks for a new permission and goes on. A
changed password ends all sessions but one, so those are looked up."""


class Endings:
    """Reads on in the audit log, and passes on what has ended. `look_back`: how long before now still matters, in
    seconds."""

    def __init__(self, means: Means, look_back: float) -> None:
        self._means = means
        self._look_back = look_back
        self._read_to: int | None = None
        self._watching = Watch("endings", self.read_on, TRUSTED_SECONDS)

    async def start(self) -> None:
        """Pass on what ended lately, and from now on."""
        await self.read_on()
        self._watching.start()

    async def stop(self) -> None:
        """Stop watching. Safe to call twice."""
        await self._watching.stop()

    async def read_on(self) -> None:
        """Pass on what ended since the last time, or the first time what ended lately enough to matter."""
        since = self._means.clock() - self._look_back
        known, newest, below = self._read_to, None, None
        while True:
            async with self._means.db.read() as conn:
                entries = await rows.listed(conn, PAGE, below)
            fresh = [e for e in entries if (e.at >= since if known is None else e.number > known)]
            for entry in fresh:
                await self._pass_on(entry)
            newest = newest or (entries[0].number if entries else 0)
            if len(fresh) < PAGE:
                break
            below = entries[-1].number
        self._read_to = newest

    async def _pass_on(self, entry: AuditEntry) -> None:
        if entry.act in OF_A_USER and entry.subject_id:
            self._means.present.forget_user(UserId(entry.subject_id))
            self._means.ended(UserId(entry.subject_id), entry.at)
        elif (name := OF_A_SESSION.get(entry.act)) and name in entry.details:
            session = SessionId(entry.details[name])
            self._means.present.forget(session)
            self._means.ended(session, entry.at)
        elif entry.act is Act.PASSWORD_CHANGED and entry.subject_id:
            async with self._means.db.read() as conn:
                others = await session_rows.ended_at(conn, UserId(entry.subject_id), entry.at)
            for other in others:
                self._means.present.forget(other)
                self._means.ended(other, entry.at)
