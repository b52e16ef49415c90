"""Cached answers on a Valkey or Redis server. Imported only where the settings name one: its client is an extra."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar.stores.valkey import ValkeyStore
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from streamhost.server.stores import unavailable, whole

T = TypeVar("T")


class ValkeySharedCache:
    """Answers on a Valkey or Redis server, below a prefix of their own."""

    def __init__(self, store: ValkeyStore) -> None:
        self._store = store

    async def get(self, name: str) -> bytes | None:
        """GET."""
        return await self._ask(self._store.get(name))

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        """SET with EX."""
        await self._ask(self._store.set(name, value, expires_in=whole(seconds)))

    async def delete(self, name: str) -> None:
        """DEL."""
        await self._ask(self._store.delete(name))

    async def sweep(self) -> None:
        """The server removes what is over by itself."""

    async def close(self) -> None:
        """Close the connections."""
        await self._ask(self._store.__aexit__(None, None, None))

    async def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return await work
        except (ValkeyError, OSError) as error:
            raise unavailable(error) from error


def opened(url: str, prefix: str, patience: float) -> ValkeySharedCache:
    """A cache on the server at `url`; names begin with `prefix`, and nothing takes longer than `patience` seconds."""
    client = Valkey.from_url(url, socket_timeout=patience, socket_connect_timeout=patience)
    return ValkeySharedCache(ValkeyStore(client, namespace=prefix, handle_client_shutdown=True))
