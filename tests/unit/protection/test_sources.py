"""Several key sources in one house: each package keeps the one that made its keys, and no other one is asked."""

from __future__ import annotations

import pytest

from streamhost.features.protection import DerivedKeySource, KeySources
from streamhost.features.protection.errors import KeySourceGone
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId
from streamhost.model.protection import ContentKey
from tests.unit.protection.conftest import ONE, TWO, Vault


class Away(StreamhostError):
    """The service does not answer."""

    code = "away"


class NotSetUp:
    """A source that was installed and knows no service."""

    async def make(self, _package_id: PackageId, _count: int) -> tuple[ContentKey, ...]:
        """Fail."""
        raise Away

    async def of(self, _package_id: PackageId) -> tuple[ContentKey, ...]:
        """Fail."""
        raise Away


async def test_one_that_is_away_is_in_nobodys_way(vault: Vault) -> None:
    """Of what it has not made it is asked nothing, neither when keys are made nor when they are given out."""
    house = KeySources(vault.db, "local", {"away": NotSetUp(), "local": vault.source})
    made = await house.make(ONE, 2)
    assert len(made) == 2
    assert await house.of(ONE) == await house.make(ONE, 2) == made == await vault.source.of(ONE)


async def test_a_package_keeps_its_source(vault: Vault) -> None:
    """Whatever is chosen later; and where that is gone nobody gets other keys, or hears that there are none."""
    away = DerivedKeySource(b"s" * 32)
    made = await KeySources(vault.db, "vault", {"local": vault.source, "vault": away}).make(ONE, 2)
    later = KeySources(vault.db, "local", {"local": vault.source, "vault": away})
    assert await later.of(ONE) == await later.make(ONE, 2) == made
    assert await vault.source.of(ONE) == ()
    assert await later.make(TWO, 2) == await vault.source.of(TWO) != ()
    alone = KeySources(vault.db, "local", {"local": vault.source})
    for asked in (alone.of(ONE), alone.make(ONE, 2)):
        with pytest.raises(KeySourceGone, match="vault"):
            await asked


async def test_packages_of_before_sources_were_noted(vault: Vault) -> None:
    """Whichever has the keys gives them; that one cannot be asked does not mean that there are none."""
    away = DerivedKeySource(b"s" * 32)
    made = await away.make(ONE, 2)
    house = KeySources(vault.db, "local", {"local": vault.source, "vault": away})
    assert await house.of(ONE) == made
    assert await house.of(TWO) == ()
    with pytest.raises(Away):
        await KeySources(vault.db, "local", {"local": vault.source, "vault": NotSetUp()}).of(ONE)
