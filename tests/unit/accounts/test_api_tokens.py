"""API tokens: made, used, ended."""

from __future__ import annotations

from typing import Any

import pytest

from streamhost.db.core import Database
from streamhost.features.accounts import Accounts, InvalidToken, SignIn, WrongPassword
from streamhost.features.accounts.passwords import Passwords
from streamhost.model.accounts import Role, Scope, Viewer
from streamhost.model.audit import Actor
from streamhost.model.clock import DAY
from streamhost.model.errors import InvalidInput, NotFound
from streamhost.model.ids import TokenId
from tests.unit.accounts.conftest import PASSWORD
from tests.unit.accounts.hands import Hands


async def test_a_token_speaks_for_its_user(accounts: Accounts, alice: SignIn, db: Database) -> None:
    """It names the user and its scopes, is listed without its text, and is nowhere in the catalog."""
    made = await accounts.api_tokens.create(
        alice.user, PASSWORD, "back-up", ["upload", "read", "read"], 30, Actor.of(alice.user)
    )
    assert made.text.startswith("sht_")
    viewer = await accounts.viewer_of_bearer(made.text)
    assert (viewer.user, viewer.scopes) == (alice.user, frozenset({Scope.READ, Scope.UPLOAD}))
    (listed,) = await accounts.api_tokens.all(alice.user.id)
    assert (listed.name, listed.last_used_at, listed.expires_at) == (
        "back-up",
        listed.created_at,
        listed.created_at + 30 * DAY,
    )
    content = b"".join(path.read_bytes() for path in db.path.parent.glob("catalog.sqlite3*"))
    assert made.text.encode() not in content


async def test_tokens_end(accounts: Accounts, alice: SignIn, clock: Hands, over: list[str]) -> None:
    """Expired, revoked, of a disabled user, made up: all are refused at once, and what played with them ends."""
    by = Actor.of(alice.user)
    short = await accounts.api_tokens.create(alice.user, PASSWORD, "short", ["read"], 1, by)
    long = await accounts.api_tokens.create(alice.user, PASSWORD, "long", ["read"], None, by)
    other = await accounts.api_tokens.create(alice.user, PASSWORD, "other", ["read"], None, by)
    clock.pass_by(DAY)
    await accounts.viewer_of_bearer(long.text)
    await accounts.api_tokens.revoke(alice.user, long.token.id, by)
    assert over == [long.token.id]
    bob = await accounts.people.add("bob@example.org", PASSWORD, "Bob", Role.ADMIN, verified=True)
    for user, token in ((alice.user, long.token.id), (bob, other.token.id), (alice.user, TokenId("nothing"))):
        with pytest.raises(NotFound):
            await accounts.api_tokens.revoke(user, token, by)
    await accounts.viewer_of_bearer(other.text)
    await accounts.people.disable(alice.user.id)
    await accounts.people.enable(alice.user.id)
    for text in (short.text, long.text, other.text, "sht_", "sht_" + "x" * 43, "sht_\ud800", other.text + "x"):
        with pytest.raises(InvalidToken):
            await accounts.viewer_of_bearer(text)


async def test_a_token_asked_for_before_the_end_is_not_made_after_it(
    accounts: Accounts, alice: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose account is shut while the old one is being checked gets none:
    a thief's last key would outlive the answer to the theft."""
    by, real = Actor.of(alice.user), Passwords.verify

    async def shut_meanwhile(self: Passwords, stored: str | None, password: str, **more: Any) -> bool:
        fits = await real(self, stored, password, **more)
        await accounts.people.disable(alice.user.id)
        return fits

    monkeypatch.setattr(Passwords, "verify", shut_meanwhile)
    with pytest.raises(InvalidToken):
        await accounts.api_tokens.create(alice.user, PASSWORD, "late", ["read"], None, by)
    assert await accounts.api_tokens.all(alice.user.id) == []


async def test_making_a_token_takes_the_password(accounts: Accounts, alice: SignIn) -> None:
    """An open browser does not become a key for ever; what is wrong is named."""
    by = Actor.of(alice.user)
    with pytest.raises(WrongPassword):
        await accounts.api_tokens.create(alice.user, "guess", "t", ["read"], None, by)
    for name, scopes, days, field in (
        (" ", ["read"], None, "name"),
        ("t", [], None, "scopes"),
        ("t", ["everything"], None, "scopes"),
        ("t", ["read"], 0.0, "days"),
        ("t", ["read"], float("inf"), "days"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await accounts.api_tokens.create(alice.user, PASSWORD, name, scopes, days, by)
        assert set(caught.value.fields) == {field}
    assert await accounts.api_tokens.all(alice.user.id) == []


async def test_a_token_carries_no_power_that_it_was_not_given(accounts: Accounts) -> None:
    """Of an admin's token only one with the scope `admin` is more than a creator's."""
    root = await accounts.people.add("root@example.org", PASSWORD, "Root", Role.ADMIN, verified=True)
    for scopes, powerful in ((None, True), ({Scope.ADMIN}, True), (set(Scope) - {Scope.ADMIN}, False)):
        viewer = Viewer(root, None, None if scopes is None else frozenset(scopes))
        assert viewer.is_at_least(Role.CREATOR)
        assert [viewer.is_at_least(role) for role in (Role.MODERATOR, Role.ADMIN)] == [powerful, powerful]
