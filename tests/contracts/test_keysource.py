"""The contract of the key port, run on every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamhost.db import migrate, packages, users, videos
from streamhost.db.core import Database
from streamhost.features.protection import DerivedKeySource, LocalKeySource
from streamhost.instance import open_instance
from streamhost.keyrings import Keyrings
from streamhost.model.accounts import Role, User
from streamhost.model.ids import PackageId, UserId, VideoId
from streamhost.model.videos import Video
from streamhost.ports import KeySource
from streamhost.testing.key_contract import KeySourceContract

NOW = 1_800_000_000.0
PACKAGES = (PackageId("one"), PackageId("two"))


class TestLocalKeySource(KeySourceContract):
    """`LocalKeySource`."""

    @pytest.fixture
    async def source(self, tmp_path: Path) -> AsyncIterator[KeySource]:
        """One on a fresh catalog, with two packages in it."""
        instance = open_instance(tmp_path)
        migrate.migrate(tmp_path / "catalog.sqlite3")
        db = await Database.open(tmp_path / "catalog.sqlite3")
        alice = User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", NOW)
        async with db.write() as conn:
            await users.insert(conn, alice)
            await videos.insert(conn, Video(VideoId("film"), alice.id, "Film", NOW, NOW))
            for package in PACKAGES:
                row = packages.PackageRow(package, VideoId("film"), "first", "{}", NOW, None)
                await packages.insert(conn, row)
        yield LocalKeySource(db, Keyrings(instance), lambda: NOW)
        await db.close()

    @pytest.fixture
    def packages(self) -> tuple[PackageId, PackageId]:
        """The two of the catalog."""
        return PACKAGES


class TestDerivedKeySource(KeySourceContract):
    """`DerivedKeySource`."""

    @pytest.fixture
    def source(self) -> KeySource:
        """One with a secret of its own."""
        return DerivedKeySource(b"s" * 32)

    @pytest.fixture
    def packages(self) -> tuple[PackageId, PackageId]:
        """Any two."""
        return PACKAGES
