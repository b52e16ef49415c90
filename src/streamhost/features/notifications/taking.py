"""How channels that keep notices in the catalog take one that is sent alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from streamhost.db.core import Connection, Database
from streamhost.db.errors import ConstraintViolated
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UserId
from streamhost.model.notices import Notice
from streamhost.ports import NotifyRefused, NotifyUnavailable


async def take(
    db: Database, add: Callable[[Connection, UserId, Notice], Awaitable[None]], user_id: UserId, notice: Notice
) -> None:
    """Let `add` keep a notice in a transaction of its own; raises as `Notifier.send`."""
    try:
        async with db.write() as conn:
            await add(conn, user_id, notice)
    except ConstraintViolated as error:
        raise NotifyRefused("There is no such user.") from error
    except StreamhostError as error:
        raise NotifyUnavailable(f"{error}") from error
