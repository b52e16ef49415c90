"""What every room of an instance stands on. A part of `host.py`, and like it imported by no room."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from streamhost.caching.cache import Cache
from streamhost.config import Settings
from streamhost.db.core import Database
from streamhost.features.storekeeping.building import LOCAL_FOLDER
from streamhost.instance import Instance
from streamhost.jobs.queue import Queue
from streamhost.model.branding import Brand
from streamhost.model.clock import MINUTE, Clock

CATALOG_FILE = "catalog.sqlite3"
"""Name of the catalog in the data directory, and those of the folders there."""
SNAPSHOTS_FOLDER = "snapshots"
MEDIA_FOLDER = LOCAL_FOLDER
UPLOADS_FOLDER = "uploads"
WORK_FOLDER = "work"
CACHE_FOLDER = "cache"
OWN_FOLDERS = (MEDIA_FOLDER, UPLOADS_FOLDER, WORK_FOLDER, SNAPSHOTS_FOLDER, CACHE_FOLDER)
"""Folders that are not for people."""


@dataclass(frozen=True, slots=True)
class Basis:
    """One instance before it has any room: what it was told, and where its state and its jobs are kept."""

    settings: Settings
    instance: Instance
    clock: Clock
    db: Database
    queue: Queue
    cache: Cache
    brand: Brand = field(default_factory=lambda: Brand(""))
    """How the site presents itself now."""

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.instance.data

    @property
    def work(self) -> Path:
        """The folder for files in the making, emptied at every start."""
        return self.data / WORK_FOLDER

    @property
    def grants_live(self) -> float:
        """Seconds for which a permission to play is good."""
        return self.settings.playback.grant_minutes * MINUTE
