"""What every source of content keys must do: the contract of `streamhost.ports.KeySource` as a suite of tests.

class TestMyKeySource(KeySourceContract):
    @pytest.fixture
    def source(self) -> KeySource:
        return MyKeySource(...)

    @pytest.fixture
    async def packages(self) -> tuple[PackageId, PackageId]:
        ...
"""

from __future__ import annotations

import asyncio

from streamhost.model.ids import PackageId
from streamhost.ports import KeySource

COUNT = 4


class KeySourceContract:
    """Inherit from it and provide `source`, and `packages`: the ids of two packages that may have keys."""

    async def test_a_package_keeps_its_keys(self, source: KeySource, packages: tuple[PackageId, PackageId]) -> None:
        """What the first call made is what every later one answers, whatever number it asks for."""
        made = await source.make(packages[0], COUNT)
        assert len(made) == COUNT
        assert await source.make(packages[0], 1) == made
        assert await source.of(packages[0]) == made
        assert all(key.iv is not None for key in made)

    async def test_two_at_once_get_the_same_keys(
        self, source: KeySource, packages: tuple[PackageId, PackageId]
    ) -> None:
        """Jobs of one package that start together encrypt with the same keys."""
        first, *others = await asyncio.gather(*(source.make(packages[0], COUNT) for _ in range(5)))
        assert all(other == first for other in others)

    async def test_no_two_keys_are_alike(self, source: KeySource, packages: tuple[PackageId, PackageId]) -> None:
        """Neither within a package nor between two, neither ids nor keys nor vectors."""
        keys = [*await source.make(packages[0], COUNT), *await source.make(packages[1], COUNT)]
        for values in ({key.kid for key in keys}, {key.key for key in keys}, {key.iv for key in keys}):
            assert len(values) == 2 * COUNT

    async def test_a_package_without_keys_has_none(
        self, source: KeySource, packages: tuple[PackageId, PackageId]
    ) -> None:
        """Asking makes none; a package that nobody knows has none either."""
        assert await source.of(packages[0]) == ()
        assert await source.of(PackageId("unknown")) == ()

    async def test_no_key_stands_in_words(self, source: KeySource, packages: tuple[PackageId, PackageId]) -> None:
        """What is printed of a source or its answers holds no key."""
        made = await source.make(packages[0], COUNT)
        assert not any(key.key in repr(made) + repr(source) for key in made)
