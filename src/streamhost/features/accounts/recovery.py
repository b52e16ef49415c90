"""A forgotten password: a link to the address of the account, and a new password by it."""

from __future__ import annotations

from streamhost.db import api_tokens as token_rows
from streamhost.db import claims as claim_rows
from streamhost.db import sessions as session_rows
from streamhost.db import users as user_rows
from streamhost.db.core import Connection
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import InvalidLink
from streamhost.features.accounts.limits import RegistrationLimits
from streamhost.features.accounts.links import LinkKind
from streamhost.features.accounts.means import Means
from streamhost.model.accounts import User, email_key
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import MINUTE


class Recovery:
    """Lets people back in who have forgotten their password, by the mailbox they have."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._limits = RegistrationLimits(means.clock)

    async def forgot(self, email: str, *, address: str = "") -> None:
        """Send a link for a new password, if this address has an account; the caller cannot tell.

        Raises `TooManyAttempts`."""
        self._limits.count(address)
        self._means.later(lambda: self._forgot(rules.storable(email), Actor(None, "somebody", address)))

    async def _forgot(self, email: str, by: Actor) -> None:
        async with self._means.db.write() as conn:
            user = await user_rows.by_email(conn, email)
            if user is not None and user.active:
                await self.send(conn, user, by)

    async def send(self, conn: Connection, user: User, by: Actor, *, trusted: bool = False) -> str:
        """Send a user the link for a new password; the link. `trusted`: it is on an administrator's word."""
        life = self._means.settings.reset_minutes * MINUTE
        token = self._means.links.token(LinkKind.RESET, user.id, _bound(user), life)
        link = self._means.links.url(LinkKind.RESET, token)
        await self._means.note(conn, Act.PASSWORD_RESET_ASKED, by, user)
        await self._means.write_to(conn, "reset_password", user, link, life, trusted=trusted)
        return link

    async def look(self, token: str) -> User:
        """Whose password a link would change. Raises `InvalidLink`, `LinkExpired`, `LinkUsed`."""
        link = self._means.links.open(LinkKind.RESET, token)
        async with self._means.db.read() as conn:
            user = await user_rows.get(conn, link.user_id)
        if user is None or not user.active:
            raise InvalidLink
        self._means.links.check(LinkKind.RESET, link, _bound(user))
        return user

    async def reset(self, token: str, password: str, *, address: str = "") -> None:
        """Set the new password, end every session and API token, and take the address as verified: whoever has the
        link reads its mail. Raises `InvalidLink`, `LinkExpired`, `LinkUsed`, `InvalidInput`."""
        user = await self.look(token)
        rules.checked(password=lambda: self._means.clean_password(password, user.email, user.name))
        fresh = await self._means.passwords.hash(password)
        async with self._means.db.write() as conn:
            user = await self._means.user(conn, user.id)
            self._means.links.check(LinkKind.RESET, self._means.links.open(LinkKind.RESET, token), _bound(user))
            now = self._means.clock()
            await user_rows.set_hash(conn, user.id, fresh)
            if await user_rows.verify(conn, user.id, now):
                await self._means.registers(conn, user.id)
            await session_rows.revoke_all(conn, user.id, now)
            await token_rows.revoke_all(conn, user.id, now)
            # Whoever reads the mail has spoken: passwords that strangers chose are wrong from now on, like the old one.
            await claim_rows.delete_of(conn, user.id)
            await self._means.note(conn, Act.PASSWORD_RESET, Actor.of(user, address), user)
            await self._means.write_to(conn, "password_changed", user)
            self._means.user_over(conn, user.id)
        self._means.logins.vouched(email_key(user.email), address)


def _bound(user: User) -> str:
    """What a link for a new password is bound to: the old one, and the address that the link was sent to."""
    return f"{email_key(user.email)} {user.password_hash}"
