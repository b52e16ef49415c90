"""A catalog with two packages of one video, and an instance with its keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamhost.config import ProtectionSettings
from streamhost.db import packages, users, videos
from streamhost.db.core import Database
from streamhost.features.protection import LocalKeySource, Protections
from streamhost.instance import open_instance
from streamhost.keyrings import Keyrings
from streamhost.model.accounts import Role, User
from streamhost.model.ids import PackageId, UserId, VideoId
from streamhost.model.videos import Protection, Video
from tests.support.catalogs import blank

NOW = 1_800_000_000.0
VIDEO = VideoId("film")
ONE, TWO = PackageId("one"), PackageId("two")


@dataclass(slots=True)
class Vault:
    """Keys on a real catalog."""

    data: Path
    db: Database
    keyrings: Keyrings
    source: LocalKeySource
    protections: Protections

    def again(self) -> LocalKeySource:
        """What another process on the same directory sees."""
        return LocalKeySource(self.db, Keyrings(open_instance(self.data)), lambda: NOW)


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    """Two packages, without keys yet."""
    instance = open_instance(tmp_path)
    db = await Database.open(blank(tmp_path))
    alice = User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", NOW)
    async with db.write() as conn:
        await users.insert(conn, alice)
        await videos.insert(conn, Video(VIDEO, alice.id, "Film", NOW, NOW))
        for package in (ONE, TWO):
            row = packages.PackageRow(package, VIDEO, "first", "{}", NOW, None, Protection.CENC)
            await packages.insert(conn, row)
    keyrings = Keyrings(instance)
    source = LocalKeySource(db, keyrings, lambda: NOW)
    yield Vault(tmp_path, db, keyrings, source, Protections(source, source, lambda: NOW, ProtectionSettings()))
    await db.close()
