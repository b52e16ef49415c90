"""Builds the room of figures. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

from streamhost.db.library import remembers
from streamhost.features.analytics import Analytics
from streamhost.features.catalog import Catalog
from streamhost.host_basis import Basis
from streamhost.instance import Purpose
from streamhost.model.grants import Grants
from streamhost.ports import Storage


def analytics_of(basis: Basis, grants: Grants, storage: Storage, catalog: Catalog) -> Analytics:
    """The room of figures of a house."""
    key = basis.instance.keys.derive_first(Purpose.COUNTING)
    return Analytics(basis.db, basis.clock, basis.settings.analytics, key, grants, storage, catalog.get, remembers)
