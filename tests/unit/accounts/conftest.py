"""A catalog on disk, a clock that tests move, and the accounts room with quick hashes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamhost.config import AccountSettings
from streamhost.db.core import Database
from streamhost.features.accounts import AccountKeys, Accounts, Around, SignIn
from streamhost.instance import open_instance
from streamhost.model.accounts import Role
from streamhost.model.branding import Brand
from tests.support.catalogs import blank
from tests.unit.accounts.hands import Hands, Postbox

QUICK = AccountSettings(argon2_memory_kib=8192, argon2_rounds=1, registration="open")
PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(blank(tmp_path))
    yield database
    await database.close()


@pytest.fixture
def post() -> Postbox:
    return Postbox()


@pytest.fixture
def over() -> list[str]:
    """The sessions and users that others were told have ended."""
    return []


@pytest.fixture
def brand() -> Brand:
    """How the site presents itself now."""
    return Brand("Our Videos")


Opener = Callable[..., Accounts]


@pytest.fixture
async def open_accounts(
    db: Database, clock: Hands, tmp_path: Path, post: Postbox, over: list[str], brand: Brand
) -> AsyncIterator[Opener]:
    """Opens the room, with settings changed as asked; several rooms on one catalog are several processes."""
    async with AsyncExitStack() as stack:

        def opener(instance: str = "instance", **settings: Any) -> Accounts:
            keys = AccountKeys.of(open_instance(tmp_path / instance))
            around = Around(
                post, "https://video.example.org", brand, ended=lambda subject, _moment: over.append(subject)
            )
            accounts = Accounts(db, clock, msgspec.structs.replace(QUICK, **settings), keys, around)
            stack.push_async_callback(accounts.close)
            stack.push_async_callback(accounts.settled)
            return accounts

        yield opener


@pytest.fixture
def accounts(open_accounts: Opener) -> Accounts:
    return open_accounts()


@pytest.fixture
async def alice(accounts: Accounts) -> SignIn:
    """Alice, signed in from home."""
    await accounts.people.add("alice@example.org", PASSWORD, "Alice", Role.CREATOR, verified=True)
    return await accounts.login("alice@example.org", PASSWORD, device="Firefox", address="198.51.100.7")
