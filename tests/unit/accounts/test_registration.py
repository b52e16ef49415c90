"""Registering, verifying the address, invitations: over a real catalog."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import pytest

from streamhost.db import claims
from streamhost.db.core import Database
from streamhost.features.accounts import (
    Accounts,
    BadCredentials,
    EmailUnverified,
    InvalidLink,
    InvitationInvalid,
    LinkExpired,
    LinkUsed,
    RegistrationClosed,
    SignIn,
    TooManyAttempts,
)
from streamhost.model.accounts import Role
from streamhost.model.audit import SYSTEM, Actor
from streamhost.model.clock import DAY, HOUR
from streamhost.model.errors import InvalidInput, NotFound
from tests.unit.accounts.conftest import PASSWORD, Opener
from tests.unit.accounts.hands import Hands, Postbox, altered

EVE = ("eve@example.org", PASSWORD, "Eve")


async def test_an_address_is_verified_by_the_link_in_its_mail(accounts: Accounts, post: Postbox) -> None:
    """Before, the right password is told what is missing and a wrong one is not; afterwards it opens a session."""
    await accounts.registration.register(*EVE)
    letter = post.take()
    assert (letter.kind, letter.to) == ("verify_email", "eve@example.org")
    assert letter.values["link"].startswith("https://video.example.org/verify?token=")
    assert letter.values["expires"] == "2 days"
    with pytest.raises(EmailUnverified):
        await accounts.login("eve@example.org", PASSWORD)
    with pytest.raises(BadCredentials):
        await accounts.login("eve@example.org", "wrong password")
    await accounts.registration.verify(letter.token)
    assert (await accounts.login("eve@example.org", PASSWORD)).user.email_verified_at is not None


async def test_a_verification_link_works_once_and_for_a_while(
    accounts: Accounts, post: Postbox, clock: Hands, open_accounts: Opener
) -> None:
    """Used, expired, forged, cut off and of another installation: each is refused, and says which it is."""
    await accounts.registration.register(*EVE)
    token = post.take().token
    for wrong in ("", "x", token[:-1], altered(token), "\ud800", token + "x" * 3000):
        with pytest.raises(InvalidLink):
            await accounts.registration.verify(wrong)
    with pytest.raises(InvalidLink):
        await open_accounts("another instance").registration.verify(token)
    with pytest.raises(InvalidLink):
        await accounts.recovery.look(token)
    clock.pass_by(48 * HOUR)
    with pytest.raises(LinkExpired):
        await accounts.registration.verify(token)
    await accounts.registration.resend("EVE@example.org")
    await accounts.settled()
    fresh = post.take().token
    results = await asyncio.gather(*[accounts.registration.verify(fresh) for _ in range(2)], return_exceptions=True)
    assert [type(result) for result in results if isinstance(result, Exception)] == [LinkUsed]


async def test_the_user_and_the_mail_are_one_transaction(
    accounts: Accounts, post: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the mail cannot be written down there is no account either, and the address can be used again."""

    async def broken(*_: object, **_named: object) -> None:
        raise RuntimeError("no outbox")

    with monkeypatch.context() as patch:
        patch.setattr(post, "enqueue", broken)
        with pytest.raises(RuntimeError):
            await accounts.registration.register(*EVE)
    assert await accounts.people.all() == []
    await accounts.registration.register(*EVE)
    assert post.take().kind == "verify_email"


async def test_who_has_the_address_is_told_of_a_second_registration(
    accounts: Accounts, alice: SignIn, post: Postbox
) -> None:
    """The mail goes to the owner at the address as the owner spelt it, and has no token in it."""
    await accounts.registration.register("ALICE@Example.org ", "another long password", "Mallory")
    letter = post.take()
    assert (letter.kind, letter.to) == ("address_taken", "alice@example.org")
    assert letter.values["name"] == "Alice"
    assert letter.values["link"] == "https://video.example.org/login"


