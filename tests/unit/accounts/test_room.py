"""Setting up, registering, signing in and out, roles: over a real catalog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from streamhost.db import users as user_rows
from streamhost.db.core import Database
from streamhost.features.accounts import (
    Accounts,
    BadCredentials,
    EmailTaken,
    EmailUnverified,
    InvalidToken,
    LastAdmin,
    RegistrationClosed,
    SetupClosed,
    SignIn,
    TooManyAttempts,
)
from streamhost.hashing.hashers import Hashers
from streamhost.model.accounts import ANONYMOUS, Role
from streamhost.model.errors import InvalidInput, NotFound
from streamhost.model.ids import UserId
from tests.unit.accounts.conftest import PASSWORD, Opener
from tests.unit.accounts.hands import Hands

ROOT = ("root@example.org", PASSWORD, "Root")
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash that a password is checked against, in order."""
    hashes: list[str] = []
    real = Hashers.verify

    async def verify(self: Hashers, stored: str, password: str, before: Callable[[], None]) -> bool:
        def noted() -> None:
            before()
            hashes.append(stored)

        return await real(self, stored, password, noted)

    monkeypatch.setattr(Hashers, "verify", verify)
    return hashes


async def count(db: Database, table: str) -> int:
    """How many rows a table has."""
    async with db.read() as conn:
        row = await conn.fetch_one(f"SELECT COUNT(*) AS n FROM {table}", {})
    assert row is not None
    return int(row["n"])


async def test_the_setup_link_survives_a_restart_and_dies_with_the_first_admin(open_accounts: Opener) -> None:
    """The same token is printed at every start until it has been used once; then there is none, and it is dead."""
    token = await open_accounts().registration.setup_token()
    accounts = open_accounts()
    assert token is not None
    assert await accounts.registration.setup_token() == token
    assert await open_accounts("another instance").registration.setup_token() != token
    sign_in = await accounts.setup(token, *ROOT)
    assert sign_in.user.role is Role.ADMIN
    assert sign_in.user.email_verified_at is not None
    assert (await accounts.viewer_of_access_token(sign_in.access_token)).user == sign_in.user
    assert await accounts.registration.setup_token() is None
    with pytest.raises(SetupClosed):
        await accounts.setup(token, "mallory@example.org", PASSWORD, "Mallory")


@pytest.mark.parametrize("token", ["", "guess", "\u00e9", "\ud800"])
async def test_setup_needs_the_token(accounts: Accounts, db: Database, token: str) -> None:
    """Without the printed token nobody becomes admin, and nothing is left behind."""
    with pytest.raises(SetupClosed):
        await accounts.setup(token, *ROOT)
    assert await count(db, "users") == 0


async def test_two_browsers_with_the_setup_link_make_one_admin(accounts: Accounts, db: Database) -> None:
    """When both send the form at once, one wins and the other is told that the link is spent."""
    token = await accounts.registration.setup_token() or ""
    tries = [accounts.setup(token, f"root{n}@example.org", PASSWORD, "Root") for n in range(2)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in results if not isinstance(result, SignIn)] == [SetupClosed]
    assert await count(db, "users") == 1


async def test_setup_with_a_taken_address_keeps_the_link(accounts: Accounts) -> None:
    """Somebody who registered before the admin did is not promoted, and the link still works."""
    await accounts.registration.register(*ROOT)
    token = await accounts.registration.setup_token() or ""
    with pytest.raises(EmailTaken):
        await accounts.setup(token, *ROOT)
    assert await accounts.registration.setup_token() == token


async def test_registration_is_closed_unless_opened(open_accounts: Opener, db: Database) -> None:
    """A closed site takes nobody, whatever they send."""
    with pytest.raises(RegistrationClosed):
        await open_accounts(registration="closed").registration.register("no address", "x", "")
    assert await count(db, "users") == 0


async def test_registering_a_taken_address_changes_nothing(accounts: Accounts, alice: SignIn) -> None:
    """The answer is the same as for a new one, however the address is spelt, and the account stays Alice's."""
    await accounts.registration.register("ALICE@Example.org ", "another long password", "Mallory")
    assert [user.id for user in await accounts.people.all()] == [alice.user.id]
    assert (await accounts.login("alice@example.org", PASSWORD)).user == alice.user
    with pytest.raises(EmailUnverified):
        await accounts.login("alice@example.org", "another long password")


