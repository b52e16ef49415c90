"""The two places at which accounts are looked after: a running server, by an administrator's token; a data directory,
before the first start and beside a running server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from streamhost import log
from streamhost.cli.remote import Document, Remote
from streamhost.config import load
from streamhost.features.accounts import Accounts
from streamhost.features.quota import Usage
from streamhost.host_people import People, people
from streamhost.instance import open_instance
from streamhost.model.accounts import Role, Session, User
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import iso
from streamhost.model.errors import NotFound

T = TypeVar("T")
USERS = "/api/v1/admin/users"
PAGE = 200
SHARES = ("bytes", "videos")

Allowance = tuple[int | None, int | None]
"""Bytes and videos that somebody may keep: None leaves it, a negative number is the site's default, 0 no limit."""


class PeopleDesk(Protocol):
    """Where it happens. Users, sessions and quotas are as the API has them; an address may be spelt in any way."""

    def add(self, email: str, password: str, name: str, role: Role, *, verified: bool) -> Document:
        """Add a user."""
        ...

    def all(self) -> list[Document]:
        """Everybody, oldest account first."""
        ...

    def invite(self, wish: Mapping[str, Any]) -> Document:
        """Make an invitation: its link and what it says."""
        ...

    def change(
        self, email: str, *, role: Role | None = None, verified: bool = False, disabled: bool | None = None
    ) -> Document:
        """Change an account; how it is then."""
        ...

    def remove_second_factor(self, email: str) -> Document:
        """Let somebody sign in by password alone again."""
        ...

    def reset_password(self, email: str) -> str | None:
        """Send somebody the link by which they set a new password; the link, where it may be shown."""
        ...

    def quota(self, email: str, allowance: Allowance) -> Document:
        """What somebody uses and may use, after a change if one is asked for."""
        ...

    def sessions(self, email: str) -> list[Document]:
        """Where somebody is signed in."""
        ...

    def end_sessions(self, email: str) -> int:
        """Sign somebody out everywhere; of how many sessions."""
        ...

    def delete(self, email: str) -> Document:
        """Delete an account with everything that is its own."""
        ...