async def test_signing_in_after_registering_does_not_tell_whether_the_address_was_taken(
    accounts: Accounts, alice: SignIn, db: Database
) -> None:
    """With every password that was registered, and until there were too many tries: what a new account answers, a taken
    address does too. The owner notices nothing, and no password is kept."""
    heard: dict[str, list[str]] = {}
    for email, home in (("alice@example.org", "192.0.2.7"), ("eve@example.org", "192.0.2.8")):
        for password in ("another long password", "yet another password"):
            await accounts.registration.register(email, password, "Mallory")
        heard[email] = []
        for password in ("another long password", "yet another password", "a password of nobody") * 4:
            with pytest.raises((EmailUnverified, BadCredentials, TooManyAttempts)) as refused:
                await accounts.login(email, password, address=home)
            heard[email].append(refused.value.code)
    assert heard["alice@example.org"] == heard["eve@example.org"]
    assert heard["eve@example.org"][:3] == ["email_unverified", "email_unverified", "bad_credentials"]
    assert heard["eve@example.org"][-1] == "too_many_attempts"
    assert (await accounts.login("alice@example.org", PASSWORD)).user.id == alice.user.id
    async with db.read() as conn:
        assert {len(row["mark"]) for row in await conn.fetch_all("SELECT mark FROM claims", {})} == {4}


