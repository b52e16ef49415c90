"""Sessions and refresh tokens: how they live, are renewed, and end."""

from __future__ import annotations

import asyncio

import pytest

from streamhost.db import sessions as session_rows
from streamhost.db import users as user_rows
from streamhost.db.core import Database
from streamhost.features.accounts import (
    Accounts,
    InvalidToken,
    RefreshInProgress,
    SignIn,
    TokenReused,
)
from streamhost.features.accounts.signed_in import TOUCH_SECONDS, TRUSTED_SECONDS
from streamhost.model.accounts import ANONYMOUS, Role
from streamhost.model.clock import DAY
from streamhost.model.errors import NotFound
from streamhost.model.ids import SessionId
from tests.unit.accounts.conftest import PASSWORD, Opener
from tests.unit.accounts.hands import Hands


async def count(db: Database, table: str) -> int:
    """How many rows a table has."""
    async with db.read() as conn:
        row = await conn.fetch_one(f"SELECT COUNT(*) AS n FROM {table}", {})
    assert row is not None
    return int(row["n"])


async def test_a_refresh_token_works_once(accounts: Accounts, alice: SignIn, clock: Hands) -> None:
    """The exchange keeps the session and lengthens it; using a dead token ends the session for everybody who has it."""
    clock.pass_by(20 * DAY)
    second = await accounts.refresh(alice.refresh_token)
    assert second.session.id == alice.session.id
    clock.pass_by(20 * DAY)
    third = await accounts.refresh(second.refresh_token)
    assert (await accounts.viewer_of_access_token(third.access_token)).user == alice.user
    with pytest.raises(TokenReused):
        await accounts.refresh(alice.refresh_token)
    with pytest.raises(InvalidToken):
        await accounts.refresh(third.refresh_token)
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_access_token(third.access_token)
    assert await accounts.sessions(alice.user.id) == []


async def test_two_refreshes_at_once_make_one_successor(accounts: Accounts, alice: SignIn) -> None:
    """Two tabs with the same token: one gets the tokens, the other is told so; the session lives on."""
    results = await asyncio.gather(*[accounts.refresh(alice.refresh_token) for _ in range(5)], return_exceptions=True)
    winners = [result for result in results if isinstance(result, SignIn)]
    assert len(winners) == 1
    assert {type(result) for result in results} == {SignIn, RefreshInProgress}
    assert (await accounts.refresh(winners[0].refresh_token)).session.id == alice.session.id


async def test_two_processes_with_one_refresh_token_make_no_two_families(open_accounts: Opener, alice: SignIn) -> None:
    """Across processes the catalog decides: there is never a second living successor."""
    one, two = open_accounts(), open_accounts()
    results = await asyncio.gather(
        one.refresh(alice.refresh_token), two.refresh(alice.refresh_token), return_exceptions=True
    )
    assert {type(result) for result in results} == {SignIn, TokenReused}
    assert await one.sessions(alice.user.id) == []


@pytest.mark.parametrize("token", ["", "x", "\u00e9" * 50, "\ud800", "a" * 100_000])
async def test_unknown_refresh_tokens_are_refused(accounts: Accounts, token: str) -> None:
    """Any text that was never issued is invalid, nothing more."""
    with pytest.raises(InvalidToken):
        await accounts.refresh(token)


async def test_refresh_tokens_are_not_kept(accounts: Accounts, alice: SignIn, db: Database) -> None:
    """Reading the catalog gives nobody a token: it holds digests only."""
    async with db.read() as conn:
        rows = await conn.fetch_all("SELECT * FROM refresh_tokens", {})
    assert rows
    assert alice.refresh_token not in str(rows)
    with pytest.raises(InvalidToken):
        await accounts.refresh(str(rows[0]["digest"]))


async def test_a_session_ends_when_it_is_not_used(accounts: Accounts, alice: SignIn, clock: Hands) -> None:
    """Use lengthens a session; without use it is over after the days in the settings."""
    cookie = accounts.cookie_of(alice.session.id)
    for _ in range(3):
        clock.pass_by(29 * DAY)
        assert (await accounts.viewer_of_cookie(cookie)).user == alice.user
    clock.pass_by(30 * DAY)
    assert await accounts.viewer_of_cookie(cookie) == ANONYMOUS
    with pytest.raises(InvalidToken):
        await accounts.refresh(alice.refresh_token)
    assert await accounts.sessions(alice.user.id) == []


