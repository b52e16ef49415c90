"""Coming to this site: the first administrator, registering, verifying the address."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace

from streamhost.db import claims as claim_rows
from streamhost.db import invitations as invitation_rows
from streamhost.db import users as user_rows
from streamhost.db.core import Connection
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import (
    EmailTaken,
    InvalidLink,
    InvitationInvalid,
    LinkUsed,
    RegistrationClosed,
    SetupClosed,
)
from streamhost.features.accounts.limits import RegistrationLimits
from streamhost.features.accounts.links import SIGN_IN_PATH, LinkKind
from streamhost.features.accounts.marks import mark_of
from streamhost.features.accounts.means import Means, unverified
from streamhost.features.accounts.needs import Gate
from streamhost.features.accounts.tokens import digest_of, setup_token_of
from streamhost.model.accounts import Invitation, Role, User, email_key
from streamhost.model.audit import Act, Actor

DECOY_DOMAIN = "decoy.invalid"


class Registration:
    """How people get an account by themselves."""

    def __init__(self, means: Means, gate: Gate) -> None:
        self._means = means
        self._gate = gate
        self._limits = RegistrationLimits(means.clock)

    @property
    def mode(self) -> str:
        """`closed`, `invite` (by invitation) or `open`."""
        return self._means.settings.registration

    # The first administrator

    async def setup_token(self) -> str | None:
        """The token of the one-time set-up link; None once there is an administrator."""
        async with self._means.db.read() as conn:
            return None if await user_rows.has_admin(conn) else setup_token_of(self._means.keys.setup_link)

    async def make_admin(
        self,
        token: str,
        email: str,
        password: str,
        name: str,
        address: str,
        then: Callable[[Connection, User], Awaitable[None]],
    ) -> None:
        """Make the first administrator, and do `then` in the same transaction. Raises `SetupClosed`, `InvalidInput`,
        `EmailTaken`."""
        expected = await self.setup_token()
        if expected is None or not hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode()):
            raise SetupClosed
        user = await self._means.new_user(email, password, name, Role.ADMIN, verified=True)
        async with self._means.db.write() as conn:
            if await user_rows.has_admin(conn):
                raise SetupClosed
            if not await user_rows.insert(conn, user):
                raise EmailTaken(fields={"email": EmailTaken.title()})
            await self._means.note(conn, Act.SET_UP, Actor.of(user, address), user)
            await then(conn, user)

    # Everybody else

    async def register(self, email: str, password: str, name: str, *, invitation: str = "", address: str = "") -> None:
        """Make an account for a stranger, or leave the one that has this address alone: the caller cannot tell which,
        only who gets the mail can.

        Raises `RegistrationClosed`, `InvitationInvalid`, `InvalidInput`, `TooManyAttempts`, what the gate raises."""
        if self.mode == "closed":
            raise RegistrationClosed
        if self.mode == "invite" and not invitation:
            raise RegistrationClosed("It takes an invitation.", hint="Ask an administrator of this site for one.")
        self._limits.count(address)
        invited = await self.invited(invitation) if invitation else None
        if invited and invited.email is not None and email_key(invited.email) != email_key(email):
            raise InvitationInvalid(fields={"email": f"The invitation is for {invited.email}."})
        await self._gate(email, name)
        # Whoever has the link in the mail to an address reads what is sent there.
        verified = invited is not None and invited.email is not None
        role = invited.role if invited else Role.VIEWER
        user = await self._means.new_user(email, password, name, role, verified=verified)
        async with self._means.db.write() as conn:
            if invited and not await invitation_rows.use(conn, invited.id, self._means.clock()):
                raise InvitationInvalid
            await self._add(conn, user, mark_of(self._means.keys.links, password), invited, address)

    async def _add(self, conn: Connection, user: User, mark: str, invited: Invitation | None, address: str) -> None:
        """Store a user, or write to the one who has the address. As much is done in both cases: how long the answer
        takes must tell nothing either. Nor must signing in afterwards: the password is remembered by its mark."""
        means, by_link = self._means, invited.id if invited else None
        if await user_rows.insert(conn, user):
            await means.note(conn, Act.REGISTERED, Actor.of(user, address), user, invitation=by_link)
            if user.email_verified_at is None:
                await means.ask_to_verify(conn, user)
            else:
                # Only here and where an address is verified: telling of strangers' attempts would tell them apart.
                await means.registers(conn, user.id)
            return
        await user_rows.insert(conn, replace(user, email=f"{user.id}@{DECOY_DOMAIN}"))
        await user_rows.delete(conn, user.id)
        there = await user_rows.by_email(conn, user.email)
        somebody = Actor(None, "somebody", address)
        await means.note(conn, Act.REGISTERED, somebody, there, invitation=by_link, outcome="address_taken")
        if there is not None:
            if user.email_verified_at is None:
                await claim_rows.insert(conn, there.id, mark)
            await means.write_to(conn, "address_taken", there, means.links.home + SIGN_IN_PATH)

    async def invited(self, token: str) -> Invitation:
        """The invitation behind a link, while it works. Raises `InvitationInvalid`."""
        async with self._means.db.read() as conn:
            invitation = await invitation_rows.by_digest(conn, digest_of(token))
        if self.mode == "closed" or invitation is None or not invitation.open(self._means.clock()):
            raise InvitationInvalid
        return invitation

    async def verify(self, token: str, *, address: str = "") -> User:
        """Take the address in a verification link as verified. Raises `InvalidLink`, `LinkExpired`, `LinkUsed`."""
        link = self._means.links.open(LinkKind.VERIFY, token)
        async with self._means.db.write() as conn:
            user = await user_rows.get(conn, link.user_id)
            if user is None:
                raise InvalidLink
            self._means.links.check(LinkKind.VERIFY, link, unverified(user))
            if not await user_rows.verify(conn, user.id, self._means.clock()):
                raise LinkUsed
            await self._means.registers(conn, user.id)
            await self._means.note(conn, Act.EMAIL_VERIFIED, Actor.of(user, address), user)
        self._means.present.forget_user(user.id)
        self._means.logins.vouched(email_key(user.email), address)
        return user

    async def resend(self, email: str, *, address: str = "") -> None:
        """Send the verification link again, if this address waits for one; the caller cannot tell.

        Raises `TooManyAttempts`."""
        self._limits.count(address)
        self._means.later(lambda: self._resend(rules.storable(email), Actor(None, "somebody", address)))

    async def _resend(self, email: str, by: Actor) -> None:
        async with self._means.db.write() as conn:
            user = await user_rows.by_email(conn, email)
            if user is not None and user.active and user.email_verified_at is None:
                await self._means.note(conn, Act.VERIFICATION_SENT_AGAIN, by, user)
                await self._means.ask_to_verify(conn, user)
