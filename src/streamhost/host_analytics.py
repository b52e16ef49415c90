"""Builds the room of figures. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

from streamhost.config import Settings
from streamhost.db.core import Database
from streamhost.db.library import remembers
from streamhost.features.analytics import Analytics
from streamhost.features.catalog import Catalog
from streamhost.instance import Instance, Purpose
from streamhost.model.clock import Clock
from streamhost.model.grants import Grants
from streamhost.ports import Storage


def analytics_of(
    settings: Settings,
    instance: Instance,
    db: Database,
    clock: Clock,
    grants: Grants,
    storage: Storage,
    catalog: Catalog,
) -> Analytics:
    """The room of figures of a house."""
    key = instance.keys.derive_first(Purpose.COUNTING)
    return Analytics(db, clock, settings.analytics, key, grants, storage, catalog.get, remembers)
