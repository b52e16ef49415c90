"""API tokens: keys for scripts and the command line, with scopes and an end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streamhost import log
from streamhost.db import api_tokens as rows
from streamhost.db import users as user_rows
from streamhost.db.errors import CatalogUnavailable
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import InvalidToken
from streamhost.features.accounts.means import Means
from streamhost.features.accounts.tokens import digest_of, new_secret_token
from streamhost.model.accounts import ApiToken, Scope, User, Viewer
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import DAY, MINUTE, Timestamp
from streamhost.model.errors import Conflict, NotFound
from streamhost.model.ids import SessionId, TokenId, UserId, new_id

PREFIX = "sht_"
"""Tells what it is to whoever finds one, and to scanners for leaked secrets."""
MOST_TOKENS = 100
MOST_DAYS = 3650.0
TOUCH_SECONDS = 5 * MINUTE
"""The use of a token is written down at most this often."""

_logger = log.get("accounts")


class TooManyTokens(Conflict):
    """You have as many API tokens as one account may have."""

    code = "too_many_tokens"
    hint = "Revoke some that are not used any more."


@dataclass(frozen=True, slots=True)
class NewApiToken:
    """A token just made, and its text, which is shown once: the catalog keeps only a digest of it."""

    token: ApiToken
    text: str


class ApiTokens:
    """Makes, lists, revokes and recognises API tokens."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def create(
        self, user: User, password: str, name: str, scopes: Iterable[str], days: float | None, by: Actor
    ) -> NewApiToken:
        """A token for `days`, None for ever. Raises `WrongPassword`, `InvalidInput`, `TooManyTokens`."""
        clean = rules.checked(
            name=lambda: rules.clean_name(name),
            scopes=lambda: _clean_scopes(scopes),
            days=lambda: _clean_days(days),
        )
        await self._means.prove(user, password, by)
        now, text = self._means.clock(), PREFIX + new_secret_token()
        token = ApiToken(
            id=TokenId(new_id()),
            user_id=user.id,
            name=clean["name"],
            scopes=frozenset(map(Scope, clean["scopes"].split())),
            created_at=now,
            expires_at=None if days is None else now + days * DAY,
        )
        async with self._means.db.write() as conn:
            now_user = await user_rows.get(conn, user.id)
            if now_user is None or not now_user.active or now_user.password_hash != user.password_hash:
                # Shut, or given another password, while this one was checked: no key may outlive that.
                raise InvalidToken
            if len(await rows.of_user(conn, user.id)) >= MOST_TOKENS:
                raise TooManyTokens
            await rows.insert(conn, token, digest_of(text))
            await self._means.note(conn, Act.API_TOKEN_MADE, by, user, token=token.id, scopes=clean["scopes"])
        return NewApiToken(token, text)

    async def all(self, user_id: UserId) -> list[ApiToken]:
        """A user's tokens that were not revoked, expired ones included, newest first."""
        async with self._means.db.read() as conn:
            return await rows.of_user(conn, user_id)

    async def revoke(self, user: User, token_id: TokenId, by: Actor) -> None:
        """End one of the user's tokens, and what was let play with it. Raises `NotFound`."""
        async with self._means.db.write() as conn:
            token = await rows.revoke(conn, user.id, token_id, self._means.clock())
            if token is None:
                raise NotFound
            await self._means.note(conn, Act.API_TOKEN_REVOKED, by, user, token=token_id)
            self._means.session_over(conn, SessionId(token_id))

    async def viewer(self, text: str) -> Viewer:
        """Who sent this token. Raises `InvalidToken`; never answers with nobody."""
        now = self._means.clock()
        async with self._means.db.read() as conn:
            found = await rows.get_with_user(conn, digest_of(text))
        if found is None or not found[0].alive(now) or not found[1].active:
            raise InvalidToken("It is unknown, has expired, or was revoked.")
        token, user = found
        if token.last_used_at is None or now - token.last_used_at > TOUCH_SECONDS:
            await self._touch(token, now)
        return Viewer(user, SessionId(token.id), token.scopes)

    async def _touch(self, token: ApiToken, now: Timestamp) -> None:
        """Write down that it was used. A full disk must not keep scripts from reading: that is only logged."""
        try:
            async with self._means.db.write() as conn:
                await rows.touch(conn, token.id, now)
        except CatalogUnavailable as error:
            _logger.warning("The use of a token could not be written down", token=token.id, error=str(error))


def _clean_scopes(scopes: Iterable[str]) -> str:
    asked = set(scopes)
    if not asked or not asked <= set(Scope):
        raise ValueError(f"One or more of {', '.join(Scope)}.")
    return " ".join(scope for scope in Scope if scope in asked)


def _clean_days(days: float | None) -> str:
    if days is not None and not 0 < days <= MOST_DAYS:
        raise ValueError(f"Up to {MOST_DAYS:.0f} days, or none for a token without an end.")
    return ""
