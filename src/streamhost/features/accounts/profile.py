"""What people do to their own account: name, password, address, the end of it."""

from __future__ import annotations

from dataclasses import replace

from streamhost.db import sessions as session_rows
from streamhost.db import users as user_rows
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import InvalidLink, LinkUsed
from streamhost.features.accounts.links import SIGN_IN_PATH, LinkKind, span
from streamhost.features.accounts.means import Means
from streamhost.features.accounts.people import People
from streamhost.features.accounts.second_factor import SecondFactor
from streamhost.model.accounts import User, email_key
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import HOUR
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import SessionId


class Profile:
    """Changes that need the password are asked for it, so that an open browser is not an account."""

    def __init__(self, means: Means, second_factor: SecondFactor, people: People) -> None:
        self._means = means
        self._second_factor = second_factor
        self._people = people

    async def rename(self, user: User, name: str, by: Actor) -> User:
        """Change what others see. Raises `InvalidInput`."""
        clean = rules.checked(name=lambda: rules.clean_name(name))["name"]
        async with self._means.db.write() as conn:
            await user_rows.set_name(conn, user.id, clean)
            await self._means.note(conn, Act.USER_RENAMED, by, user)
        self._means.present.forget_user(user.id)
        return replace(user, name=clean)

    async def change_password(self, user: User, kept: SessionId | None, old: str, new: str, by: Actor) -> None:
        """Set another password, and end every session but `kept`. Raises `WrongPassword`, `InvalidInput`."""
        try:
            self._means.clean_password(new, user.email, user.name)
        except ValueError as error:
            raise InvalidInput(fields={"new_password": str(error)}) from None
        await self._means.prove(user, old, by)
        fresh = await self._means.passwords.hash(new)
        async with self._means.db.write() as conn:
            if not await user_rows.replace_hash(conn, user.id, user.password_hash, fresh):
                raise InvalidInput(fields={"password": "It has been changed by somebody else a moment ago."})
            moment = await self._means.note(conn, Act.PASSWORD_CHANGED, by, user)
            for session_id in await session_rows.revoke_others(conn, user.id, kept or SessionId(""), moment):
                self._means.session_over(conn, session_id)
            await self._means.write_to(conn, "password_changed", user)
        self._means.present.forget_user(user.id)

    async def ask_for_email(self, user: User, email: str, password: str, by: Actor) -> None:
        """Send a link to another address; the account has it once that link was followed. The caller cannot tell
        whether the address has an account. Raises `WrongPassword`, `InvalidInput`."""
        clean = rules.checked(email=lambda: rules.clean_email(email))["email"]
        await self._means.prove(user, password, by)
        life = self._means.settings.verify_hours * HOUR
        token = self._means.links.token(LinkKind.CHANGE, user.id, _bound(user), life, clean)
        async with self._means.db.write() as conn:
            there = await user_rows.by_email(conn, clean)
            await self._means.note(conn, Act.EMAIL_CHANGE_ASKED, by, user)
            if there is not None and there.id != user.id:
                await self._means.write_to(conn, "address_taken", there, self._means.links.home + SIGN_IN_PATH)
            else:
                link = self._means.links.url(LinkKind.CHANGE, token)
                values = {"name": user.name, "link": link, "expires": span(life)}
                await self._means.mail.enqueue(conn, "change_email", clean, values)

    async def confirm_email(self, token: str, *, address: str = "") -> User:
        """Give the account the address in a link; the old address is told.

        Raises `InvalidLink`, `LinkExpired`, `LinkUsed`."""
        link = self._means.links.open(LinkKind.CHANGE, token)
        async with self._means.db.write() as conn:
            user = await user_rows.get(conn, link.user_id)
            if user is None or not user.active:
                raise InvalidLink
            self._means.links.check(LinkKind.CHANGE, link, _bound(user))
            if not await user_rows.set_email(conn, user.id, link.extra, self._means.clock()):
                raise LinkUsed("Another account has this address by now.")
            await self._means.note(
                conn, Act.EMAIL_CHANGED, Actor.of(user, address), user, before=user.email, after=link.extra
            )
            await self._means.write_to(conn, "email_changed", user)
        self._means.present.forget_user(user.id)
        return replace(user, email=link.extra, email_verified_at=self._means.clock())

    async def delete(self, user: User, password: str, otp: str, by: Actor) -> None:
        """Delete the account with everything that is its own.

        Raises `WrongPassword`, `WrongCode` (where there is a second factor), `LastAdmin`."""
        await self._means.prove(user, password, by)
        async with self._means.db.read() as conn:
            on = await self._second_factor.is_on(conn, user.id)
        if on:
            await self._second_factor.demand(user, otp, by)
        await self._people.delete(user.id, by)


def _bound(user: User) -> str:
    """What a link for another address is bound to: the old one, and the password it was asked for with."""
    return f"{email_key(user.email)} {user.password_hash}"
