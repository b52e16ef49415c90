"""Joins the room of accounts to what it needs of the house: for `host.assemble`, and alone for commands on people.

Those need neither media nor delivery nor plugins, and load none of it: a third of the time that they would take.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from streamhost.caching.cache import Cache
from streamhost.config import Settings
from streamhost.db import migrate
from streamhost.db.core import Connection, Database
from streamhost.features.accounts import (
    AccountKeys,
    Accounts,
    Around,
    Ended,
    Gate,
    Leaves,
    nobody_listens,
    open_gate,
)
from streamhost.features.catalog import Trash
from streamhost.features.mail import Mail, Writer
from streamhost.features.quota import Quotas
from streamhost.host_basis import CATALOG_FILE, SNAPSHOTS_FOLDER, Basis
from streamhost.instance import Instance
from streamhost.jobs.announcing import announce
from streamhost.jobs.queue import Queue
from streamhost.model.branding import Brand
from streamhost.model.clock import Clock, system_clock
from streamhost.model.events import UserRegistered
from streamhost.model.ids import UserId
from streamhost.notify.console import ConsoleMailSender


@dataclass(frozen=True, slots=True)
class People:
    """What commands on people work with."""

    accounts: Accounts
    quotas: Quotas


async def open_catalog(instance: Instance) -> Database:
    """The catalog of an instance, migrated if need be."""
    await asyncio.to_thread(migrate.migrate, instance.data / CATALOG_FILE, instance.data / SNAPSHOTS_FOLDER)
    return await Database.open(instance.data / CATALOG_FILE)


@contextlib.asynccontextmanager
async def people(settings: Settings, instance: Instance, clock: Clock = system_clock) -> AsyncIterator[People]:
    """Accounts without the rest of the house. What a running server must know of a change it looks up by itself, and
    letters and what else follows are jobs, which it does."""
    db = await open_catalog(instance)
    try:
        queue = Queue(clock)
        mail = Mail(db, queue, ConsoleMailSender(sys.stdout), clock, Writer(Brand(""), ""), configured=False)
        basis = Basis(settings, instance, clock, db, queue, Cache())
        accounts = accounts_of(basis, mail, Trash(db, queue, clock).leave)
        try:
            yield People(accounts, quotas_of(basis))
        finally:
            await accounts.settled()
            await accounts.close()
    finally:
        await db.close()


def accounts_of(
    basis: Basis, mail: Mail, leaves: Leaves, ended: Ended = nobody_listens, gate: Gate = open_gate
) -> Accounts:
    """The room. `leaves` takes what is somebody's away with the account, `ended` hears of sessions that are over,
    `gate` is asked before somebody registers."""
    settings, instance = basis.settings, basis.instance
    around = Around(
        mail=mail,
        home=home_of(settings, instance),
        brand=basis.brand,
        ended=ended,
        hangs_on=basis.grants_live,
        leaves=leaves,
        registers=_registers(basis.queue, basis.clock),
        gate=gate,
        cache=basis.cache,
    )
    return Accounts(basis.db, basis.clock, settings.accounts, AccountKeys.of(instance), around)


def quotas_of(basis: Basis) -> Quotas:
    """What everybody may keep."""
    settings = basis.settings
    return Quotas(basis.db, basis.clock, settings.uploads, basis.queue, settings.notifications.quota_percent)


def home_of(settings: Settings, instance: Instance) -> str:
    """The address of this site as it stands in links: as set, else where the server says that it listens, else where
    it would listen."""
    if settings.server.public_url:
        return settings.server.public_url
    if instance.address.startswith("http"):
        return instance.address
    host = settings.server.host
    name = "localhost" if host in ("0.0.0.0", "::") or host.startswith("unix:") else host  # noqa: S104  # only compared
    return f"http://{f'[{name}]' if ':' in name else name}:{settings.server.port}"


def _registers(queue: Queue, clock: Clock) -> Callable[[Connection, UserId], Awaitable[None]]:
    """What tells of everybody who has registered."""

    async def tell(conn: Connection, user_id: UserId) -> None:
        await announce(conn, queue, UserRegistered(user_id, at=clock()))

    return tell
