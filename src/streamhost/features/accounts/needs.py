"""What this room needs of others, joined by the host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import SessionId, UserId


class SendsMail(Protocol):
    """Takes letters into an outbox."""

    async def enqueue(
        self, conn: Connection, kind: str, to: str, values: Mapping[str, str], *, trusted: bool = False
    ) -> None:
        """Write a mail down in the caller's transaction; it is delivered after the commit.

        `kind` is one of `model.mail.MailKind`; `values` has `name`, `link`, `expires`. One that is `trusted`, because
        an administrator wants it sent, is not withheld from an address that strangers ask for too much mail."""
        ...


Ended = Callable[[SessionId | UserId, Timestamp], None]
"""Told that a session, or everything of a user, ended at a moment: permissions to play that hang on it end too. May be
told the same more than once."""

Leaves = Callable[[Connection, UserId], Awaitable[None]]
"""Told, inside the transaction, that a user's account is about to be deleted: what is theirs elsewhere goes too."""


Registers = Callable[[Connection, UserId], Awaitable[None]]
"""Told, inside the transaction, that somebody has made an account whose address is theirs."""

Gate = Callable[[str, str], Awaitable[None]]
"""Asked before somebody registers, with address and name: raises an error where they may not."""


async def open_gate(_email: str, _name: str) -> None:
    """For a house in which nobody else is asked."""


def nobody_listens(_ended: SessionId | UserId, _moment: Timestamp) -> None:
    """For a house in which nothing hangs on sessions."""


async def nobody_greets(_conn: Connection, _user_id: UserId) -> None:
    """For a house in which nobody wants to know who comes."""


async def nothing_is_theirs(_conn: Connection, _user_id: UserId) -> None:
    """For a house in which users have nothing but their account."""
