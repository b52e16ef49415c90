"""The second factor: time-based one-time passwords (RFC 6238), and recovery codes for who loses the device."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from pyotp import TOTP

from streamhost.db import second_factors as rows
from streamhost.db.core import Connection
from streamhost.features.accounts.errors import SecondFactorIsOff, SecondFactorIsOn, WrongCode
from streamhost.features.accounts.means import Means
from streamhost.features.accounts.tokens import digest_of
from streamhost.model.accounts import User
from streamhost.model.audit import Act, Actor
from streamhost.model.branding import Brand
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId

STEP_SECONDS = 30
"""RFC 6238, 4.1: the default, and all that apps know."""
WINDOW = 1
"""Steps before and after the present one whose codes are taken too (RFC 6238, 5.2: at most one for delay)."""
DIGITS = 6
SECRET_BYTES = 20
"""RFC 4226, 4 (R6): 160 bits are recommended."""
SALT_BYTES = 16
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 bits: nobody guesses one, so a plain SHA-256 keeps them."""
GROUP = 4


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    """Whether codes are asked for at sign-in, since when, and how many recovery codes are left."""

    on: bool
    since: Timestamp | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What an app needs: the secret in base32, and the same as `otpauth://` URI for a QR code."""

    secret: str
    uri: str


class SecondFactor:
    """Sets second factors up and checks their codes. `ring` has the keys by number, `site` is the name apps show."""

    def __init__(self, means: Means, ring: Mapping[int, bytes], brand: Brand) -> None:
        self._means = means
        self._ring = ring
        self._brand = brand

    async def state(self, user_id: UserId) -> SecondFactorState:
        """How a user's second factor stands."""
        async with self._means.db.read() as conn:
            row = await rows.get(conn, user_id)
            left = await rows.codes_left(conn, user_id)
        confirmed = row.confirmed_at if row else None
        return SecondFactorState(confirmed is not None, confirmed, left if confirmed is not None else 0)

    async def begin(self, user: User, password: str, by: Actor) -> NewSecret:
        """A new secret, in force only after `confirm`. Raises `WrongPassword`, `SecondFactorIsOn`."""
        await self._means.prove(user, password, by)
        row = rows.SecondFactorRow(user.id, max(self._ring), secrets.token_hex(SALT_BYTES), self._means.clock())
        async with self._means.db.write() as conn:
            present = await rows.get(conn, user.id)
            if present is not None and present.confirmed_at is not None:
                raise SecondFactorIsOn
            await rows.put(conn, row)
            await self._means.note(conn, Act.SECOND_FACTOR_BEGUN, by, user)
        return self._shown(user, row)

    async def pending(self, user: User) -> NewSecret | None:
        """The secret that waits for `confirm`; None if none does."""
        async with self._means.db.read() as conn:
            row = await rows.get(conn, user.id)
        return None if row is None or row.confirmed_at is not None else self._shown(user, row)

    async def confirm(self, user: User, code: str, by: Actor) -> list[str]:
        """Put it in force, with a code that shows that the app has the secret. The recovery codes, shown only now.

        Raises `WrongCode`, `TooManyAttempts`, `SecondFactorIsOff` (not begun), `SecondFactorIsOn`."""
        self._means.codes.take(user.id)
        codes: list[str] = []
        async with self._means.db.write() as conn:
            row = await rows.get(conn, user.id)
            if row is None:
                raise SecondFactorIsOff
            if row.confirmed_at is not None:
                raise SecondFactorIsOn
            step = self._step(row, code)
            if step is None:
                await self._means.note(conn, Act.SECOND_FACTOR_REFUSED, by, user)
            else:
                await rows.confirm(conn, user.id, self._means.clock(), step)
                codes = await self._new_codes(conn, user.id)
                await self._means.note(conn, Act.SECOND_FACTOR_ON, by, user)
        if step is None:
            raise WrongCode(fields={"otp": WrongCode.title()})
        self._means.codes.forget(user.id)
        return codes

    async def switch_off(self, user: User, password: str, code: str, by: Actor) -> None:
        """Ask for no codes any more. Raises `WrongPassword`, `WrongCode`, `SecondFactorIsOff`."""
        await self._means.prove(user, password, by)
        await self.demand(user, code, by)
        async with self._means.db.write() as conn:
            await rows.remove(conn, user.id)
            await self._means.note(conn, Act.SECOND_FACTOR_OFF, by, user)

    async def remove_for(self, user_id: UserId, by: Actor) -> None:
        """Take the second factor from somebody who has lost it, on an administrator's word. Raises `NotFound`,
        `SecondFactorIsOff`."""
        async with self._means.db.write() as conn:
            user = await self._means.user(conn, user_id)
            if not await rows.remove(conn, user_id):
                raise SecondFactorIsOff
            await self._means.note(conn, Act.SECOND_FACTOR_OFF, by, user)

    async def new_codes(self, user: User, password: str, by: Actor) -> list[str]:
        """Recovery codes in the place of the old ones. Raises `WrongPassword`, `SecondFactorIsOff`."""
        await self._means.prove(user, password, by)
        async with self._means.db.write() as conn:
            if not _on(await rows.get(conn, user.id)):
                raise SecondFactorIsOff
            codes = await self._new_codes(conn, user.id)
            await self._means.note(conn, Act.RECOVERY_CODES_MADE, by, user)
        return codes

    async def demand(self, user: User, code: str, by: Actor) -> None:
        """Raise `WrongCode` unless `code` fits and is spent now; `TooManyAttempts`; `SecondFactorIsOff`."""
        async with self._means.db.read() as conn:
            if not _on(await rows.get(conn, user.id)):
                raise SecondFactorIsOff
        self._means.codes.take(user.id)
        async with self._means.db.write() as conn:
            fits = await self.spend(conn, user, code, by)
            if not fits:
                await self._means.note(conn, Act.SECOND_FACTOR_REFUSED, by, user)
        if not fits:
            raise WrongCode(fields={"otp": WrongCode.title()})
        self._means.codes.forget(user.id)

    async def proof(self, conn: Connection, user: User) -> str:
        """What a sign-in that waits for a code is bound to: the password that was given, and every code spent so
        far."""
        row = await rows.get(conn, user.id)
        return f"{user.password_hash} {row.last_step if row else 0} {await rows.codes_left(conn, user.id)}"

    async def is_on(self, conn: Connection, user_id: UserId) -> bool:
        """Whether a user's sign-in needs a code."""
        return _on(await rows.get(conn, user_id))

    async def spend(self, conn: Connection, user: User, code: str, by: Actor) -> bool:
        """Whether `code` is one of the app's, later than all used before, or an unused recovery code; it is used up."""
        row = await rows.get(conn, user.id)
        if row is None or row.confirmed_at is None:
            return False
        step = self._step(row, code)
        if step is not None:
            return await rows.spend_step(conn, user.id, step)
        if not await rows.spend_code(conn, user.id, digest_of(_normal(code)), self._means.clock()):
            return False
        await self._means.note(conn, Act.RECOVERY_CODE_USED, by, user)
        return True

    async def _new_codes(self, conn: Connection, user_id: UserId) -> list[str]:
        raw = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
        await rows.replace_codes(conn, user_id, map(digest_of, raw))
        return ["-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)) for code in raw]

    def _step(self, row: rows.SecondFactorRow, code: str) -> int | None:
        """The time step whose code this is, the latest if it is that of several; None if of none."""
        code = "".join(code.split())
        if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
            return None
        totp = TOTP(self._secret(row), digits=DIGITS, interval=STEP_SECONDS)
        now = int(self._means.clock()) // STEP_SECONDS
        fitting = [
            step for step in range(now - WINDOW, now + WINDOW + 1) if hmac.compare_digest(totp.generate_otp(step), code)
        ]
        return fitting[-1] if fitting else None

    def _shown(self, user: User, row: rows.SecondFactorRow) -> NewSecret:
        secret = self._secret(row)
        uri = TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(
            name=user.email, issuer_name=self._brand.name
        )
        return NewSecret(secret, uri)

    def _secret(self, row: rows.SecondFactorRow) -> str:
        """The secret in base32. It is derived, not stored: a copy of the catalog alone makes no codes."""
        key = self._ring[row.key_id]
        return base64.b32encode(
            hmac.digest(key, f"{row.user_id} {row.salt}".encode(), "sha256")[:SECRET_BYTES]
        ).decode()


def _on(row: rows.SecondFactorRow | None) -> bool:
    return row is not None and row.confirmed_at is not None


def _normal(code: str) -> str:
    """A recovery code as it was made, whatever was typed between and how."""
    return "".join(c for c in code.lower() if c.isascii() and c.isalnum())
