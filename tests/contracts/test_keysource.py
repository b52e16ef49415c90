"""The contract of the key port, run on every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamhost.db import packages, users, videos
from streamhost.db.core import Database
from streamhost.features.protection import DerivedKeySource, KeySources, LocalKeySource
from streamhost.instance import Instance, open_instance
from streamhost.keyrings import Keyrings, Ring
from streamhost.model.accounts import Role, User
from streamhost.model.ids import PackageId, UserId, VideoId
from streamhost.model.videos import Video
from streamhost.ports import KeySource
from streamhost.testing.key_contract import Breaks, FaultyKeySourceContract, KeySourceContract
from tests.support.catalogs import blank

NOW = 1_800_000_000.0
PACKAGES = (PackageId("one"), PackageId("two"))
DAMAGED = "UPDATE content_keys SET wrapped = 'AAAA' || substr(wrapped, 5)"
DROPPED = "DROP TABLE content_keys"


@asynccontextmanager
async def catalog_with_packages(folder: Path) -> AsyncIterator[Database]:
    """A fresh catalog with a video that has two packages."""
    db = await Database.open(blank(folder))
    alice = User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", NOW)
    async with db.write() as conn:
        await users.insert(conn, alice)
        await videos.insert(conn, Video(VideoId("film"), alice.id, "Film", NOW, NOW))
        for package in PACKAGES:
            row = packages.PackageRow(package, VideoId("film"), "first", "{}", NOW, None)
            await packages.insert(conn, row)
    try:
        yield db
    finally:
        await db.close()


class TestLocalKeySource(KeySourceContract):
    """`LocalKeySource`."""

    @pytest.fixture
    async def source(self, tmp_path: Path) -> AsyncIterator[KeySource]:
        """One on a fresh catalog, with two packages in it."""
        async with catalog_with_packages(tmp_path) as db:
            yield LocalKeySource(db, Keyrings(open_instance(tmp_path)), lambda: NOW)

    @pytest.fixture
    def packages(self) -> tuple[PackageId, PackageId]:
        """The two of the catalog."""
        return PACKAGES


class TestLocalKeySourceInTrouble(FaultyKeySourceContract):
    """`LocalKeySource` on a catalog or an instance that is not what it was."""

    @pytest.fixture
    async def house(self, tmp_path: Path) -> AsyncIterator[tuple[Database, Instance]]:
        """A catalog with two packages in it."""
        async with catalog_with_packages(tmp_path) as db:
            yield db, open_instance(tmp_path)

    @pytest.fixture
    def source(self, house: tuple[Database, Instance]) -> KeySource:
        """One on that catalog."""
        return LocalKeySource(house[0], Keyrings(house[1]), lambda: NOW)

    @pytest.fixture
    def packages(self) -> tuple[PackageId, PackageId]:
        """The two of the catalog."""
        return PACKAGES

    @pytest.fixture(params=["wrapping key lost", "keys damaged", "table gone"])
    def breaks(self, request: pytest.FixtureRequest, house: tuple[Database, Instance]) -> Breaks:
        """What becomes of it."""
        db, instance = house

        async def spoil() -> None:
            if request.param == "wrapping key lost":
                rings = Keyrings(instance)
                lost = rings.ring(Ring.WRAPPING).current.id
                rings.replace(Ring.WRAPPING, NOW)
                rings.forget(Ring.WRAPPING, lost)
            else:
                async with db.write() as conn:
                    await conn.execute(DROPPED if request.param == "table gone" else DAMAGED)

        return spoil


class TestKeySources(KeySourceContract):
    """`KeySources`: the built-in one chosen, beside one that is not set up."""

    @pytest.fixture
    async def source(self, tmp_path: Path) -> AsyncIterator[KeySource]:
        """One on a fresh catalog, with two packages in it."""
        async with catalog_with_packages(tmp_path) as db:
            local = LocalKeySource(db, Keyrings(open_instance(tmp_path)), lambda: NOW)
            yield KeySources(db, "local", {"local": local, "vault": DerivedKeySource(b"s" * 32)})

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