async def test_use_is_written_down_now_and_then(accounts: Accounts, alice: SignIn, clock: Hands) -> None:
    """The last use is right within minutes, and not written with every request."""
    cookie = accounts.cookie_of(alice.session.id)
    clock.pass_by(TOUCH_SECONDS)
    await accounts.viewer_of_cookie(cookie)
    assert (await accounts.sessions(alice.user.id))[0].last_used_at == alice.session.last_used_at
    clock.pass_by(TRUSTED_SECONDS + 1)
    await accounts.viewer_of_cookie(cookie)
    assert (await accounts.sessions(alice.user.id))[0].last_used_at == clock.now


async def test_revoking_shows_at_once_here_and_soon_elsewhere(
    open_accounts: Opener, accounts: Accounts, alice: SignIn, clock: Hands
) -> None:
    """A revoked session is dead in this process with the next request, in others after a few seconds."""
    elsewhere = open_accounts()
    for process in (accounts, elsewhere):
        assert (await process.viewer_of_access_token(alice.access_token)).user == alice.user
    await accounts.revoke(alice.user.id, alice.session.id)
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_access_token(alice.access_token)
    clock.pass_by(TRUSTED_SECONDS)
    with pytest.raises(InvalidToken):
        await elsewhere.viewer_of_access_token(alice.access_token)


async def test_asking_again_within_seconds_costs_no_query(
    accounts: Accounts, alice: SignIn, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Routes that are called often do not wait for the catalog to know who asks."""
    await accounts.viewer_of_access_token(alice.access_token)
    monkeypatch.setattr(Database, "read", lambda _: pytest.fail("asked the catalog"))
    assert (await accounts.viewer_of_access_token(alice.access_token)).user == alice.user


async def test_only_own_sessions_can_be_revoked(accounts: Accounts, alice: SignIn) -> None:
    """Somebody else's session, an ended one and none at all look the same."""
    await accounts.people.add("bob@example.org", PASSWORD, "Bob", Role.ADMIN, verified=True)
    bob = await accounts.login("bob@example.org", PASSWORD)
    for session in (alice.session.id, SessionId("nothing")):
        with pytest.raises(NotFound):
            await accounts.revoke(bob.user.id, session)
    assert (await accounts.viewer_of_access_token(alice.access_token)).user == alice.user
    await accounts.logout(alice.session.id)
    with pytest.raises(NotFound):
        await accounts.revoke(alice.user.id, alice.session.id)


async def test_no_session_outlives_its_account(
    open_accounts: Opener, alice: SignIn, db: Database, clock: Hands
) -> None:
    """Even if a session was left open when its account was shut, it is worth nothing."""
    async with db.write() as conn:
        await user_rows.set_disabled(conn, alice.user.id, clock.now)
    accounts = open_accounts()
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_access_token(alice.access_token)
    with pytest.raises(InvalidToken):
        await accounts.refresh(alice.refresh_token)


async def test_a_token_for_another_user_of_the_session_is_refused(accounts: Accounts, alice: SignIn) -> None:
    """User and session in a token must belong together."""
    bob = await accounts.people.add("bob@example.org", PASSWORD, "Bob", Role.VIEWER, verified=True)
    token = accounts._tokens.issue(bob.id, alice.session.id, accounts._clock())
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_access_token(token)


async def test_ended_sessions_are_forgotten_in_time(
    accounts: Accounts, alice: SignIn, db: Database, clock: Hands
) -> None:
    """Rows of sessions that ended before a moment go, tokens with them; what ended later or lives stays."""
    await accounts.logout(alice.session.id)
    clock.pass_by(1)
    living = await accounts.login("alice@example.org", PASSWORD)
    async with db.write() as conn:
        assert await session_rows.delete_ended(conn, clock.now - 1) == 0
        assert await session_rows.delete_ended(conn, clock.now) == 1
    assert await count(db, "refresh_tokens") == 1
    assert (await accounts.viewer_of_cookie(accounts.cookie_of(living.session.id))).user == alice.user
