"""What some storages can do besides the port; who can do without asks for it with `isinstance`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from streamhost.model.clock import Timestamp


@dataclass(frozen=True, slots=True)
class Check:
    """One step of trying a storage. `run` answers with a sentence, or raises `StorageUnavailable` with what to do;
    `needed`: without it the settings as they are cannot work."""

    name: str
    run: Callable[[], Awaitable[str]]
    needed: bool = True
    needs_write: bool = True


@runtime_checkable
class PutsNew(Protocol):
    """Can store an object unless there is one already, decided at one moment."""

    async def put_new(self, key: str, source: Path) -> bool:
        """Store a copy of the file `source`, which stays; False, and nothing stored, where the key is taken."""
        ...


@runtime_checkable
class Sweeps(Protocol):
    """Leaves something behind when it is killed, and can tidy that up."""

    async def sweep(self, before: Timestamp) -> int:
        """Remove what was begun before that moment and never finished; how many."""
        ...


@runtime_checkable
class Probes(Protocol):
    """Can tell within moments whether it takes objects, without the patience that real work deserves."""

    async def probe(self) -> None:
        """Store and delete something of no use. Raises `StorageUnavailable` saying why that does not work."""
        ...
