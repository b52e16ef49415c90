"""What is written down of what was done, and what follows from it in other processes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from streamhost.db.core import Database
from streamhost.db.errors import ConstraintViolated
from streamhost.db.migrate import migrate
from streamhost.db.migrations import steps
from streamhost.features.accounts import Accounts, BadCredentials, SignIn, WrongCode
from streamhost.features.accounts.endings import Endings
from streamhost.features.audit import Audit
from streamhost.model.accounts import Role
from streamhost.model.audit import COMMAND_LINE, Act, Actor
from streamhost.model.clock import HOUR
from streamhost.model.errors import InvalidInput
from tests.unit.accounts.conftest import PASSWORD, Opener
from tests.unit.accounts.hands import Hands, Postbox, wrong_codes


async def acts(db: Database) -> list[str]:
    """What the log says was done, oldest first."""
    page = await Audit(db).entries(limit=200)
    return [entry.act.value for entry in reversed(page.items)]


async def test_acts_are_written_down_with_who_and_where(accounts: Accounts, db: Database, alice: SignIn) -> None:
    """Actor, subject, address: by id, and in words that stay when the account goes."""
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", "my other password", address="203.0.113.9")
    with pytest.raises(BadCredentials):
        await accounts.login("a password in the wrong field", "x", address="203.0.113.9")
    await accounts.settled()
    await accounts.people.set_role(alice.user.id, Role.MODERATOR, COMMAND_LINE)
    await accounts.people.delete(alice.user.id, COMMAND_LINE)
    unknown, *_ = (await Audit(db).entries(act="sign_in_refused")).items
    assert (unknown.subject_id, unknown.subject, unknown.actor) == (None, "", Actor(None, "somebody", "203.0.113.9"))
    changed, *_ = (await Audit(db).entries(act="role_changed")).items
    assert (changed.actor, changed.subject, changed.details) == (
        COMMAND_LINE,
        "alice@example.org",
        {"before": "creator", "after": "moderator"},
    )
    assert [entry.act for entry in (await Audit(db).entries(user_id=alice.user.id)).items] == [
        Act.USER_DELETED,
        Act.ROLE_CHANGED,
        Act.SIGN_IN_REFUSED,
        Act.SIGNED_IN,
        Act.USER_ADDED,
    ]


async def test_the_log_holds_no_secrets(accounts: Accounts, db: Database, alice: SignIn, post: Postbox) -> None:
    """No password, no token, no code, and nothing that was typed by somebody who was refused."""
    by = Actor.of(alice.user)
    token = await accounts.api_tokens.create(alice.user, PASSWORD, "secret name", ["read"], None, by)
    invitation = await accounts.invitations.create(by)
    secret = await accounts.second_factor.begin(alice.user, PASSWORD, by)
    await accounts.recovery.forgot("alice@example.org")
    await accounts.settled()
    with pytest.raises(BadCredentials):
        await accounts.login("typed into the wrong field", "x")
    await accounts.settled()
    text = str((await Audit(db).entries(limit=200)).items)
    for hidden in (PASSWORD, token.text, invitation.link, secret.secret, post.letters[-1].token, "wrong field"):
        assert hidden not in text
    assert alice.refresh_token not in text


async def test_codes_and_mails_asked_for_are_written_down(
    accounts: Accounts, db: Database, alice: SignIn, clock: Hands
) -> None:
    """A second factor begun and a code that does not fit; a verification mail asked for again, if there is one."""
    by = Actor.of(alice.user, "203.0.113.9")
    made = await accounts.second_factor.begin(alice.user, PASSWORD, by)
    with pytest.raises(WrongCode):
        await accounts.second_factor.confirm(alice.user, wrong_codes(made.secret, clock)[0], by)
    await accounts.people.add("new@example.org", PASSWORD, "New", Role.VIEWER, by=COMMAND_LINE)
    for email in ("new@example.org", "alice@example.org", "nobody@example.org"):
        await accounts.registration.resend(email, address="203.0.113.9")
    await accounts.settled()
    again, added, refused, begun, *_ = (await Audit(db).entries()).items
    assert (again.act, again.subject, again.actor) == (
        Act.VERIFICATION_SENT_AGAIN,
        "new@example.org",
        Actor(None, "somebody", "203.0.113.9"),
    )
    assert added.act is Act.USER_ADDED
    assert (refused.act, refused.actor, refused.details) == (Act.SECOND_FACTOR_REFUSED, by, {})
    assert (begun.act, begun.actor, begun.details) == (Act.SECOND_FACTOR_BEGUN, by, {})


async def test_the_log_is_never_changed(accounts: Accounts, db: Database, alice: SignIn) -> None:
    """The catalog itself refuses, whoever asks it; replacing a line counts as changing."""
    before = await acts(db)
    for sql in (
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE number = 1",
        "REPLACE INTO audit (number, at, act, actor, subject, address) VALUES (1, 0, 'signed_in', '', '', '')",
    ):
        with pytest.raises(ConstraintViolated):
            async with db.write() as conn:
                await conn.execute(sql)
    assert await acts(db) == before


async def test_the_log_is_read_in_pages(accounts: Accounts, db: Database, alice: SignIn) -> None:
    """Every line once, newest first; a place that is none is named."""
    for n in range(7):
        await accounts.people.set_role(alice.user.id, [Role.VIEWER, Role.CREATOR][n % 2])
    numbers, cursor = [], None
    while True:
        page = await Audit(db).entries(cursor, 3)
        numbers += [entry.number for entry in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert numbers == list(range(len(numbers), 0, -1))
    for wrong in ({"cursor": "x"}, {"limit": 0}, {"limit": 1000}, {"act": "nothing"}, {"cursor": "9" * 30}):
        with pytest.raises(InvalidInput):
            await Audit(db).entries(**wrong)


async def test_what_ends_elsewhere_ends_here(
    accounts: Accounts, open_accounts: Opener, alice: SignIn, over: list[str], clock: Hands
) -> None:
    """What another process ends, or ended before this one started, is passed on once; what is long over is not."""
    elsewhere = open_accounts()
    old = await elsewhere.login("alice@example.org", PASSWORD)
    await elsewhere.logout(old.session.id)
    clock.pass_by(2 * HOUR)
    recent = await elsewhere.login("alice@example.org", PASSWORD)
    await elsewhere.logout(recent.session.id)
    over.clear()
    endings = Endings(accounts._means, HOUR)
    await endings.read_on()
    assert over == [recent.session.id]
    over.clear()
    await endings.read_on()
    assert over == []
    token = await elsewhere.api_tokens.create(alice.user, PASSWORD, "t", ["read"], None, Actor.of(alice.user))
    await elsewhere.api_tokens.revoke(alice.user, token.token.id, Actor.of(alice.user))
    await elsewhere.people.disable(alice.user.id)
    await elsewhere.people.delete(alice.user.id)
    over.clear()
    await endings.read_on()
    assert sorted(over) == sorted([token.token.id, alice.user.id, alice.user.id])


async def test_a_changed_password_ends_the_others_elsewhere_too(
    accounts: Accounts, open_accounts: Opener, alice: SignIn, over: list[str]
) -> None:
    """The session in which it was changed is left alone."""
    endings = Endings(accounts._means, HOUR)
    other = await accounts.login("alice@example.org", PASSWORD)
    await open_accounts().profile.change_password(
        alice.user, alice.session.id, PASSWORD, "another long password", Actor.of(alice.user)
    )
    over.clear()
    await endings.read_on()
    assert over == [other.session.id]


async def test_strangers_cannot_fill_the_disk(accounts: Accounts, db: Database, alice: SignIn) -> None:
    """Of sign-ins to accounts that do not exist only so many are written down; those to Alice's all are."""
    for n in range(120):
        with pytest.raises(BadCredentials):
            await accounts.login(f"nobody{n}@example.org", "x", address="127.0.0.1")
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", "x", address="127.0.0.1")
    await accounts.settled()
    refused = (await Audit(db).entries(act="sign_in_refused", limit=200)).items
    assert len(refused) == 101
    assert refused[0].subject_id == alice.user.id


