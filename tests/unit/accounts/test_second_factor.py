"""Codes of an app, recovery codes, API tokens: over a real catalog."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp import TOTP

from streamhost.db import second_factors as rows
from streamhost.db.core import Database
from streamhost.features.accounts import (
    Accounts,
    BadCredentials,
    InvalidLink,
    LinkExpired,
    LinkUsed,
    OtpInvalid,
    OtpRequired,
    SecondFactorIsOff,
    SecondFactorIsOn,
    SignIn,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from streamhost.features.accounts.room import WAIT_FOR_CODE
from streamhost.model.audit import SYSTEM, Actor
from streamhost.model.branding import Brand
from tests.unit.accounts.conftest import PASSWORD, Opener
from tests.unit.accounts.hands import Hands, code, wrong_codes

# RFC 6238, appendix B, with SHA-1: the last six digits of the eight.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}


@pytest.fixture
async def secret(accounts: Accounts, alice: SignIn, clock: Hands) -> str:
    """Alice's second factor, in force since two steps ago."""
    made = await accounts.second_factor.begin(alice.user, PASSWORD, Actor.of(alice.user))
    await accounts.second_factor.confirm(alice.user, code(made.secret, clock), Actor.of(alice.user))
    clock.pass_by(60)
    return made.secret


def test_codes_are_those_of_the_standard() -> None:
    """The vectors of RFC 6238, appendix B."""
    for moment, expected in RFC_CODES.items():
        assert TOTP(RFC_SECRET).generate_otp(moment // 30) == expected


async def test_the_name_in_the_app_is_that_of_the_site(accounts: Accounts, alice: SignIn, brand: Brand) -> None:
    """As it is now, not as it was when the server started."""
    brand.name = "Film club"
    made = await accounts.second_factor.begin(alice.user, PASSWORD, Actor.of(alice.user))
    assert parse_qs(urlsplit(made.uri).query)["issuer"] == ["Film club"]


async def test_setting_up_takes_the_password_and_a_code(accounts: Accounts, alice: SignIn, clock: Hands) -> None:
    """Until a code has confirmed the secret nothing changes; the URI says the same as the secret."""
    by = Actor.of(alice.user)
    with pytest.raises(WrongPassword):
        await accounts.second_factor.begin(alice.user, "guess", by)
    with pytest.raises(SecondFactorIsOff):
        await accounts.second_factor.confirm(alice.user, "123456", by)
    made = await accounts.second_factor.begin(alice.user, PASSWORD, by)
    assert await accounts.second_factor.pending(alice.user) == made
    uri = urlsplit(made.uri)
    assert (uri.scheme, uri.netloc, parse_qs(uri.query)) == (
        "otpauth",
        "totp",
        {"secret": [made.secret], "issuer": ["Our Videos"]},
    )
    for typed in ("", *wrong_codes(made.secret, clock), "\u0661\u0662\u0663\u0664\u0665\u0666"):
        with pytest.raises(WrongCode):
            await accounts.second_factor.confirm(alice.user, typed, by)
    await accounts.login("alice@example.org", PASSWORD)
    codes = await accounts.second_factor.confirm(alice.user, code(made.secret, clock), by)
    assert len(set(codes)) == 10
    state = await accounts.second_factor.state(alice.user.id)
    assert (state.on, state.since, state.recovery_codes_left) == (True, clock.now, 10)
    assert await accounts.second_factor.pending(alice.user) is None
    with pytest.raises(SecondFactorIsOn):
        await accounts.second_factor.begin(alice.user, PASSWORD, by)
    with pytest.raises(SecondFactorIsOn):
        await accounts.second_factor.confirm(alice.user, code(made.secret, clock), by)


async def test_signing_in_takes_a_code(accounts: Accounts, secret: str, clock: Hands) -> None:
    """A wrong password is a wrong password whatever the code; the right one is asked for a code that fits."""
    with pytest.raises(BadCredentials):
        await accounts.login("alice@example.org", "guess", code(secret, clock))
    with pytest.raises(OtpRequired):
        await accounts.login("alice@example.org", PASSWORD)
    near = {code(secret, clock, step) for step in (2, -2)} - {code(secret, clock, step) for step in (-1, 0, 1)}
    for typed in (*wrong_codes(secret, clock), *near, "x"):
        with pytest.raises(OtpInvalid):
            await accounts.login("alice@example.org", PASSWORD, typed)
    shown = code(secret, clock)
    assert (await accounts.login("alice@example.org", PASSWORD, f" {shown[:3]} {shown[3:]}")).user.name == "Alice"


async def test_a_ticket_stands_for_the_password(
    accounts: Accounts, open_accounts: Opener, secret: str, clock: Hands
) -> None:
    """Whoever has given it needs only the code, also after a restart; a wrong code does not use the ticket up."""
    with pytest.raises(OtpRequired) as asked:
        await accounts.login("alice@example.org", PASSWORD)
    ticket = asked.value.ticket
    assert PASSWORD not in ticket
    other = open_accounts()
    with pytest.raises(OtpInvalid):
        await other.login_by_code(ticket, wrong_codes(secret, clock)[0])
    with pytest.raises(OtpRequired):
        await other.login_by_code(ticket, " ")
    assert (await other.login_by_code(ticket, code(secret, clock))).user.email == "alice@example.org"
    with pytest.raises(LinkUsed):
        await accounts.login_by_code(ticket, code(secret, clock, 1))


@pytest.mark.parametrize("spent", ["app", "recovery"])
async def test_a_ticket_signs_in_once(accounts: Accounts, alice: SignIn, secret: str, clock: Hands, spent: str) -> None:
    """Two at the same moment, with codes that both fit: one comes in. It is the same with recovery codes."""
    recovery = await accounts.second_factor.new_codes(alice.user, PASSWORD, Actor.of(alice.user))
    codes = recovery[:2] if spent == "recovery" else [code(secret, clock), code(secret, clock, 1)]
    with pytest.raises(OtpRequired) as asked:
        await accounts.login("alice@example.org", PASSWORD)
    tries = [accounts.login_by_code(asked.value.ticket, one) for one in codes]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["LinkUsed", "SignIn"]


async def test_a_ticket_does_not_outlive_what_it_stands_for(
    accounts: Accounts, alice: SignIn, secret: str, clock: Hands
) -> None:
    """Five minutes, or until the password is another, or the account is shut; nothing else is taken for one."""
    tickets = []
    for _ in range(3):
        with pytest.raises(OtpRequired) as asked:
            await accounts.login("alice@example.org", PASSWORD)
        tickets.append(asked.value.ticket)
    for made_up in ("", "x", tickets[0][:-1], tickets[0] + "x"):
        with pytest.raises(InvalidLink):
            await accounts.login_by_code(made_up, code(secret, clock))
    await accounts.people.disable(alice.user.id)
    with pytest.raises(BadCredentials):
        await accounts.login_by_code(tickets[0], code(secret, clock))
    await accounts.people.enable(alice.user.id)
    await accounts.profile.change_password(
        alice.user, alice.session.id, PASSWORD, "another long password", Actor.of(alice.user)
    )
    with pytest.raises(LinkUsed):
        await accounts.login_by_code(tickets[1], code(secret, clock))
    with pytest.raises(OtpRequired) as asked:
        await accounts.login("alice@example.org", "another long password")
    clock.pass_by(WAIT_FOR_CODE)
    with pytest.raises(LinkExpired):
        await accounts.login_by_code(asked.value.ticket, code(secret, clock))


async def test_guesses_by_ticket_are_counted(accounts: Accounts, secret: str, clock: Hands) -> None:
    """One ticket gives no more guesses than the password does; nor does confirming a new app."""
    with pytest.raises(OtpRequired) as asked:
        await accounts.login("alice@example.org", PASSWORD)
    tries = [accounts.login_by_code(asked.value.ticket, one) for one in wrong_codes(secret, clock, 20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in results].count(OtpInvalid) <= 10
    with pytest.raises(TooManyAttempts):
        await accounts.login_by_code(asked.value.ticket, code(secret, clock))


async def test_guesses_while_setting_up_are_counted(accounts: Accounts, alice: SignIn, clock: Hands) -> None:
    """Whoever has a session alone cannot try out what the app shows."""
    by = Actor.of(alice.user)
    made = await accounts.second_factor.begin(alice.user, PASSWORD, by)
    for one in wrong_codes(made.secret, clock, 10):
        with pytest.raises(WrongCode):
            await accounts.second_factor.confirm(alice.user, one, by)
    with pytest.raises(TooManyAttempts) as caught:
        await accounts.second_factor.confirm(alice.user, code(made.secret, clock), by)
    clock.pass_by(caught.value.retry_after)
    assert len(await accounts.second_factor.confirm(alice.user, code(made.secret, clock), by)) == 10


async def test_a_code_works_once(accounts: Accounts, secret: str, clock: Hands) -> None:
    """Replayed, even at the same moment, or older than one that was used: refused. Clocks may be one step apart."""
    shown = code(secret, clock)
    tries = [accounts.login("alice@example.org", PASSWORD, shown) for _ in range(3)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["OtpInvalid", "OtpInvalid", "SignIn"]
    for old in (shown, code(secret, clock, -1)):
        with pytest.raises(OtpInvalid):
            await accounts.login("alice@example.org", PASSWORD, old)
    await accounts.login("alice@example.org", PASSWORD, code(secret, clock, 1))
    clock.pass_by(60)
    await accounts.login("alice@example.org", PASSWORD, code(secret, clock))


async def test_guessing_codes_is_slowed_down(accounts: Accounts, secret: str, clock: Hands) -> None:
    """Whoever has the password gets ten guesses from wherever, then one a minute; many at once gain nothing."""
    tries = [
        accounts.login("alice@example.org", PASSWORD, one, address=f"203.0.113.{number}")
        for number, one in enumerate(wrong_codes(secret, clock, 30))
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in results].count(OtpInvalid) <= 10
    with pytest.raises(TooManyAttempts) as caught:
        await accounts.login("alice@example.org", PASSWORD, code(secret, clock))
    assert caught.value.retry_after <= 60
    clock.pass_by(caught.value.retry_after)
    await accounts.login("alice@example.org", PASSWORD, code(secret, clock))


async def test_recovery_codes_work_once_each(accounts: Accounts, alice: SignIn, secret: str) -> None:
    """However they are typed; new ones make the old ones worthless."""
    by = Actor.of(alice.user)
    first = await accounts.second_factor.new_codes(alice.user, PASSWORD, by)
    await accounts.login("alice@example.org", PASSWORD, first[0].upper().replace("-", " "))
    with pytest.raises(OtpInvalid):
        await accounts.login("alice@example.org", PASSWORD, first[0])
    assert (await accounts.second_factor.state(alice.user.id)).recovery_codes_left == 9
    await accounts.second_factor.new_codes(alice.user, PASSWORD, by)
    with pytest.raises(OtpInvalid):
        await accounts.login("alice@example.org", PASSWORD, first[1])


async def test_switching_off_takes_both(accounts: Accounts, alice: SignIn, secret: str, clock: Hands) -> None:
    """Password and code; afterwards the password is enough, and deleting the account does not ask for a code."""
    by = Actor.of(alice.user)
    with pytest.raises(WrongPassword):
        await accounts.second_factor.switch_off(alice.user, "guess", code(secret, clock), by)
    with pytest.raises(WrongCode):
        await accounts.second_factor.switch_off(alice.user, PASSWORD, wrong_codes(secret, clock)[0], by)
    with pytest.raises(WrongCode):
        await accounts.profile.delete(alice.user, PASSWORD, "", by)
    await accounts.second_factor.switch_off(alice.user, PASSWORD, code(secret, clock), by)
    for attempt in (
        accounts.second_factor.switch_off(alice.user, PASSWORD, code(secret, clock), by),
        accounts.second_factor.new_codes(alice.user, PASSWORD, by),
        accounts.second_factor.remove_for(alice.user.id, SYSTEM),
    ):
        with pytest.raises(SecondFactorIsOff):
            await attempt
    await accounts.login("alice@example.org", PASSWORD)


async def test_an_admin_can_take_it_away(accounts: Accounts, alice: SignIn, secret: str) -> None:
    """For somebody who has lost everything but the password."""
    await accounts.second_factor.remove_for(alice.user.id, SYSTEM)
    await accounts.login("alice@example.org", PASSWORD)


async def test_the_catalog_alone_makes_no_codes(accounts: Accounts, alice: SignIn, secret: str, db: Database) -> None:
    """Neither the secret nor a recovery code is in the catalog's files."""
    codes = await accounts.second_factor.new_codes(alice.user, PASSWORD, Actor.of(alice.user))
    content = b"".join(path.read_bytes() for path in db.path.parent.glob("catalog.sqlite3*"))
    for text in (secret, codes[0], codes[0].replace("-", "")):
        assert text.encode() not in content
    async with db.read() as conn:
        row = await rows.get(conn, alice.user.id)
    assert row is not None
    assert row.salt.encode() in content