class ServerPeople:
    """At a running server."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def add(self, email: str, password: str, name: str, role: Role, *, verified: bool) -> Document:
        """See `PeopleDesk`."""
        wish = {"email": email, "password": password, "name": name, "role": role.value, "verified": verified}
        return self._remote.document("POST", USERS, wish)

    def all(self) -> list[Document]:
        """See `PeopleDesk`."""
        return list(self._remote.items(USERS, {"limit": PAGE}))

    def invite(self, wish: Mapping[str, Any]) -> Document:
        """See `PeopleDesk`."""
        return self._remote.document("POST", "/api/v1/admin/invitations", wish)

    def change(
        self, email: str, *, role: Role | None = None, verified: bool = False, disabled: bool | None = None
    ) -> Document:
        """See `PeopleDesk`."""
        said = {"role": role and role.value, "email_verified": verified or None, "disabled": disabled}
        return self._remote.document("PATCH", self.place(email), {k: v for k, v in said.items() if v is not None})

    def remove_second_factor(self, email: str) -> Document:
        """See `PeopleDesk`."""
        address = self.place(email)
        self._remote.document("DELETE", f"{address}/second-factor")
        return self._remote.document("GET", address)

    def reset_password(self, email: str) -> None:
        """See `PeopleDesk`: over the network the link goes to its owner alone."""
        self._remote.document("POST", f"{self.place(email)}/reset-password")

    def quota(self, email: str, allowance: Allowance) -> Document:
        """See `PeopleDesk`."""
        address = f"{self.place(email)}/quota"
        found = self._remote.document("GET", address)
        if allowance != (None, None):
            own = (found["quota"]["bytes"], found["quota"]["videos"])
            limits = [allowed(typed, present) for typed, present in zip(allowance, own, strict=True)]
            found = self._remote.document("PUT", address, dict(zip(SHARES, limits, strict=True)))
        return {name: found["usage"][name] for name in SHARES}

    def sessions(self, email: str) -> list[Document]:
        """See `PeopleDesk`."""
        items: list[Document] = self._remote.document("GET", f"{self.place(email)}/sessions")["items"]
        return items

    def end_sessions(self, email: str) -> int:
        """See `PeopleDesk`."""
        address = f"{self.place(email)}/sessions"
        number = len(self._remote.document("GET", address)["items"])
        self._remote.document("DELETE", address)
        return number

    def delete(self, email: str) -> Document:
        """See `PeopleDesk`."""
        address = self.place(email)
        user = self._remote.document("GET", address)
        self._remote.document("DELETE", address)
        return user

    def place(self, email: str) -> str:
        """Where the account with that address is found. Raises `NotFound`."""
        wanted = email.strip().casefold()
        for user in self._remote.items(USERS, {"q": email.strip(), "limit": PAGE}):
            if user["email"].casefold() == wanted:
                return f"{USERS}/{user['id']}"
        raise NotFound(f"Nobody has the address {email}.")


class FolderPeople:
    """In a data directory, which is made if need be."""

    def __init__(self, data: Path | None) -> None:
        self._settings = load(data)
        log.configure("warning", self._settings.log.format)

    def add(self, email: str, password: str, name: str, role: Role, *, verified: bool) -> Document:
        """See `PeopleDesk`."""

        async def work(accounts: Accounts) -> User:
            return await accounts.people.add(email, password, name, role, verified=verified, by=COMMAND_LINE)

        return user_document(self._accounts(work))

    def all(self) -> list[Document]:
        """See `PeopleDesk`."""
        return [user_document(user) for user in self._accounts(lambda accounts: accounts.people.all())]

    def invite(self, wish: Mapping[str, Any]) -> Document:
        """See `PeopleDesk`."""
        given = {**wish, "role": Role(wish["role"])}
        made = self._accounts(lambda accounts: accounts.invitations.create(COMMAND_LINE, **given))
        item = made.invitation
        said = {"id": item.id, "role": item.role.value, "email": item.email, "most_uses": item.most_uses}
        return {"link": made.link, "invitation": {**said, "expires_at": iso(item.expires_at)}}

    def change(
        self, email: str, *, role: Role | None = None, verified: bool = False, disabled: bool | None = None
    ) -> Document:
        """See `PeopleDesk`."""

        async def work(accounts: Accounts) -> User:
            user = await accounts.people.by_email(email)
            return await accounts.people.change(user.id, COMMAND_LINE, role=role, verified=verified, disabled=disabled)

        return user_document(self._accounts(work))

    def remove_second_factor(self, email: str) -> Document:
        """See `PeopleDesk`."""

        async def work(accounts: Accounts) -> User:
            user = await accounts.people.by_email(email)
            await accounts.second_factor.remove_for(user.id, COMMAND_LINE)
            return user

        return user_document(self._accounts(work))

    def reset_password(self, email: str) -> str:
        """See `PeopleDesk`."""

        async def work(accounts: Accounts) -> str:
            user = await accounts.people.by_email(email)
            return await accounts.people.send_reset(user.id, COMMAND_LINE)

        return self._accounts(work)

    def quota(self, email: str, allowance: Allowance) -> Document:
        """See `PeopleDesk`."""

        async def work(house: People) -> Usage:
            user = await house.accounts.people.by_email(email)
            usage = await house.quotas.usage(user.id)
            if allowance == (None, None):
                return usage
            own = (allowed(allowance[0], usage.own_bytes), allowed(allowance[1], usage.own_videos))
            return await house.quotas.allow(user.id, *own, COMMAND_LINE)

        usage = self._people(work)
        shares = {"bytes": (usage.bytes, usage.max_bytes), "videos": (usage.videos, usage.max_videos)}
        return {name: {"used": used, "limit": limit} for name, (used, limit) in shares.items()}

    def sessions(self, email: str) -> list[Document]:
        """See `PeopleDesk`."""

        async def work(accounts: Accounts) -> list[Session]:
            user = await accounts.people.by_email(email)
            return await accounts.people.sessions(user.id)

        return [_session(session) for session in self._accounts(work)]

    def end_sessions(self, email: str) -> int:
        """See `PeopleDesk`."""

        async def work(accounts: Accounts) -> int:
            user = await accounts.people.by_email(email)
            return await accounts.people.end_sessions(user.id, COMMAND_LINE)

        return self._accounts(work)

    def delete(self, email: str) -> Document:
        """See `PeopleDesk`."""

        async def work(accounts: Accounts) -> User:
            user = await accounts.people.by_email(email)
            await accounts.people.delete(user.id, COMMAND_LINE)
            return user

        return user_document(self._accounts(work))

    def _accounts(self, work: Callable[[Accounts], Awaitable[T]]) -> T:
        return self._people(lambda house: work(house.accounts))

    def _people(self, work: Callable[[People], Awaitable[T]]) -> T:
        """Open the instance without becoming its server, and do `work`."""

        async def run() -> T:
            async with people(self._settings, open_instance(self._settings.data)) as house:
                return await work(house)

        return asyncio.run(run())


def allowed(typed: int | None, present: int | None) -> int | None:
    """What is to be set: None for the site's default, 0 for no limit."""
    return present if typed is None else None if typed < 0 else typed


def user_document(user: User) -> Document:
    """A user as the API has it."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "email_verified": user.email_verified_at is not None,
        "disabled": not user.active,
        "created_at": iso(user.created_at),
    }


def _session(session: Session) -> Document:
    return {
        "id": session.id,
        "address": session.address,
        "device": session.device,
        "created_at": iso(session.created_at),
        "last_used_at": iso(session.last_used_at),
        "expires_at": iso(session.expires_at),
    }
