"""Forgotten passwords, and changes to one's own account: over a real catalog."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from streamhost.features.accounts import (
    Accounts,
    BadCredentials,
    InvalidLink,
    InvalidToken,
    LastAdmin,
    LinkExpired,
    LinkUsed,
    SignIn,
    TooManyAttempts,
    WrongPassword,
)
from streamhost.model.accounts import ANONYMOUS, Role
from streamhost.model.audit import Actor
from streamhost.model.clock import HOUR, MINUTE
from streamhost.model.errors import InvalidInput
from tests.unit.accounts.conftest import PASSWORD
from tests.unit.accounts.hands import Hands, Postbox

NEW = "another long password"


async def forgot(accounts: Accounts, post: Postbox, email: str = "alice@example.org") -> str:
    """The token in the mail after asking for a new password."""
    await accounts.recovery.forgot(email)
    await accounts.settled()
    return post.take().token


async def test_a_reset_sets_the_password_and_ends_everything(
    accounts: Accounts, alice: SignIn, post: Postbox, over: list[str]
) -> None:
    """Every session, refresh token and API token ends, and what plays; the owner is told by mail."""
    api = await accounts.api_tokens.create(alice.user, PASSWORD, "s", ["read"], None, Actor.of(alice.user))
    token = await forgot(accounts, post)
    assert (await accounts.recovery.look(token)).id == alice.user.id
    await accounts.recovery.reset(token, NEW)
    for bearer in (alice.access_token, api.text):
        with pytest.raises(InvalidToken):
            await accounts.viewer_of_bearer(bearer)
    with pytest.raises(InvalidToken):
        await accounts.refresh(alice.refresh_token)
    assert await accounts.viewer_of_cookie(accounts.cookie_of(alice.session.id)) == ANONYMOUS
    assert over == [alice.user.id]
    letter = post.take()
    assert (letter.kind, letter.values["link"]) == ("password_changed", "https://video.example.org/forgot")
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", PASSWORD)
    await accounts.login("alice@example.org", NEW)


async def test_guesses_from_everywhere_do_not_keep_out_who_resets_the_password(
    accounts: Accounts, alice: SignIn, post: Postbox
) -> None:
    """Alice is in a place where she never was, while strangers guess: a new password lets her in there at once."""
    for number in range(5):
        for _ in range(8):
            with contextlib.suppress(BadCredentials, TooManyAttempts):
                await accounts.login("alice@example.org", "a guess", address=f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts):
        await accounts.login("alice@example.org", PASSWORD, address="192.0.2.1")
    await accounts.recovery.reset(await forgot(accounts, post), NEW, address="192.0.2.1")
    await accounts.login("alice@example.org", NEW, address="192.0.2.1")


async def test_a_reset_link_works_once_and_for_a_while(
    accounts: Accounts, alice: SignIn, post: Postbox, clock: Hands
) -> None:
    """Two at once: one wins. Then it, and every other link sent before, is dead; an expired one too."""
    first, second = await forgot(accounts, post), await forgot(accounts, post)
    results = await asyncio.gather(
        *[accounts.recovery.reset(second, f"{NEW} {n}") for n in range(2)], return_exceptions=True
    )
    assert [type(result) for result in results if result is not None] == [LinkUsed]
    with pytest.raises(LinkUsed):
        await accounts.recovery.look(first)
    post.letters.clear()
    third = await forgot(accounts, post)
    clock.pass_by(60 * MINUTE)
    with pytest.raises(LinkExpired):
        await accounts.recovery.reset(third, NEW)


async def test_a_reset_link_dies_with_a_change_of_the_password_or_the_address(
    accounts: Accounts, alice: SignIn, post: Postbox
) -> None:
    """It is bound to both."""
    token = await forgot(accounts, post)
    by = Actor.of(alice.user)
    await accounts.profile.change_password(alice.user, alice.session.id, PASSWORD, NEW, by)
    with pytest.raises(LinkUsed):
        await accounts.recovery.reset(token, "yet another password")
    post.letters.clear()
    token = await forgot(accounts, post)
    user = (await accounts.people.all())[0]
    await accounts.profile.ask_for_email(user, "new@example.org", NEW, by)
    await accounts.profile.confirm_email(post.take().token)
    with pytest.raises(LinkUsed):
        await accounts.recovery.reset(token, "yet another password")


async def test_strangers_and_the_shut_out_get_no_link(accounts: Accounts, alice: SignIn, post: Postbox) -> None:
    """Nobody can tell: the call answers the same at once, and the mailbox of a disabled account stays empty."""
    token = await forgot(accounts, post)
    await accounts.people.disable(alice.user.id)
    for email in ("alice@example.org", "nobody@example.org", "", "\ud800"):
        await accounts.recovery.forgot(email)
    await accounts.settled()
    assert post.letters == []
    with pytest.raises(InvalidLink):
        await accounts.recovery.reset(token, NEW)


async def test_a_reset_needs_a_good_password_and_keeps_the_link(
    accounts: Accounts, alice: SignIn, post: Postbox
) -> None:
    """A password that is too weak is named, and the link still works."""
    token = await forgot(accounts, post)
    for weak in ("short", "alice@example.org", "password123"):
        with pytest.raises(InvalidInput) as caught:
            await accounts.recovery.reset(token, weak)
        assert set(caught.value.fields) == {"password"}
    await accounts.recovery.reset(token, NEW)


async def test_a_reset_verifies_the_address(accounts: Accounts, post: Postbox) -> None:
    """Whoever follows the link reads the mailbox; somebody who squatted on the address is out."""
    await accounts.registration.register("eve@example.org", "what mallory chose", "Mallory")
    verification = post.take().token
    await accounts.recovery.reset(await forgot(accounts, post, "eve@example.org"), NEW)
    assert (await accounts.login("eve@example.org", NEW)).user.email_verified_at is not None
    with pytest.raises(LinkUsed):
        await accounts.registration.verify(verification)


async def test_changing_the_password_ends_the_other_sessions(
    accounts: Accounts, alice: SignIn, post: Postbox, over: list[str]
) -> None:
    """This browser stays signed in, the others do not; the owner is told by mail."""
    other = await accounts.login("alice@example.org", PASSWORD, address="198.51.100.7")
    by = Actor.of(alice.user)
    with pytest.raises(WrongPassword):
        await accounts.profile.change_password(alice.user, alice.session.id, "wrong password", NEW, by)
    with pytest.raises(InvalidInput) as caught:
        await accounts.profile.change_password(alice.user, alice.session.id, PASSWORD, "short", by)
    assert set(caught.value.fields) == {"new_password"}
    await accounts.profile.change_password(alice.user, alice.session.id, PASSWORD, NEW, by)
    assert (await accounts.viewer_of_bearer(alice.access_token)).user is not None
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_bearer(other.access_token)
    assert over == [other.session.id]
    assert post.take().kind == "password_changed"


async def test_an_open_browser_is_not_the_password(accounts: Accounts, alice: SignIn) -> None:
    """Guessing it from within is slowed down too, and lets up with time."""
    by = Actor.of(alice.user, "203.0.113.9")
    for _ in range(8):
        with pytest.raises(WrongPassword):
            await accounts.profile.delete(alice.user, "guess", "", by)
    with pytest.raises(TooManyAttempts):
        await accounts.profile.delete(alice.user, PASSWORD, "", by)


async def test_an_address_changes_when_the_new_one_is_confirmed(
    accounts: Accounts, alice: SignIn, post: Postbox
) -> None:
    """The link goes to the new address; the old one signs in until it was followed, and is told then. It works once."""
    by = Actor.of(alice.user)
    with pytest.raises(WrongPassword):
        await accounts.profile.ask_for_email(alice.user, "new@example.org", "guess", by)
    await accounts.profile.ask_for_email(alice.user, "new@example.org", PASSWORD, by)
    letter = post.take()
    assert (letter.kind, letter.to) == ("change_email", "new@example.org")
    assert letter.values["link"].startswith("https://video.example.org/account/email/confirm?token=")
    await accounts.login("alice@example.org", PASSWORD, address="198.51.100.7")
    await accounts.profile.confirm_email(letter.token)
    notice = post.take()
    assert (notice.kind, notice.to) == ("email_changed", "alice@example.org")
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", PASSWORD)
    assert (await accounts.login("new@example.org", PASSWORD)).user.id == alice.user.id
    assert (await accounts.viewer_of_bearer(alice.access_token)).user is not None
    with pytest.raises(LinkUsed):
        await accounts.profile.confirm_email(letter.token)


async def test_a_taken_address_is_not_told_of(accounts: Accounts, alice: SignIn, post: Postbox) -> None:
    """The asking is answered the same; its owner gets a mail; one that is taken later makes the link worthless."""
    await accounts.people.add("bob@example.org", PASSWORD, "Bob", Role.VIEWER, verified=True)
    by = Actor.of(alice.user)
    await accounts.profile.ask_for_email(alice.user, "BOB@example.org", PASSWORD, by)
    letter = post.take()
    assert (letter.kind, letter.to) == ("address_taken", "bob@example.org")
    await accounts.profile.ask_for_email(alice.user, "max@example.org", PASSWORD, by)
    link = post.take()
    await accounts.people.add("max@example.org", PASSWORD, "Max", Role.VIEWER, verified=True)
    with pytest.raises(LinkUsed):
        await accounts.profile.confirm_email(link.token)


async def test_deleting_the_account(accounts: Accounts, alice: SignIn, over: list[str]) -> None:
    """It takes the password; afterwards nothing of it works, and the address is free."""
    by = Actor.of(alice.user)
    with pytest.raises(WrongPassword):
        await accounts.profile.delete(alice.user, "guess", "", by)
    await accounts.profile.delete(alice.user, PASSWORD, "", by)
    assert over == [alice.user.id]
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_bearer(alice.access_token)
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", PASSWORD)
    await accounts.registration.register("alice@example.org", PASSWORD, "Alice")


async def test_the_last_admin_cannot_delete_the_account(accounts: Accounts) -> None:
    """Not even the admin's own."""
    root = await accounts.people.add("root@example.org", PASSWORD, "Root", Role.ADMIN, verified=True)
    with pytest.raises(LastAdmin):
        await accounts.profile.delete(root, PASSWORD, "", Actor.of(root))
    with pytest.raises(LastAdmin):
        await accounts.people.delete(root.id)


async def test_a_sign_in_from_elsewhere_is_told_by_mail(
    accounts: Accounts, alice: SignIn, post: Postbox, clock: Hands
) -> None:
    """The first sign-in and those from a known network are not worth a mail; one from a new network is."""
    assert post.letters == []
    await accounts.login("alice@example.org", PASSWORD, address="198.51.100.7")
    assert post.letters == []
    clock.pass_by(HOUR)
    await accounts.login("alice@example.org", PASSWORD, address="203.0.113.9")
    assert post.take().kind == "new_sign_in"