async def test_claims_of_one_address_do_not_pile_up(
    accounts: Accounts, alice: SignIn, post: Postbox, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is forgotten for the next, and all of them once the owner sets a new password by mail."""
    monkeypatch.setattr(claims, "KEPT", 2)
    for number in range(3):
        await accounts.registration.register("alice@example.org", f"another long password {number}", "Mallory")
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", "another long password 0")
    with pytest.raises(EmailUnverified):
        await accounts.login("alice@example.org", "another long password 2")
    post.letters.clear()
    await accounts.recovery.forgot("alice@example.org")
    await accounts.settled()
    await accounts.recovery.reset(post.take().token, "a new password of Alice")
    async with db.read() as conn:
        assert await conn.fetch_all("SELECT number FROM claims", {}) == []


async def test_verification_is_sent_again_only_to_who_waits_for_it(
    accounts: Accounts, alice: SignIn, post: Postbox
) -> None:
    """Unknown and verified addresses get nothing; the caller is told nothing in any case."""
    for email in ("alice@example.org", "nobody@example.org", "\ud800", "x" * 5000):
        await accounts.registration.resend(email)
    await accounts.settled()
    assert post.letters == []


async def test_one_network_cannot_have_mail_sent_without_end(accounts: Accounts) -> None:
    """After some requests from one network it has to wait; loopback, a proxy, has not."""
    for _ in range(20):
        await accounts.registration.resend("eve@example.org", address="203.0.113.9")
    with pytest.raises(TooManyAttempts):
        await accounts.registration.resend("eve@example.org", address="203.0.113.9")
    await accounts.registration.resend("eve@example.org", address="127.0.0.1")
    await accounts.settled()


async def test_by_invitation_only(open_accounts: Opener, post: Postbox) -> None:
    """Without the link nobody registers; with it one does, in the role that it gives; then it is used up."""
    accounts = open_accounts(registration="invite")
    with pytest.raises(RegistrationClosed):
        await accounts.registration.register(*EVE)
    made = await accounts.invitations.create(SYSTEM, role=Role.CREATOR, note="for Eve")
    token = made.link.partition("?invitation=")[2]
    assert (await accounts.registration.invited(token)).note == "for Eve"
    await accounts.registration.register(*EVE, invitation=token)
    (eve,) = await accounts.people.all()
    assert (eve.role, eve.email_verified_at) == (Role.CREATOR, None)
    with pytest.raises(InvitationInvalid):
        await accounts.registration.register("max@example.org", PASSWORD, "Max", invitation=token)
    assert [i.uses for i in await accounts.invitations.all()] == [1]
    assert token not in str(await accounts.invitations.all())


async def test_an_invitation_is_not_used_more_often_than_it_allows(open_accounts: Opener) -> None:
    """Five at the same moment with a link for two: two come in."""
    accounts = open_accounts(registration="invite")
    token = (await accounts.invitations.create(SYSTEM, uses=2)).link.partition("=")[2]
    tries = [accounts.registration.register(f"n{n}@example.org", PASSWORD, "N", invitation=token) for n in range(5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["InvitationInvalid"] * 3 + ["NoneType"] * 2
    assert len(await accounts.people.all()) == 2


async def test_an_invitation_for_one_address_verifies_it(open_accounts: Opener, post: Postbox) -> None:
    """Whoever has the link in that mail reads the mailbox: no second mail; nobody else can use it."""
    accounts = open_accounts(registration="invite")
    await accounts.invitations.create(SYSTEM, email="Eve@Example.org")
    letter = post.take()
    assert (letter.kind, letter.to) == ("invitation", "Eve@example.org")
    with pytest.raises(InvitationInvalid):
        await accounts.registration.register("mallory@example.org", PASSWORD, "M", invitation=letter.token)
    await accounts.registration.register(*EVE, invitation=letter.token)
    assert post.letters == []
    assert (await accounts.login("eve@example.org", PASSWORD)).user.name == "Eve"


async def test_an_invitation_does_not_tell_whether_an_address_is_taken(
    open_accounts: Opener, alice: SignIn, post: Postbox
) -> None:
    """It is used up either way, so looking at it afterwards tells nothing."""
    accounts = open_accounts(registration="invite")
    for email in ("alice@example.org", "eve@example.org"):
        token = (await accounts.invitations.create(SYSTEM)).link.partition("=")[2]
        await accounts.registration.register(email, PASSWORD, "E", invitation=token)
        with pytest.raises(InvitationInvalid):
            await accounts.registration.invited(token)


async def test_invitations_end(open_accounts: Opener, clock: Hands) -> None:
    """Expired, revoked, unknown, or on a site that has closed: all look the same."""
    accounts = open_accounts(registration="invite")
    old = (await accounts.invitations.create(SYSTEM, days=1)).link.partition("=")[2]
    clock.pass_by(DAY)
    made = await accounts.invitations.create(SYSTEM)
    revoked, still = made.link.partition("=")[2], (await accounts.invitations.create(SYSTEM)).link.partition("=")[2]
    await accounts.invitations.revoke(made.invitation.id, SYSTEM)
    with pytest.raises(NotFound):
        await accounts.invitations.revoke(made.invitation.id, SYSTEM)
    for token in (old, revoked, "unknown", ""):
        with pytest.raises(InvitationInvalid):
            await accounts.registration.invited(token)
    assert (await accounts.registration.invited(still)).uses == 0
    with pytest.raises(InvitationInvalid):
        await open_accounts(registration="closed").registration.invited(still)
    with pytest.raises(RegistrationClosed):
        await open_accounts(registration="closed").invitations.create(SYSTEM)


@pytest.mark.parametrize("end", ["demoted", "disabled", "deleted"])
async def test_an_invitation_does_not_outlive_the_power_to_invite(open_accounts: Opener, end: str) -> None:
    """Who is an administrator no more has no way back in as one; the invitations of others stay."""
    accounts = open_accounts(registration="invite")
    people = [
        await accounts.people.add(f"{name}@example.org", PASSWORD, name, Role.ADMIN, verified=True)
        for name in ("root", "mallory")
    ]
    stays, ends = [await accounts.invitations.create(Actor.of(user), role=Role.ADMIN) for user in people]
    if end == "demoted":
        await accounts.people.set_role(people[1].id, Role.VIEWER)
    elif end == "disabled":
        await accounts.people.disable(people[1].id)
    else:
        await accounts.people.delete(people[1].id)
    token = unquote(ends.link.partition("?invitation=")[2])
    with pytest.raises(InvitationInvalid):
        await accounts.registration.register("back@example.org", PASSWORD, "Back", invitation=token)
    await accounts.registration.invited(unquote(stays.link.partition("?invitation=")[2]))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"uses": 0}, "uses"),
        ({"uses": 2, "email": "eve@example.org"}, "uses"),
        ({"days": 0}, "days"),
        ({"days": 1e9}, "days"),
        ({"days": float("nan")}, "days"),
        ({"note": "a\nb"}, "note"),
        ({"email": "nobody"}, "email"),
    ],
)
async def test_what_an_invitation_cannot_be_is_named(
    accounts: Accounts, db: Database, wrong: dict[str, object], field: str
) -> None:
    """The field that is wrong is named, and nothing is stored."""
    with pytest.raises(InvalidInput) as caught:
        await accounts.invitations.create(SYSTEM, **wrong)  # type: ignore[arg-type]
    assert set(caught.value.fields) == {field}
    assert await accounts.invitations.all() == []
