"""Builds the caches that the settings name. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

from streamhost.caching.cache import Cache
from streamhost.caching.memory import Memory
from streamhost.caching.sealing import Seal
from streamhost.caching.shared import Shared
from streamhost.config import Settings
from streamhost.db.core import Database
from streamhost.instance import Instance, Purpose
from streamhost.ports import SharedCache

REMOTE = "valkey"
"""The store of the settings that is a server."""


def cache_of(settings: Settings, instance: Instance, db: Database, store: SharedCache | None) -> Cache:
    """The cache of a house; `store`: what outlives the process, if anything does."""
    wanted, shared = settings.cache, None
    if store is not None:
        seal = Seal(instance.keys.ring(Purpose.CACHE))
        shared = Shared(store, seal, remote=wanted.store == REMOTE, patience=wanted.timeout_ms / 1000)
    memory = Memory(wanted.entries, wanted.memory) if wanted.entries and wanted.memory else None
    cache = Cache(memory, shared, db.changed_elsewhere)
    db.on_write(cache.wrote)
    return cache
