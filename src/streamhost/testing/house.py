"""A whole house for one test: catalog, storage, queue, routes, and the plugins that are installed beside it.

    async with open_house(tmp_path, toml='[plugins.bell]\\ntopic = "door"\\n') as house:
        await house.announce(VideoProcessed(...))
        await house.settled()
        alice = await house.sign_in("alice", "creator")
        answer = await house.client.get("/-/bell/rings", headers=alice)

Nothing listens on the network; only the clock and the address are made up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
from litestar import Litestar

from streamhost.config import FILE_NAME, Settings, load
from streamhost.hookspecs import hookimpl
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.jobs.announcing import announce
from streamhost.model.accounts import Role
from streamhost.model.clock import Clock, system_clock
from streamhost.model.events import Event
from streamhost.plugins import Found
from streamhost.server.app import create_app
from streamhost.server.delivery import delivery_of
from streamhost.server.door import ASGIApp, Door

URL = "http://site.test"
PASSWORD = "correct horse battery"  # noqa: S105  # of people who live for one test
QUICK: Mapping[str, Any] = {
    "accounts__argon2_memory_kib": 8192,
    "accounts__argon2_rounds": 1,
    "uploads__keep_free": 0,
    "limits__enabled": False,
    "media__encoder": "libx264",
    "jobs__child_silence_seconds": 600.0,
}
"""Settings with which people come and go fast, and a busy machine ends nothing."""


@dataclass(frozen=True, slots=True)
class House:
    """`host` is everything inside, `client` asks from outside (cookies and tokens are up to each request)."""

    host: Host
    client: httpx.AsyncClient

    async def add_user(self, name: str, role: str = "creator") -> str:
        """Add a verified user, `<name>@example.org`; the id."""
        user = await self.host.accounts.people.add(f"{name}@example.org", PASSWORD, name, Role(role), verified=True)
        return user.id

    async def sign_in(self, name: str, role: str = "creator") -> dict[str, str]:
        """Add a user and sign them in; the headers of their requests."""
        await self.add_user(name, role)
        answer = await self.client.post(
            "/api/v1/auth/login", json={"email": f"{name}@example.org", "password": PASSWORD}
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def announce(self, event: Event) -> None:
        """Let everybody who listens hear of an event; see `settled`."""
        async with self.host.db.write() as conn:
            await announce(conn, self.host.queue, event)

    async def settled(self) -> None:
        """Wait until there is nothing to do any more, except what waits for its time."""
        await self.host.worker.idle()

    async def content(self, key: str) -> bytes:
        """All of one stored object."""
        return b"".join([part async for part in self.host.storage.read(key)])


@asynccontextmanager
async def open_house(
    data: Path,
    *,
    toml: str = "",
    env: Mapping[str, str] | None = None,
    plugins: Sequence[Found] | None = None,
    clock: Clock = system_clock,
    **settings: Any,
) -> AsyncIterator[House]:
    """A running house on the directory `data`. `toml` becomes its settings file; `settings` are as `config.load` takes
    them. `plugins` instead of those that are installed: see `plugin_of`."""
    loaded = await asyncio.to_thread(_load, data, toml, env or {}, {**QUICK, **settings})
    async with AsyncExitStack() as stack:
        host, _, door = await stack.enter_async_context(at_work(loaded, clock, plugins))
        transport = httpx.ASGITransport(cast(Any, door))
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=URL))
        yield House(host, client)


@asynccontextmanager
async def at_work(
    settings: Settings, clock: Clock = system_clock, plugins: Sequence[Found] | None = None
) -> AsyncIterator[tuple[Host, Litestar, Door]]:
    """Everything that a server is but the listening: what is inside, at work; its routes; and the door before them."""
    async with AsyncExitStack() as stack:
        host = await assemble(settings, open_instance(settings.data), clock, plugins)
        stack.push_async_callback(host.close)
        app = create_app(host)
        await host.start()
        stack.push_async_callback(host.stop, 5.0)
        door = Door()
        door.open(cast(ASGIApp, app), delivery_of(host))
        yield host, app, door


def _load(data: Path, toml: str, env: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    data.mkdir(parents=True, exist_ok=True)
    if toml:
        (data / FILE_NAME).write_text(toml, "utf-8")
    return load(data, env, **given)


def plugin_of(name: str, thing: object) -> Found:
    """A plugin that is not installed: a module, or an object whose methods are marked by `hookimpl`."""
    return Found(name, f"streamhost-{name}", "0", "", lambda: thing)


def hooks(**functions: Any) -> object:
    """An object with these functions as hooks."""
    return type("Hooks", (), {name: staticmethod(hookimpl(function)) for name, function in functions.items()})()
