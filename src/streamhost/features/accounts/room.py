"""Sign-up, sign-in, sessions, roles."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from streamhost import log
from streamhost.config import AccountSettings
from streamhost.db import sessions as session_rows
from streamhost.db import users as user_rows
from streamhost.db.core import Connection, Database
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import (
    BadCredentials,
    EmailTaken,
    InvalidToken,
    LastAdmin,
    RefreshInProgress,
    RegistrationClosed,
    SetupClosed,
    TokenReused,
)
from streamhost.features.accounts.limits import LoginLimits, RegistrationLimits, same_network
from streamhost.features.accounts.passwords import Passwords
from streamhost.features.accounts.signed_in import SignedIn
from streamhost.features.accounts.tokens import (
    AccessTokens,
    AccountKeys,
    SignedNames,
    digest_of,
    new_refresh_token,
    setup_token_of,
)
from streamhost.model.accounts import ANONYMOUS, Role, Session, User, Viewer, email_key
from streamhost.model.clock import DAY, MINUTE, Clock, Timestamp
from streamhost.model.errors import NotFound
from streamhost.model.ids import SessionId, UserId, new_id

DEVICE_LENGTH = 200
ADDRESS_LENGTH = 64
ACCOUNT_KEY_LENGTH = 320
DECOY_DOMAIN = "decoy.invalid"
NOBODY = UserId("")
"""Stands where an unknown account has no id, so that the catalog is asked as often as for a known one."""

_logger = log.get("accounts")


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session just opened or renewed, and its tokens. `expires_in` is the access token's life in seconds."""

    user: User
    session: Session
    access_token: str
    expires_in: int
    refresh_token: str


