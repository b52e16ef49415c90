"""Where cached answers outlive the process: Litestar's stores behind the port `SharedCache`."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import cast

import msgspec
from litestar.stores.file import FileStore

from streamhost.config import InvalidSettings, Settings
from streamhost.host_basis import CACHE_FOLDER
from streamhost.instance import Instance
from streamhost.ports import CacheUnavailable, SharedCache

PRIVATE = 0o700


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
            raise unavailable(error) from error

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        """Write the file; it appears whole."""
        try:
            await self._store.set(name, value, expires_in=whole(seconds))
        except OSError as error:
            raise unavailable(error) from error

    async def delete(self, name: str) -> None:
        """Remove the file."""
        try:
            await self._store.delete(name)
        except OSError as error:
            raise unavailable(error) from error

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
            raise unavailable(error) from error

    async def close(self) -> None:
        """There is nothing to let go of."""


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
        kept = importlib.import_module("streamhost.server.valkey_store")
    except ModuleNotFoundError as error:
        detail = f'cache.store = "valkey" needs a part that is not installed: {error.name}.'
        raise InvalidSettings(detail, hint="pip install 'streamhost[valkey]'") from error
    # Two instances on one server do not meet: each has a prefix of its own, and seals with a key of its own.
    prefix = f"streamhost:{instance.id}"
    return cast("SharedCache", kept.opened(settings.cache.url, prefix, settings.cache.timeout_ms / 1000))


def whole(seconds: float) -> int:
    """Seconds as stores take them: never more than were asked for, but one at least."""
    return max(1, math.floor(seconds))


def unavailable(error: Exception) -> CacheUnavailable:
    """What a failure is called here. Clients put addresses with passwords into some of their messages."""
    return CacheUnavailable(type(error).__name__ if not isinstance(error, OSError) else error.strerror or "")
