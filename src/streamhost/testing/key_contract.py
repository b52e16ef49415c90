"""What every source of content keys must do: the contract of `streamhost.ports.KeySource` as a suite of tests.

class TestMyKeySource(KeySourceContract):
    @pytest.fixture
    def source(self) -> KeySource:
        return MyKeySource(...)

    @pytest.fixture
    async def packages(self) -> tuple[PackageId, PackageId]:
        ...

`FaultyKeySourceContract` is for those that keep or fetch their keys somewhere that can fail.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId
from streamhost.ports import KeySource

COUNT = 4
PATIENCE = 60.0
"""Seconds within which a failure must be told, on a slow machine; a source under test has a time-out of 2 at most."""
STEPS = (0, 1, 2, 3, 5, 8, 13)
"""Turns of the event loop after which somebody goes away."""

Breaks = Callable[[], Awaitable[None]]
"""Makes whatever is behind a source fail from now on."""


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

    async def test_whoever_goes_away_leaves_no_half(
        self, source: KeySource, packages: tuple[PackageId, PackageId]
    ) -> None:
        """A job that is cancelled while keys are made leaves none or all of them, and the next one gets all."""
        for steps in STEPS:
            making = asyncio.create_task(source.make(packages[0], COUNT))
            for _ in range(steps):
                await asyncio.sleep(0)
            making.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await making
            assert len(await source.of(packages[0])) in (0, COUNT)
        made = await source.make(packages[0], COUNT)
        assert len(made) == COUNT
        assert await source.of(packages[0]) == made

    async def test_no_key_stands_in_words(self, source: KeySource, packages: tuple[PackageId, PackageId]) -> None:
        """What is printed of a source or its answers holds no key."""
        made = await source.make(packages[0], COUNT)
        assert not any(key.key in repr(made) + repr(source) for key in made)


class FaultyKeySourceContract:
    """Inherit from it and provide `source`, `packages`, and `breaks`, one for each way to fail: away, too slow,
    talking nonsense, damaged."""

    async def test_no_answer_is_not_no_keys(
        self, source: KeySource, packages: tuple[PackageId, PackageId], breaks: Breaks
    ) -> None:
        """A package whose keys cannot be had now has them all the same: an error, neither none nor others; and soon."""
        made = await source.make(packages[0], COUNT)
        await breaks()
        for asked in (source.of(packages[0]), source.make(packages[0], COUNT)):
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(StreamhostError) as raised:
                    await asked
            words = f"{raised.value!r} {raised.value} {raised.value.detail} {raised.value.hint}"
            assert not any(value in words for key in made for value in (key.key, key.iv or key.key))