async def test_a_long_log_is_read_to_the_end(
    accounts: Accounts, alice: SignIn, over: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More ends than one page holds are all passed on."""
    monkeypatch.setattr("streamhost.features.accounts.endings.PAGE", 3)
    endings = Endings(accounts._means, HOUR)
    await endings.read_on()
    over.clear()
    ids = []
    for _ in range(5):
        session = (await accounts.login("alice@example.org", PASSWORD)).session.id
        await accounts.logout(session)
        ids.append(session)
    over.clear()
    await endings.read_on()
    assert sorted(over) == sorted(ids)


def test_accounts_from_before_are_not_locked_out(tmp_path: Path) -> None:
    """Addresses that nobody had verified count as verified after the upgrade, and the log says so of each."""
    path = tmp_path / "catalog.sqlite3"
    steps.apply(path, stop_before="m0003_accounts")
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.executemany(
            "INSERT INTO users (id, email, email_key, name, role, password_hash, created_at, email_verified_at) "
            "VALUES (:id, :id, :id, 'N', 'viewer', 'x', 5.0, :verified)",
            [{"id": "old", "verified": None}, {"id": "done", "verified": 7.0}],
        )
    migrate(path)
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT id, email_verified_at FROM users ORDER BY id").fetchall() == [
            ("done", 7.0),
            ("old", 5.0),
        ]
        assert conn.execute("SELECT act, actor, subject_id FROM audit").fetchall() == [
            ("email_taken_as_verified", "upgrade", "old")
        ]
