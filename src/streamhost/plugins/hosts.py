"""What a plugin is given of the house: no more than `streamhost.ports.PluginHost` says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from streamhost import log
from streamhost.config import Section
from streamhost.model.errors import Forbidden, StreamhostError
from streamhost.ports import Storage, StoredObject

FOLDER = "plugins"
"""Below this prefix of the storage each plugin has one of its own."""


class NotYours(Forbidden):
    """A plugin writes only what is its own."""

    code = "not_yours"
    hint = "Put it below `plugins/<name>/` in the storage."


class HostNotReady(StreamhostError):
    """This part of the house is not there yet."""

    code = "host_not_ready"
    permanent = True
    hint = "Use it when a hook is called later, not while settings and storages are registered."


class Enqueue(Protocol):
    """Puts work of a plugin into the queue; see `PluginHost.enqueue`."""

    def __call__(
        self, plugin: str, work: str, payload: Mapping[str, Any], *, delay: float, key: str | None
    ) -> Awaitable[bool]:
        """False if work with the same key waits already."""
        ...


class ProvidedHost:
    """The host of one plugin. The house furnishes it, once there is a storage and a queue."""

    def __init__(self, name: str, settings: Section | None) -> None:
        self._name = name
        self._settings = settings
        self._storage: Storage | None = None
        self._enqueue: Enqueue | None = None
        self._works: Callable[[str, str], bool] = lambda _plugin, _work: False

    def __repr__(self) -> str:
        return f"<host of {self._name}>"

    @property
    def name(self) -> str:
        """The plugin's own name."""
        return self._name

    @property
    def settings(self) -> Any:
        """What is set for it, None if it has no settings."""
        return self._settings

    @property
    def storage(self) -> Storage:
        """Everything to read, its own folder to write."""
        if self._storage is None:
            raise HostNotReady("storage")
        return self._storage

    @property
    def log(self) -> Any:
        """A logger that names the plugin."""
        return log.get("plugins").bind(plugin=self._name)

    async def enqueue(
        self, work: str, payload: Mapping[str, Any] | None = None, *, delay: float = 0.0, key: str | None = None
    ) -> bool:
        """Put work into the queue. Raises `HostNotReady`, and ValueError for work that nobody registered."""
        if self._enqueue is None:
            raise HostNotReady("enqueue")
        if not self._works(self._name, work):
            raise ValueError(f"{self._name} has registered no work {work!r}")
        return await self._enqueue(self._name, work, dict(payload or {}), delay=delay, key=key)

    def furnish(self, storage: Storage, enqueue: Enqueue, works: Callable[[str, str], bool]) -> None:
        """Hand over what was not there at first. `works` says whether a plugin has registered some work."""
        self._storage = OwnFolderStorage(storage, f"{FOLDER}/{self._name}/")
        self._enqueue = enqueue
        self._works = works


class OwnFolderStorage:
    """A storage of which everything can be read, and one prefix be written."""

    def __init__(self, storage: Storage, prefix: str) -> None:
        self._storage = storage
        self._prefix = prefix

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """See `Storage`. Raises `NotYours`."""
        return await self._storage.put_file(self._mine(key), source)

    async def put_bytes(self, key: str, data: bytes) -> StoredObject:
        """See `Storage`. Raises `NotYours`."""
        return await self._storage.put_bytes(self._mine(key), data)

    async def put_tree(self, prefix: str, directory: Path) -> int:
        """See `Storage`. Raises `NotYours`."""
        return await self._storage.put_tree(self._mine(prefix), directory)

    async def stat(self, key: str) -> StoredObject:
        """See `Storage`."""
        return await self._storage.stat(key)

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """See `Storage`."""
        return self._storage.read(key, start, end)

    async def fetch(self, key: str, directory: Path) -> Path:
        """See `Storage`."""
        return await self._storage.fetch(key, directory)

    def local_path(self, key: str) -> Path | None:
        """See `Storage`."""
        return self._storage.local_path(key)

    async def delete(self, key: str) -> None:
        """See `Storage`. Raises `NotYours`."""
        await self._storage.delete(self._mine(key))

    async def delete_prefix(self, prefix: str) -> int:
        """See `Storage`. Raises `NotYours`."""
        return await self._storage.delete_prefix(self._mine(prefix))

    def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """See `Storage`."""
        return self._storage.list(prefix)

    async def free_bytes(self) -> int | None:
        """See `Storage`."""
        return await self._storage.free_bytes()

    def _mine(self, key: str) -> str:
        if not key.startswith(self._prefix):
            raise NotYours(f"{key!r} is not below {self._prefix}")
        return key
