"""What the parts of this room share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from streamhost import log
from streamhost.config import AccountSettings
from streamhost.db import audit as audit_rows
from streamhost.db import users as user_rows
from streamhost.db.core import Connection, Database
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import LastAdmin, TooManyAttempts, WrongPassword
from streamhost.features.accounts.limits import CodeLimits, LoginLimits
from streamhost.features.accounts.links import FORGOT_PATH, LinkKind, Links, span
from streamhost.features.accounts.needs import Ended, Registers, SendsMail, nobody_greets
from streamhost.features.accounts.passwords import Passwords
from streamhost.features.accounts.signed_in import SignedIn
from streamhost.features.accounts.tokens import AccountKeys
from streamhost.hashing.hashers import BUSY_SECONDS
from streamhost.model.accounts import Role, User, email_key
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import HOUR, Clock, Timestamp
from streamhost.model.errors import NotFound
from streamhost.model.ids import SessionId, UserId, new_id

MOST_LATER = 1000
"""Pieces of work that may wait until after their answers; each takes milliseconds."""

_logger = log.get("accounts")


@dataclass(frozen=True, slots=True)
class Means:
    """The catalog, the clock, the keys, and what several parts do in the same way."""

    db: Database
    clock: Clock
    settings: AccountSettings
    keys: AccountKeys
    passwords: Passwords
    logins: LoginLimits
    codes: CodeLimits
    present: SignedIn
    links: Links
    mail: SendsMail
    ended: Ended
    registers: Registers = nobody_greets
    _later: set[asyncio.Task[None]] = field(default_factory=set)

    async def note(
        self, conn: Connection, act: Act, by: Actor, subject: User | None = None, **details: str | None
    ) -> Timestamp:
        """Write a line of the audit log in this transaction; details that are None are left out. Its moment."""
        entry = AuditEntry(
            at=self.clock(),
            act=act,
            actor=by,
            subject_id=subject.id if subject else None,
            subject=subject.email if subject else "",
            details={name: value for name, value in details.items() if value is not None},
        )
        await audit_rows.insert(conn, entry)
        words = {"subject": entry.subject_id, "by": by.id or by.words, "address": by.address, **entry.details}
        conn.after_commit(lambda: _logger.info("Audit", action=act.value, **words))
        return entry.at

    def session_over(self, conn: Connection, session_id: SessionId) -> None:
        """Once this transaction is on disk, nobody is in that session any more, and nothing hangs on it."""

        def gone() -> None:
            self.present.forget(session_id)
            self.ended(session_id, self.clock())

        conn.after_commit(gone)

    def user_over(self, conn: Connection, user_id: UserId) -> None:
        """Once this transaction is on disk, that user is signed in nowhere, and nothing hangs on it."""

        def gone() -> None:
            self.present.forget_user(user_id)
            self.ended(user_id, self.clock())

        conn.after_commit(gone)

    async def user(self, conn: Connection, user_id: UserId) -> User:
        """The user with this id. Raises `NotFound`."""
        user = await user_rows.get(conn, user_id)
        if user is None:
            raise NotFound
        return user

    async def keep_an_admin(self, conn: Connection, user: User) -> None:
        """Raise `LastAdmin` if nobody could administer this site without `user`."""
        if user.role is Role.ADMIN and user.active and not await user_rows.other_admins(conn, user.id):
            raise LastAdmin

    async def prove(self, user: User, password: str, by: Actor) -> None:
        """Raise `WrongPassword` unless this is the user's, or `TooManyAttempts` after too many guesses."""
        account = email_key(user.email)

        def may_try() -> None:
            self.logins.check(account, by.address, known=True)

        may_try()
        if not await self.passwords.verify(user.password_hash, password, before=may_try):
            self.logins.failed(account, by.address, known=True)
            async with self.db.write() as conn:
                await self.note(conn, Act.PASSWORD_REFUSED, by, user)
            raise WrongPassword(fields={"password": WrongPassword.title()})

    async def new_user(self, email: str, password: str, name: str, role: Role, *, verified: bool) -> User:
        """A user with checked values and a hashed password, not stored yet. Raises `InvalidInput`."""
        fields = rules.checked(
            email=lambda: rules.clean_email(email),
            name=lambda: rules.clean_name(name),
            password=lambda: self.clean_password(password, email, name),
        )
        now = self.clock()
        return User(
            id=UserId(new_id()),
            email=fields["email"],
            name=fields["name"],
            role=role,
            password_hash=await self.passwords.hash(fields["password"]),
            created_at=now,
            email_verified_at=now if verified else None,
        )

    def clean_password(self, password: str, email: str, name: str) -> str:
        """A password that may be taken for an account; raises `ValueError` with words for the person."""
        return rules.clean_password(password, min_length=self.settings.password_min_length, email=email, name=name)

    async def write_to(
        self, conn: Connection, kind: str, user: User, link: str = "", life: float = 0.0, *, trusted: bool = False
    ) -> None:
        """A letter to a user at the present address; without a link of its own it names the page for new passwords."""
        values = {"name": user.name, "link": link or self.links.home + FORGOT_PATH, "expires": span(life)}
        await self.mail.enqueue(conn, kind, user.email, values, trusted=trusted)

    async def ask_to_verify(self, conn: Connection, user: User, *, trusted: bool = False) -> None:
        """The letter with the link that verifies a user's address."""
        life = self.settings.verify_hours * HOUR
        token = self.links.token(LinkKind.VERIFY, user.id, unverified(user), life)
        await self.write_to(conn, "verify_email", user, self.links.url(LinkKind.VERIFY, token), life, trusted=trusted)

    def later(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` after the answer, so that how long the answer takes does not tell what was found.

        Raises `TooManyAttempts` when far too much waits already."""
        if len(self._later) >= MOST_LATER:
            raise TooManyAttempts("The server is busy.", retry_after=BUSY_SECONDS)

        async def run() -> None:
            try:
                await work()
            except Exception:
                _logger.exception("Work after an answer failed", action="later_failed")

        task = asyncio.create_task(run())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def settled(self) -> None:
        """Wait until everything that was put off is done."""
        while self._later:
            await asyncio.gather(*self._later)


def unverified(user: User) -> str:
    """What a verification link is bound to: this address, not verified yet."""
    return f"{email_key(user.email)} {user.email_verified_at}"