async def test_registering_a_taken_address_takes_the_same_work(
    accounts: Accounts, alice: SignIn, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash, and the catalog's log grows in both cases: neither the answer nor its time tells of Alice."""
    hashed: list[str] = []
    real = Hashers.hash

    async def noted(self: Hashers, text: str, before: Callable[[], None]) -> str:
        hashed.append(text)
        return await real(self, text, before)

    monkeypatch.setattr(Hashers, "hash", noted)
    log = db.path.with_name(f"{db.path.name}-wal")
    for email in ("alice@example.org", "eve@example.org"):
        hashed.clear()
        before = log.stat().st_size
        await accounts.registration.register(email, PASSWORD, "Eve")
        assert len(hashed) == 1
        assert log.stat().st_size > before


async def test_whoever_registers_may_watch_and_no_more(accounts: Accounts) -> None:
    """A stranger's account is a viewer's, with an address nobody has verified."""
    await accounts.registration.register("eve@example.org", PASSWORD, "Eve")
    with pytest.raises(EmailUnverified):
        await accounts.login("eve@example.org", PASSWORD)
    (user,) = await accounts.people.all()
    assert (user.role, user.email_verified_at) == (Role.VIEWER, None)


async def test_input_is_checked_before_anything_is_hashed(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wrong field is named, and wrong input costs no work."""
    monkeypatch.setattr(Hashers, "hash", lambda *_: pytest.fail("hashed"))
    with pytest.raises(InvalidInput) as caught:
        await accounts.registration.register("nobody", "short", " ")
    assert set(caught.value.fields) == {"email", "password", "name"}


async def test_a_sign_in_opens_a_session(accounts: Accounts, alice: SignIn, clock: Hands) -> None:
    """The session knows its device and address, and the access token names it for as long as was said."""
    assert [(s.device, s.address) for s in await accounts.sessions(alice.user.id)] == [("Firefox", HOME)]
    viewer = await accounts.viewer_of_access_token(alice.access_token)
    assert (viewer.user, viewer.session_id) == (alice.user, alice.session.id)
    assert alice.expires_in == 15 * 60
    clock.pass_by(alice.expires_in)
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_access_token(alice.access_token)


@pytest.mark.parametrize("typed", ["bob@B\u00fccher.example", "bob@xn--bcher-kva.example", " BOB@b\u00fccher.example"])
async def test_an_address_of_any_script_is_found_as_it_is_typed(accounts: Accounts, typed: str) -> None:
    """It is stored as the DNS has it, and people sign in by what they know."""
    bob = await accounts.people.add("bob@b\u00fccher.example", PASSWORD, "Bob", Role.VIEWER, verified=True)
    assert (await accounts.login(typed, PASSWORD)).user == bob
    assert await accounts.people.by_email(typed) == bob


@pytest.mark.parametrize(
    "email", ["nobody@example.org", "", "x" * 5000, "al\x00ice", "\ud800@example.org", "' OR 1=1 --"]
)
async def test_an_unknown_account_takes_the_same_work(
    accounts: Accounts, alice: SignIn, verified: list[str], email: str
) -> None:
    """For an address without an account one hash of the same cost is checked, and the refusal is the same."""
    refusals = []
    for name in (email, "alice@example.org"):
        with pytest.raises(BadCredentials) as caught:
            await accounts.login(name, "wrong password")
        refusals.append(str(caught.value))
    assert len(verified) == 2
    costs = {tuple(stored.split("$")[:4]) for stored in verified}
    assert costs == {("", "argon2id", "v=19", "m=8192,t=1,p=1")}
    assert len({len(stored) for stored in verified}) == 1
    assert len(set(refusals)) == 1


async def test_a_disabled_account_is_refused_like_a_wrong_password(
    accounts: Accounts, alice: SignIn, verified: list[str]
) -> None:
    """Disabling ends the sessions at once; the right password counts as a guess and does not tell of the account."""
    await accounts.people.disable(alice.user.id)
    with pytest.raises(InvalidToken):
        await accounts.viewer_of_access_token(alice.access_token)
    with pytest.raises(InvalidToken):
        await accounts.refresh(alice.refresh_token)
    assert await accounts.viewer_of_cookie(accounts.cookie_of(alice.session.id)) == ANONYMOUS
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", PASSWORD)
    assert len(verified) == 1
    for refusal in [BadCredentials] * 7 + [TooManyAttempts]:
        with pytest.raises(refusal):
            await accounts.login("alice@example.org", PASSWORD)
    await accounts.people.enable(alice.user.id)
    assert await accounts.sessions(alice.user.id) == []
    assert (await accounts.login("alice@example.org", PASSWORD, address=HOME)).user.active


async def test_hashes_follow_the_settings(open_accounts: Opener, alice: SignIn, db: Database) -> None:
    """With new parameters the next sign-in hashes anew, and the password stays the same."""
    for _ in range(2):
        await open_accounts(argon2_memory_kib=16384, argon2_rounds=2).login("alice@example.org", PASSWORD)
        async with db.read() as conn:
            user = await user_rows.get(conn, alice.user.id)
        assert user is not None
        assert "$m=16384,t=2,p=1$" in user.password_hash


async def test_guessing_is_slowed_down_and_known_networks_stay_open(
    accounts: Accounts, alice: SignIn, clock: Hands
) -> None:
    """Strangers are refused after some guesses, even with the right password; Alice at home comes in all the same."""
    await accounts.login("alice@example.org", PASSWORD, address="2001:db8::1")
    for number in range(60):
        with pytest.raises((BadCredentials, TooManyAttempts)):
            await accounts.login("alice@example.org", "wrong password", address=f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts) as caught:
        await accounts.login("alice@example.org", PASSWORD, address="192.0.2.1")
    for home in (HOME, "2001:db8::2"):
        await accounts.login("alice@example.org", PASSWORD, address=home)
    clock.pass_by(caught.value.retry_after)
    await accounts.login("alice@example.org", PASSWORD, address="192.0.2.1")


async def test_guessing_in_parallel_gains_nothing(accounts: Accounts, alice: SignIn, verified: list[str]) -> None:
    """A hundred guesses sent at once are checked only as far as the limit, and the few that are being checked."""
    tries = [accounts.login("alice@example.org", f"guess number {n}", address=ELSEWHERE) for n in range(100)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(result) for result in results} == {BadCredentials, TooManyAttempts}
    assert len(verified) <= 8 + accounts.hashing_at_once


async def test_many_right_passwords_at_once_are_no_attack(accounts: Accounts, alice: SignIn) -> None:
    """Fifty sign-ins at the same moment all succeed, each with its own session."""
    sign_ins = await asyncio.gather(*[accounts.login("alice@example.org", PASSWORD, address=HOME) for _ in range(50)])
    assert len({sign_in.session.id for sign_in in sign_ins}) == 50


async def test_the_last_admin_stays(accounts: Accounts) -> None:
    """Neither demoting nor disabling leaves the site without an admin who can sign in."""
    root = await accounts.people.add(*ROOT, Role.ADMIN, verified=True)
    await accounts.people.add("waiting@example.org", PASSWORD, "Not verified", Role.ADMIN)
    for attempt in (accounts.people.set_role(root.id, Role.VIEWER), accounts.people.disable(root.id)):
        with pytest.raises(LastAdmin):
            await attempt
    second = await accounts.people.add("second@example.org", PASSWORD, "Second", Role.ADMIN, verified=True)
    await accounts.people.disable(second.id)
    with pytest.raises(LastAdmin):
        await accounts.people.set_role(root.id, Role.VIEWER)
    await accounts.people.enable(second.id)
    results = await asyncio.gather(
        accounts.people.set_role(root.id, Role.VIEWER), accounts.people.disable(second.id), return_exceptions=True
    )
    assert sorted(str(result) for result in results) == sorted(["None", str(LastAdmin())])


async def test_several_changes_are_made_together_or_not_at_all(accounts: Accounts, alice: SignIn) -> None:
    """Where one of them cannot be, none is."""
    root = await accounts.people.add(*ROOT, Role.ADMIN)
    assert root.email_verified_at is None
    with pytest.raises(LastAdmin):
        await accounts.people.change(root.id, verified=True, disabled=True)
    assert await accounts.people.get(root.id) == root
    changed = await accounts.people.change(alice.user.id, role=Role.MODERATOR, disabled=True)
    assert (changed.role, changed.active) == (Role.MODERATOR, False)
    assert await accounts.people.get(alice.user.id) == changed
    assert await accounts.people.change(alice.user.id) == changed


async def test_a_new_role_counts_at_once(accounts: Accounts, alice: SignIn) -> None:
    """What somebody may do does not wait for a new token."""
    assert not (await accounts.viewer_of_access_token(alice.access_token)).is_at_least(Role.MODERATOR)
    await accounts.people.set_role(alice.user.id, Role.MODERATOR)
    assert (await accounts.viewer_of_access_token(alice.access_token)).is_at_least(Role.MODERATOR)


async def test_nobody_can_be_changed_who_is_not_there(accounts: Accounts) -> None:
    """An unknown user is said to be unknown."""
    for attempt in (accounts.people.set_role(UserId("nobody"), Role.VIEWER), accounts.people.disable(UserId("nobody"))):
        with pytest.raises(NotFound):
            await attempt


async def test_added_users_are_unique(accounts: Accounts, alice: SignIn) -> None:
    """An address has one account, however it is spelt; the error says so in words."""
    with pytest.raises(EmailTaken, match="already"):
        await accounts.people.add("Alice@EXAMPLE.org", PASSWORD, "Alice", Role.ADMIN)
    assert [user.email for user in await accounts.people.all()] == ["alice@example.org"]
