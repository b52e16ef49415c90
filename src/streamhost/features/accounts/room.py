"""Signing in and out, sessions, and who is asking."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace

from streamhost import log
from streamhost.caching.cache import Cache
from streamhost.config import AccountSettings
from streamhost.db import claims as claim_rows
from streamhost.db import sessions as session_rows
from streamhost.db import users as user_rows
from streamhost.db.core import Connection, Database
from streamhost.features.accounts import rules
from streamhost.features.accounts.api_tokens import PREFIX, ApiTokens
from streamhost.features.accounts.endings import Endings
from streamhost.features.accounts.errors import (
    BadCredentials,
    EmailUnverified,
    InvalidToken,
    LinkUsed,
    OtpInvalid,
    OtpRequired,
    RefreshInProgress,
    TokenReused,
    TooManyAttempts,
)
from streamhost.features.accounts.invitations import Invitations
from streamhost.features.accounts.limits import CodeLimits, LoginLimits, UnknownLimits, same_network
from streamhost.features.accounts.links import LinkKind, Links, OpenedLink
from streamhost.features.accounts.marks import mark_of
from streamhost.features.accounts.means import Means
from streamhost.features.accounts.needs import (
    Ended,
    Gate,
    Leaves,
    Registers,
    SendsMail,
    nobody_greets,
    nobody_listens,
    nothing_is_theirs,
    open_gate,
)
from streamhost.features.accounts.passwords import Passwords
from streamhost.features.accounts.people import People
from streamhost.features.accounts.profile import Profile
from streamhost.features.accounts.recovery import Recovery
from streamhost.features.accounts.registration import Registration
from streamhost.features.accounts.second_factor import SecondFactor
from streamhost.features.accounts.signed_in import SignedIn
from streamhost.features.accounts.tokens import AccessTokens, AccountKeys, SignedNames, digest_of, new_secret_token
from streamhost.model.accounts import ANONYMOUS, Session, User, Viewer, email_key
from streamhost.model.audit import Act, Actor
from streamhost.model.branding import Brand
from streamhost.model.clock import DAY, MINUTE, Clock, Timestamp
from streamhost.model.errors import NotFound
from streamhost.model.ids import SessionId, UserId, new_id
from streamhost.model.words import printable

DEVICE_LENGTH = 200
ADDRESS_LENGTH = 64
WAIT_FOR_CODE = 5 * MINUTE
"""How long somebody may look for the phone between password and code, in seconds."""
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


@dataclass(frozen=True, slots=True)
class Around:
    """What the room is told of the house around it. `home`: the address of the site, without a slash at its end."""

    mail: SendsMail
    home: str
    brand: Brand
    ended: Ended = nobody_listens
    hangs_on: float = 0.0
    """For how long after the end of a session something may still hang on it unless it is told, in seconds."""
    leaves: Leaves = nothing_is_theirs
    registers: Registers = nobody_greets
    gate: Gate = open_gate
    cache: Cache = field(default_factory=Cache)


class Accounts:
    """Knows who may come in, and who is asking. What is rarer is done by its parts, each for one thing."""

    def __init__(
        self, db: Database, clock: Clock, settings: AccountSettings, keys: AccountKeys, around: Around
    ) -> None:
        self._db = db
        self._clock = self.clock = clock
        self._settings = settings
        self.passwords = self._passwords = Passwords(settings)
        self._tokens = AccessTokens(keys.access_token, keys.instance, settings.access_token_minutes * MINUTE)
        self._cookies = SignedNames(keys.session_cookie)
        self._refreshing: set[str] = set()
        self._unknown = UnknownLimits(clock)
        self._means = Means(
            db=db,
            clock=clock,
            settings=settings,
            keys=keys,
            passwords=self._passwords,
            logins=LoginLimits(clock),
            codes=CodeLimits(clock),
            present=SignedIn(db, clock, settings.session_days * DAY, around.cache),
            links=Links(keys.links, clock, around.home),
            mail=around.mail,
            ended=around.ended,
            registers=around.registers,
        )
        self._endings = Endings(self._means, around.hangs_on)
        self.registration = Registration(self._means, around.gate)
        """Set-up, registering, verifying the address."""
        self.recovery = Recovery(self._means)
        """Forgotten passwords."""
        self.invitations = Invitations(self._means)
        self.second_factor = SecondFactor(self._means, keys.second_factors, around.brand)
        self.api_tokens = ApiTokens(self._means)
        self.people = People(self._means, self.recovery, around.leaves)
        """Everybody's accounts, for administrators."""
        self.profile = Profile(self._means, self.second_factor, self.people)
        """One's own account."""

    @property
    def hashing_at_once(self) -> int:
        """How many passwords are hashed at the same time, at most; more wait for their turn."""
        return self._passwords.at_once

    async def start(self) -> None:
        """Watch what ends in other processes."""
        await self._endings.start()

    async def stop(self) -> None:
        """Stop watching."""
        await self._endings.stop()

    async def close(self) -> None:
        """End the processes for password hashes."""
        await self._passwords.close()

    async def settled(self) -> None:
        """Wait until what was put off until after an answer is done."""
        await self._means.settled()

    async def setup(
        self, token: str, email: str, password: str, name: str, *, device: str = "", address: str = ""
    ) -> SignIn:
        """Make the first administrator, and sign them in. Raises `SetupClosed`, `InvalidInput`, `EmailTaken`."""
        opened: list[SignIn] = []

        async def sign_in(conn: Connection, user: User) -> None:
            opened.append(await self._open_session(conn, user, device, address))

        await self.registration.make_admin(token, email, password, name, address, sign_in)
        return opened[0]

    # Coming and going

    async def login(self, email: str, password: str, otp: str = "", *, device: str = "", address: str = "") -> SignIn:
        """Open a session. Raises `BadCredentials` (for disabled accounts too) or `TooManyAttempts`; and, to whoever has
        the password, `EmailUnverified`, `OtpRequired` (with a ticket for `login_by_code`), `OtpInvalid`.

        Takes the same work whether or not the account exists. Whoever has registered with an address that was taken
        hears `EmailUnverified` too, as if the account had been made."""
        means, account = self._means, email_key(rules.storable(email))
        mark = mark_of(means.keys.links, password)
        async with self._db.read() as conn:
            user = await user_rows.by_email(conn, account)
            homes = await session_rows.addresses_of(conn, user.id if user else NOBODY)
            claimed = await claim_rows.exists(conn, user.id if user else NOBODY, mark)
        known = any(same_network(address, home) for home in homes)

        def may_try() -> None:
            means.logins.check(account, address, known=known)

        may_try()
        fits = await self._passwords.verify(user.password_hash if user else None, password, before=may_try)
        if user is not None and (claimed if not fits else user.active and user.email_verified_at is None):
            # Counted like a wrong password: else whoever claims an address with a guess could try the guess for free.
            means.logins.failed(account, address, known=known)
            self._refused(user, address, Act.SIGN_IN_REFUSED, reason=EmailUnverified.code)
            raise EmailUnverified
        if user is None or not fits or not user.active:
            means.logins.failed(account, address, known=known)
            self._refused(user, address, Act.SIGN_IN_REFUSED)
            raise BadCredentials
        if self._passwords.outdated(user.password_hash):
            user = await self._rehashed(user, password)
        await self._check_otp_given(user, otp)
        return await self._admit(user, otp, device, address)

    async def login_by_code(self, ticket: str, otp: str, *, device: str = "", address: str = "") -> SignIn:
        """Open a session for whoever has the ticket of an `OtpRequired`, and now a code too.

        A ticket is void once somebody has signed in with a code, or the password is another. Raises `InvalidLink`,
        `LinkExpired`, `LinkUsed`, `BadCredentials`, `OtpRequired`, `OtpInvalid`, `TooManyAttempts`."""
        link = self._means.links.open(LinkKind.CODE, ticket)
        async with self._db.read() as conn:
            user = await user_rows.get(conn, link.user_id)
            if user is None:
                raise LinkUsed
            self._means.links.check(LinkKind.CODE, link, await self.second_factor.proof(conn, user))
        await self._check_otp_given(user, otp)
        return await self._admit(user, otp, device, address, link)

    async def _admit(self, user: User, otp: str, device: str, address: str, ticket: OpenedLink | None = None) -> SignIn:
        """Open a session for a user whose password was right, if the code is too."""
        means, by = self._means, Actor.of(user, address)
        async with self._db.write() as conn:
            now_user = await user_rows.get(conn, user.id)
            if now_user is None or not now_user.active or now_user.password_hash != user.password_hash:
                raise BadCredentials
            if ticket is not None:
                means.links.check(LinkKind.CODE, ticket, await self.second_factor.proof(conn, now_user))
            passed = not await self.second_factor.is_on(conn, user.id)
            passed = passed or await self.second_factor.spend(conn, user, otp, by)
            if passed:
                homes = await session_rows.addresses_of(conn, user.id)
                sign_in = await self._open_session(conn, now_user, device, address)
                await means.note(conn, Act.SIGNED_IN, by, user, session=sign_in.session.id)
                if homes and not any(same_network(address, home) for home in homes):
                    await means.write_to(conn, "new_sign_in", user)
        if not passed:
            self._refused(user, address, Act.SECOND_FACTOR_REFUSED)
            raise OtpInvalid
        means.codes.forget(user.id)
        means.logins.succeeded(email_key(user.email), address)
        return sign_in

    async def _rehashed(self, user: User, password: str) -> User:
        """Give a password that has just proven right a hash with today's parameters."""
        fresh = await self._passwords.hash(password)
        async with self._db.write() as conn:
            replaced = await user_rows.replace_hash(conn, user.id, user.password_hash, fresh)
        return replace(user, password_hash=fresh) if replaced else user

    async def _check_otp_given(self, user: User, otp: str) -> None:
        """Raise `OtpRequired` where a code is needed and none came; count one that did."""
        async with self._db.read() as conn:
            on = await self.second_factor.is_on(conn, user.id)
            proof = await self.second_factor.proof(conn, user)
        if on and not otp.strip():
            raise OtpRequired(self._means.links.token(LinkKind.CODE, user.id, proof, WAIT_FOR_CODE))
        if on:
            self._means.codes.take(user.id)

    def _refused(self, user: User | None, address: str, act: Act, reason: str | None = None) -> None:
        """Write down that somebody was kept out, after the answer. What was typed is not kept: it may be a password in
        the wrong field."""

        somebody = Actor(None, "somebody", address[:ADDRESS_LENGTH])

        async def write() -> None:
            async with self._db.write() as conn:
                await self._means.note(conn, act, somebody, user, reason=reason)

        if user is not None or self._unknown.worth_writing():
            with contextlib.suppress(TooManyAttempts):
                self._means.later(write)

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
                await self._means.note(
                    conn, Act.REFRESH_TOKEN_REUSED, Actor(None, "somebody"), user, session=session.id
                )
                self._means.session_over(conn, session.id)
            elif not session.alive(now) or not user.active or now >= old.expires_at:
                raise InvalidToken
            else:
                sign_in = await self._renew_session(conn, user, session, now)
        if reused:
            raise TokenReused
        return sign_in

    async def logout(self, session_id: SessionId, *, address: str = "") -> None:
        """End a session. One that has ended already is no error."""
        async with self._db.write() as conn:
            found = await session_rows.get_with_user(conn, session_id)
            if found is not None and await session_rows.revoke(conn, session_id, self._clock()):
                await self._means.note(conn, Act.SIGNED_OUT, Actor.of(found[1], address), found[1], session=session_id)
            self._means.session_over(conn, session_id)

    # Who is asking

    async def viewer_of_bearer(self, token: str) -> Viewer:
        """Who sent this bearer token, an API token or an access token. Raises `InvalidToken`; never answers with
        nobody."""
        if token.startswith(PREFIX):
            return await self.api_tokens.viewer(token)
        return await self.viewer_of_access_token(token)

    async def viewer_of_access_token(self, token: str) -> Viewer:
        """Who sent this access token, in the same way."""
        user_id, session_id = self._tokens.session_of(token, self._clock())
        viewer = await self._means.present.viewer(session_id)
        if viewer.id != user_id:
            raise InvalidToken("Its session has ended.")
        return viewer

    async def viewer_of_cookie(self, value: str) -> Viewer:
        """Whose browser this is; `ANONYMOUS` when the cookie is not ours or its session has ended."""
        session_id = self._cookies.open(value)
        return await self._means.present.viewer(session_id) if session_id else ANONYMOUS

    def cookie_of(self, session_id: SessionId) -> str:
        """The value of the session cookie for a browser that has just signed in."""
        return self._cookies.seal(session_id)

    # Sessions of a user

    async def sessions(self, user_id: UserId) -> list[Session]:
        """Where a user is signed in, the latest used first."""
        async with self._db.read() as conn:
            return await session_rows.alive_of(conn, user_id, self._clock())

    async def revoke(self, user_id: UserId, session_id: SessionId, *, by: Actor | None = None) -> None:
        """End one of a user's sessions; `by`: an administrator, if not the user. Raises `NotFound` for any other."""
        async with self._db.write() as conn:
            found = await session_rows.get_with_user(conn, session_id)
            if found is None or found[0].user_id != user_id or not found[0].alive(self._clock()):
                raise NotFound
            await session_rows.revoke(conn, session_id, self._clock())
            by = by or Actor.of(found[1])
            await self._means.note(conn, Act.SESSION_ENDED, by, found[1], session=session_id)
            self._means.session_over(conn, session_id)

    async def _open_session(self, conn: Connection, user: User, device: str, address: str) -> SignIn:
        now = self._clock()
        session = Session(
            id=SessionId(new_id()),
            user_id=user.id,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._settings.session_days * DAY,
            device=printable(device)[:DEVICE_LENGTH],
            address=address[:ADDRESS_LENGTH],
        )
        await session_rows.insert(conn, session)
        return await self._issue(conn, user, session, now)

    async def _renew_session(self, conn: Connection, user: User, session: Session, now: Timestamp) -> SignIn:
        await session_rows.touch(conn, session.id, now, now + self._settings.session_days * DAY)
        return await self._issue(conn, user, session, now)

    async def _issue(self, conn: Connection, user: User, session: Session, now: Timestamp) -> SignIn:
        refresh = new_secret_token()
        expires = now + self._settings.session_days * DAY
        await session_rows.insert_refresh(conn, session_rows.RefreshToken(digest_of(refresh), session.id, now, expires))
        access = self._tokens.issue(user.id, session.id, now)
        return SignIn(user, session, access, int(self._tokens.lifetime), refresh)
