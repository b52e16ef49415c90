"""Administration: everybody's accounts, by the word of an administrator or of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.db import api_tokens as token_rows
from streamhost.db import invitations as invitation_rows
from streamhost.db import sessions as session_rows
from streamhost.db import users as user_rows
from streamhost.db.core import Connection
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import AccountShut, EmailTaken
from streamhost.features.accounts.means import Means
from streamhost.features.accounts.needs import Leaves
from streamhost.features.accounts.recovery import Recovery
from streamhost.model.accounts import Role, Session, User
from streamhost.model.audit import SYSTEM, Act, Actor
from streamhost.model.cursors import by_time, encoded, one_more
from streamhost.model.errors import NotFound
from streamhost.model.ids import UserId

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of users, and where the next one starts."""

    items: Sequence[User]
    next_cursor: str | None


class People:
    """Lists and changes accounts. One administrator who can sign in always stays."""

    def __init__(self, means: Means, recovery: Recovery, leaves: Leaves) -> None:
        self._means = means
        self._recovery = recovery
        self._leaves = leaves

    async def all(self) -> list[User]:
        """Everybody, oldest account first."""
        async with self._means.db.read() as conn:
            return await user_rows.everybody(conn)

    async def found(self, text: str = "", cursor: str | None = None, limit: int = 50) -> UserPage:
        """Users whose address or name holds `text`, oldest account first. Raises `InvalidInput`."""
        rows_asked = one_more(limit, MAX_PAGE)
        after = by_time(cursor, UserId)
        async with self._means.db.read() as conn:
            users = await user_rows.found(conn, text.strip(), rows_asked, after)
        items = users[:limit]
        return UserPage(items, encoded([items[-1].created_at, items[-1].id]) if len(users) > limit else None)

    async def get(self, user_id: UserId) -> User:
        """One user. Raises `NotFound`."""
        async with self._means.db.read() as conn:
            return await self._means.user(conn, user_id)

    async def by_email(self, email: str) -> User:
        """The user with this address, however it is spelt. Raises `NotFound`."""
        async with self._means.db.read() as conn:
            user = await user_rows.by_email(conn, rules.storable(email))
        if user is None:
            raise NotFound(f"Nobody has the address {rules.storable(email)}.")
        return user

    async def sessions(self, user_id: UserId) -> list[Session]:
        """Where a user is signed in, the latest used first. Raises `NotFound`."""
        async with self._means.db.read() as conn:
            await self._means.user(conn, user_id)
            return await session_rows.alive_of(conn, user_id, self._means.clock())

    async def add(
        self, email: str, password: str, name: str, role: Role, *, verified: bool = False, by: Actor = SYSTEM
    ) -> User:
        """Make an account; one that is not verified gets a mail with the link. Raises `EmailTaken`, `InvalidInput`."""
        user = await self._means.new_user(email, password, name, role, verified=verified)
        async with self._means.db.write() as conn:
            if not await user_rows.insert(conn, user):
                raise EmailTaken(user.email, fields={"email": EmailTaken.title()})
            await self._means.note(conn, Act.USER_ADDED, by, user, role=role.value)
            if not verified:
                await self._means.ask_to_verify(conn, user, trusted=True)
        return user

    async def verify(self, user_id: UserId, by: Actor = SYSTEM) -> None:
        """Take a user's address as verified. Raises `NotFound`."""
        await self.change(user_id, by, verified=True)

    async def set_role(self, user_id: UserId, role: Role, by: Actor = SYSTEM) -> None:
        """Change what a user may do. Raises `NotFound`, or `LastAdmin` when nobody could administer afterwards."""
        await self.change(user_id, by, role=role)

    async def disable(self, user_id: UserId, by: Actor = SYSTEM) -> None:
        """Shut an account, and end its sessions and API tokens. Raises `NotFound` or `LastAdmin`."""
        await self.change(user_id, by, disabled=True)

    async def enable(self, user_id: UserId, by: Actor = SYSTEM) -> None:
        """Open an account again. Its old sessions and tokens stay ended. Raises `NotFound`."""
        await self.change(user_id, by, disabled=False)

    async def change(
        self,
        user_id: UserId,
        by: Actor = SYSTEM,
        *,
        role: Role | None = None,
        verified: bool = False,
        disabled: bool | None = None,
    ) -> User:
        """Change several things about an account, or none of them if one cannot be; the user as it is then.

        None, and false for `verified`, leaves as it is. Raises `NotFound` or `LastAdmin`."""
        async with self._means.db.write() as conn:
            user = await self._means.user(conn, user_id)
            if role is not None and role is not user.role:
                await self._set_role(conn, user, role, by)
            if verified and await user_rows.verify(conn, user_id, self._means.clock()):
                await self._means.note(conn, Act.EMAIL_TAKEN_AS_VERIFIED, by, user)
            if disabled:
                await self._disable(conn, user, by)
            elif disabled is not None:
                await user_rows.set_disabled(conn, user_id, None)
                await self._means.note(conn, Act.USER_ENABLED, by, user)
            conn.after_commit(lambda: self._means.present.forget_user(user_id))
            return await self._means.user(conn, user_id)

    async def _set_role(self, conn: Connection, user: User, role: Role, by: Actor) -> None:
        if role is not Role.ADMIN:
            await self._means.keep_an_admin(conn, user)
            await self._take_invitations_back(conn, user, by)
        await user_rows.set_role(conn, user.id, role)
        await self._means.note(conn, Act.ROLE_CHANGED, by, user, before=user.role.value, after=role.value)
        # What somebody was let play as an admin may be what they may not see now.
        self._means.user_over(conn, user.id)

    async def _disable(self, conn: Connection, user: User, by: Actor) -> None:
        await self._means.keep_an_admin(conn, user)
        now = self._means.clock()
        if user.active:
            await user_rows.set_disabled(conn, user.id, now)
        await session_rows.revoke_all(conn, user.id, now)
        await token_rows.revoke_all(conn, user.id, now)
        await self._take_invitations_back(conn, user, by)
        await self._means.note(conn, Act.USER_DISABLED, by, user)
        self._means.user_over(conn, user.id)

    async def end_sessions(self, user_id: UserId, by: Actor = SYSTEM) -> int:
        """Sign a user out everywhere; API tokens stay. How many sessions ended. Raises `NotFound`."""
        async with self._means.db.write() as conn:
            user = await self._means.user(conn, user_id)
            ended = await session_rows.revoke_all(conn, user_id, self._means.clock())
            await self._means.note(conn, Act.ALL_SESSIONS_ENDED, by, user)
            self._means.user_over(conn, user_id)
        return ended

    async def send_reset(self, user_id: UserId, by: Actor = SYSTEM) -> str:
        """Send a user the link for a new password; the link, for the command line. Raises `NotFound`, or
        `AccountShut`: no link would work for a disabled account."""
        async with self._means.db.write() as conn:
            user = await self._means.user(conn, user_id)
            if not user.active:
                raise AccountShut
            return await self._recovery.send(conn, user, by, trusted=True)

    async def delete(self, user_id: UserId, by: Actor = SYSTEM) -> None:
        """Delete an account with everything that is its own. Raises `NotFound` or `LastAdmin`."""
        async with self._means.db.write() as conn:
            user = await self._means.user(conn, user_id)
            await self._means.keep_an_admin(conn, user)
            await self._take_invitations_back(conn, user, by)
            await self._leaves(conn, user_id)
            await user_rows.delete(conn, user_id)
            await self._means.note(conn, Act.USER_DELETED, by, user, role=user.role.value)
            self._means.user_over(conn, user_id)

    async def _take_invitations_back(self, conn: Connection, user: User, by: Actor) -> None:
        """End the invitations of somebody who may not invite any more: they would be a way back in, in any role."""
        for invitation_id in await invitation_rows.revoke_of(conn, user.id, self._means.clock()):
            await self._means.note(conn, Act.INVITATION_REVOKED, by, invitation=invitation_id)
