"""Where cached answers outlive the process: Litestar's stores behind the port `SharedCache`."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
from litestar.stores.base import NamespacedStore
from litestar.stores.file import FileStore

from streamhost.config import InvalidSettings, Settings
from streamhost.host import CACHE_FOLDER
from streamhost.instance import Instance
from streamhost.ports import CacheUnavailable, SharedCache

PRIVATE = 0o700

T = TypeVar("T")


class FileSharedCache:
    """Answers in a folder, one file each, by names that tell nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = FileStore(folder)

    async def get(self, name: str) -> bytes | None:
        """Read the file; one that was damaged is removed."""
        try:
            return await self._store.get(name)
        except msgspec.MsgspecError:
            await self.delete(name)
            return None
        except OSError as error:
            raise _unavailable(error) from error

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        """Write the file; it appears whole."""
        try:
            await self._store.set(name, value, expires_in=_whole(seconds))
        except OSError as error:
            raise _unavailable(error) from error

    async def delete(self, name: str) -> None:
        """Remove the file."""
        try:
            await self._store.delete(name)
        except OSError as error:
            raise _unavailable(error) from error

    async def sweep(self) -> None:
        """Remove the files of answers that are over; all of them, if one is damaged."""
        try:
            try:
                await self._store.delete_expired()
            except msgspec.MsgspecError:
                await self._store.delete_all()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """There is nothing to let go of."""


class ValkeySharedCache:
    """Answers on a Valkey or Redis server, below a prefix of their own."""

    def __init__(self, store: NamespacedStore, failures: tuple[type[Exception], ...]) -> None:
        """`failures`: what the client raises when the server fails."""
        self._store = store
        self._failures = (*failures, OSError)

    async def get(self, name: str) -> bytes | None:
        """GET."""
        return await self._ask(self._store.get(name))

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        """SET with EX."""
        await self._ask(self._store.set(name, value, expires_in=_whole(seconds)))

    async def delete(self, name: str) -> None:
        """DEL."""
        await self._ask(self._store.delete(name))

    async def sweep(self) -> None:
        """The server removes what is over by itself."""

    async def close(self) -> None:
        """Close the connections."""
        await self._ask(cast(Any, self._store).__aexit__(None, None, None))

    async def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return await work
        except Exception as error:
            if isinstance(error, self._failures):
                raise _unavailable(error) from error
            raise


def shared_cache(settings: Settings, instance: Instance) -> SharedCache | None:
    """The store that the settings name. Raises `InvalidSettings` for one that cannot be used here."""
    match settings.cache.store:
        case "none":
            return None
        case "file":
            folder = settings.data / CACHE_FOLDER
            folder.mkdir(mode=PRIVATE, exist_ok=True)
            return FileSharedCache(folder)
        case _:
            return _valkey(settings, instance)


def _valkey(settings: Settings, instance: Instance) -> SharedCache:
    if not settings.cache.url:
        raise InvalidSettings('cache.url: cache.store = "valkey" needs it.')
    try:
        client = importlib.import_module("valkey.asyncio")
        failures = importlib.import_module("valkey.exceptions")
        store = importlib.import_module("litestar.stores.valkey")
    except ModuleNotFoundError as error:
        detail = f'cache.store = "valkey" needs a part that is not installed: {error.name}.'
        raise InvalidSettings(detail, hint="pip install 'streamhost[valkey]'") from error
    patience = settings.cache.timeout_ms / 1000
    make: Callable[..., Any] = client.Valkey.from_url
    # Two instances on one server do not meet: each has a prefix of its own, and seals with a key of its own.
    prefix = f"streamhost:{instance.id}"
    made = make(settings.cache.url, socket_timeout=patience, socket_connect_timeout=patience)
    opened = store.ValkeyStore(made, namespace=prefix, handle_client_shutdown=True)
    return ValkeySharedCache(opened, (failures.ValkeyError,))


def _whole(seconds: float) -> int:
    return max(1, math.floor(seconds))


def _unavailable(error: Exception) -> CacheUnavailable:
    # Clients put addresses with passwords into some of their messages.
    return CacheUnavailable(type(error).__name__ if not isinstance(error, OSError) else error.strerror or "")