class Accounts:
    """Knows who may come in, and who is asking."""

    def __init__(self, db: Database, clock: Clock, settings: AccountSettings, keys: AccountKeys) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._keys = keys
        self._passwords = Passwords(settings.argon2_memory_kib, settings.argon2_rounds, settings.argon2_lanes)
        self._tokens = AccessTokens(keys.access_token, keys.instance, settings.access_token_minutes * MINUTE)
        self._cookies = SignedNames(keys.session_cookie)
        self._logins = LoginLimits(clock)
        self._registrations = RegistrationLimits(clock)
        self._present = SignedIn(db, clock, settings.session_days * DAY)
        self._refreshing: set[str] = set()

    @property
    def registration_open(self) -> bool:
        """Whether strangers may register."""
        return self._settings.registration == "open"

    def close(self) -> None:
        """Let the threads for password hashes go."""
        self._passwords.close()

    # The first administrator

    async def setup_token(self) -> str | None:
        """The token of the one-time set-up link; None once there is an administrator."""
        async with self._db.read() as conn:
            return None if await user_rows.has_admin(conn) else setup_token_of(self._keys.setup_link)

    async def setup(
        self, token: str, email: str, password: str, name: str, *, device: str = "", address: str = ""
    ) -> SignIn:
        """Make the first administrator, and sign them in. Raises `SetupClosed`, `InvalidInput`, `EmailTaken`."""
        expected = await self.setup_token()
        if expected is None or not hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode()):
            raise SetupClosed
        user = await self._new_user(email, password, name, Role.ADMIN, verified=True)
        async with self._db.write() as conn:
            if await user_rows.has_admin(conn):
                raise SetupClosed
            if not await user_rows.insert(conn, user):
                raise EmailTaken(fields={"email": EmailTaken.title()})
            sign_in = await self._open_session(conn, user, device, address)
        _logger.info("The first administrator was made", action="setup", user=user.id, address=address)
        return sign_in

    # Coming and going

    async def register(self, email: str, password: str, name: str, *, address: str = "") -> None:
        """Make an account for a stranger, or leave the one that has this address alone: the caller cannot tell which.

        Raises `RegistrationClosed`, `InvalidInput`, `TooManyAttempts`."""
        if not self.registration_open:
            raise RegistrationClosed
        self._registrations.count(address)
        user = await self._new_user(email, password, name, Role.VIEWER, verified=False)
        async with self._db.write() as conn:
            added = await user_rows.insert(conn, user)
            if not added:
                # As much is written as for a new account: how long the answer takes must tell nothing either.
                await user_rows.insert(conn, replace(user, email=f"{user.id}@{DECOY_DOMAIN}"))
                await user_rows.delete(conn, user.id)
        _logger.info("A stranger registered", action="register", new=added, address=address)

    async def login(self, email: str, password: str, *, device: str = "", address: str = "") -> SignIn:
        """Open a session. Raises `BadCredentials` (for disabled accounts too) or `TooManyAttempts`.

        Takes the same work whether or not the account exists."""
        account = email_key(_storable(email[:ACCOUNT_KEY_LENGTH]))
        async with self._db.read() as conn:
            user = await user_rows.by_email(conn, account)
            homes = await session_rows.addresses_of(conn, user.id if user else NOBODY)
        known = any(same_network(address, home) for home in homes)

        def may_try() -> None:
            self._logins.check(account, address, known=known)

        may_try()
        fits = await self._passwords.verify(user.password_hash if user else None, password, before=may_try)
        if user is None or not fits or not user.active:
            self._logins.failed(account, address, known=known)
            _logger.info("A sign-in was refused", action="login_refused", user=user and user.id, address=address)
            raise BadCredentials
        self._logins.succeeded(account, address)
        fresh = await self._passwords.hash(password) if self._passwords.outdated(user.password_hash) else None
        async with self._db.write() as conn:
            now_user = await user_rows.get(conn, user.id)
            if now_user is None or not now_user.active or now_user.password_hash != user.password_hash:
                raise BadCredentials
            if fresh is not None:
                await user_rows.replace_hash(conn, user.id, user.password_hash, fresh)
            sign_in = await self._open_session(conn, now_user, device, address)
        _logger.info("A user signed in", action="login", user=user.id, session=sign_in.session.id, address=address)
        return sign_in

    async def refresh(self, token: str) -> SignIn:
        """Exchange a refresh token for a new one and a new access token; the old one is dead from then on.

        Raises `TokenReused` (and ends the session) when it was dead already, `InvalidToken` when it is unknown or over,
        and `RefreshInProgress` when two requests bring one token at the same moment: one wins, the session lives."""
        digest = digest_of(token)
        if digest in self._refreshing:
            raise RefreshInProgress
        self._refreshing.add(digest)
        try:
            return await self._rotate(digest)
        finally:
            self._refreshing.discard(digest)

    async def _rotate(self, digest: str) -> SignIn:
        now = self._clock()
        async with self._db.write() as conn:
            old = await session_rows.get_refresh(conn, digest)
            found = await session_rows.get_with_user(conn, old.session_id) if old else None
            if old is None or found is None:
                raise InvalidToken
            session, user = found
            reused = not await session_rows.use_refresh(conn, digest, now)
            if reused:
                await session_rows.revoke(conn, session.id, now)
            elif not session.alive(now) or not user.active or now >= old.expires_at:
                raise InvalidToken
            else:
                sign_in = await self._renew_session(conn, user, session, now)
        if reused:
            self._present.forget(session.id)
            _logger.warning("A refresh token was used twice", action="token_reused", user=user.id, session=session.id)
            raise TokenReused
        return sign_in

    async def logout(self, session_id: SessionId) -> None:
        """End a session. One that has ended already is no error."""
        async with self._db.write() as conn:
            await session_rows.revoke(conn, session_id, self._clock())
        self._present.forget(session_id)
        _logger.info("A user signed out", action="logout", session=session_id)

    # Who is asking

    async def viewer_of_access_token(self, token: str) -> Viewer:
        """Who sent this bearer token. Raises `InvalidToken`; never answers with nobody."""
        user_id, session_id = self._tokens.session_of(token, self._clock())
        viewer = await self._present.viewer(session_id)
        if viewer.id != user_id:
            raise InvalidToken("Its session has ended.")
        return viewer

    async def viewer_of_cookie(self, value: str) -> Viewer:
        """Whose browser this is; `ANONYMOUS` when the cookie is not ours or its session has ended."""
        session_id = self._cookies.open(value)
        return await self._present.viewer(session_id) if session_id else ANONYMOUS

    def cookie_of(self, session_id: SessionId) -> str:
        """The value of the session cookie for a browser that has just signed in."""
        return self._cookies.seal(session_id)

    # Sessions of a user

    async def sessions(self, user_id: UserId) -> list[Session]:
        """Where a user is signed in, the latest used first."""
        async with self._db.read() as conn:
            return await session_rows.alive_of(conn, user_id, self._clock())

    async def revoke(self, user_id: UserId, session_id: SessionId) -> None:
        """End one of the user's own sessions. Raises `NotFound` for any other."""
        async with self._db.write() as conn:
            found = await session_rows.get_with_user(conn, session_id)
            if found is None or found[0].user_id != user_id or not found[0].alive(self._clock()):
                raise NotFound
            await session_rows.revoke(conn, session_id, self._clock())
        self._present.forget(session_id)
        _logger.info("A session was revoked", action="session_revoked", user=user_id, session=session_id)

    # Administration

    async def users(self) -> list[User]:
        """Everybody, oldest account first."""
        async with self._db.read() as conn:
            return await user_rows.everybody(conn)

    async def add_user(self, email: str, password: str, name: str, role: Role, *, verified: bool = False) -> User:
        """Make an account on an administrator's word. Raises `EmailTaken` or `InvalidInput`."""
        user = await self._new_user(email, password, name, role, verified=verified)
        async with self._db.write() as conn:
            if not await user_rows.insert(conn, user):
                raise EmailTaken(user.email, fields={"email": EmailTaken.title()})
        _logger.info("A user was added", action="user_added", user=user.id, role=role.value)
        return user

    async def set_role(self, user_id: UserId, role: Role) -> None:
        """Change what a user may do. Raises `NotFound`, or `LastAdmin` when nobody could administer afterwards."""
        async with self._db.write() as conn:
            await self._keep_an_admin(conn, user_id, stays=role is Role.ADMIN)
            await user_rows.set_role(conn, user_id, role)
        self._present.forget_user(user_id)
        _logger.info("A role was changed", action="role_changed", user=user_id, role=role.value)

    async def disable(self, user_id: UserId) -> None:
        """Shut an account and end its sessions. Raises `NotFound` or `LastAdmin`."""
        async with self._db.write() as conn:
            await self._keep_an_admin(conn, user_id, stays=False)
            await user_rows.set_disabled(conn, user_id, self._clock())
            await session_rows.revoke_all(conn, user_id, self._clock())
        self._present.forget_user(user_id)
        _logger.info("An account was disabled", action="user_disabled", user=user_id)

    async def enable(self, user_id: UserId) -> None:
        """Open an account again. Its old sessions stay ended."""
        async with self._db.write() as conn:
            await user_rows.set_disabled(conn, user_id, None)

    async def _keep_an_admin(self, conn: Connection, user_id: UserId, *, stays: bool) -> None:
        user = await user_rows.get(conn, user_id)
        if user is None:
            raise NotFound
        if user.role is Role.ADMIN and user.active and not stays and not await user_rows.other_admins(conn, user_id):
            raise LastAdmin

    async def _new_user(self, email: str, password: str, name: str, role: Role, *, verified: bool) -> User:
        fields = rules.checked(
            email=lambda: rules.clean_email(email),
            name=lambda: rules.clean_name(name),
            password=lambda: rules.clean_password(
                password, min_length=self._settings.password_min_length, email=email, name=name
            ),
        )
        now = self._clock()
        return User(
            id=UserId(new_id()),
            email=fields["email"],
            name=fields["name"],
            role=role,
            password_hash=await self._passwords.hash(fields["password"]),
            created_at=now,
            email_verified_at=now if verified else None,
        )

    async def _open_session(self, conn: Connection, user: User, device: str, address: str) -> SignIn:
        now = self._clock()
        session = Session(
            id=SessionId(new_id()),
            user_id=user.id,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._settings.session_days * DAY,
            device=_printable(device)[:DEVICE_LENGTH],
            address=address[:ADDRESS_LENGTH],
        )
        await session_rows.insert(conn, session)
        return await self._issue(conn, user, session, now)

    async def _renew_session(self, conn: Connection, user: User, session: Session, now: Timestamp) -> SignIn:
        await session_rows.touch(conn, session.id, now, now + self._settings.session_days * DAY)
        return await self._issue(conn, user, session, now)

    async def _issue(self, conn: Connection, user: User, session: Session, now: Timestamp) -> SignIn:
        refresh = new_refresh_token()
        expires = now + self._settings.session_days * DAY
        await session_rows.insert_refresh(conn, session_rows.RefreshToken(digest_of(refresh), session.id, now, expires))
        access = self._tokens.issue(user.id, session.id, now)
        return SignIn(user, session, access, int(self._tokens.lifetime), refresh)


def _storable(text: str) -> str:
    """Text without the lone surrogates that JSON can smuggle in and no catalog can keep."""
    return text.encode("utf-8", "replace").decode()


def _printable(text: str) -> str:
    """A browser's description of itself, without what could disturb a page or a log."""
    return "".join(c for c in text if c.isprintable())
