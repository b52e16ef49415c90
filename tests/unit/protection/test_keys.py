"""Content keys at rest: nothing in the clear, wrapped anew without loss, gone with their package."""

from __future__ import annotations

import base64

import pytest

from streamhost.config import ProtectionSettings
from streamhost.db import packages
from streamhost.features.protection import LocalKeySource, Protections
from streamhost.features.protection.wrapping import KeyUnreadable, unwrap, wrap
from streamhost.instance import open_instance
from streamhost.keyrings import RINGS_FILE, Keyrings, Ring, RingKey
from streamhost.model.ids import PackageId
from streamhost.model.protection import ContentKey, Scheme
from streamhost.model.videos import Protection
from tests.unit.protection.conftest import NOW, ONE, TWO, Vault

SECRET = b"w" * 32
KEY = ContentKey("1" * 32, "2" * 32, "3" * 32)


def test_a_wrapped_key_comes_out_as_it_went_in() -> None:
    """With its vector or without; and two wrappings of one key differ."""
    bare = ContentKey(KEY.kid, KEY.key)
    for key in (KEY, bare):
        assert unwrap(SECRET, ONE, key.kid, wrap(SECRET, ONE, key)) == key
    assert wrap(SECRET, ONE, KEY) != wrap(SECRET, ONE, KEY)


def test_a_wrapped_key_opens_nowhere_else() -> None:
    """Another secret, package or key id, one changed bit, or what is no wrapped key: refused, without a word of it."""
    text = wrap(SECRET, ONE, KEY)
    raw = bytearray(base64.b64decode(text))
    cases = [(b"x" * 32, ONE, KEY.kid, text), (SECRET, TWO, KEY.kid, text), (SECRET, ONE, "4" * 32, text)]
    for place in range(len(raw)):
        raw[place] ^= 1
        cases.append((SECRET, ONE, KEY.kid, base64.b64encode(raw).decode()))
        raw[place] ^= 1
    cases += [(SECRET, ONE, KEY.kid, spelt) for spelt in ("", "AAAA", "no base64!", text[:20])]
    for secret, package, kid, spelt in cases:
        with pytest.raises(KeyUnreadable) as refusal:
            unwrap(secret, PackageId(package), kid, spelt)
        assert KEY.key not in str(refusal.value)


async def test_no_key_lies_in_the_catalog_in_the_clear(vault: Vault) -> None:
    """Neither as digits nor as bytes nor as base64, in the file or its log."""
    made = await vault.source.make(ONE, 4)
    files = b"".join(path.read_bytes() for path in vault.data.glob("catalog.sqlite3*"))
    for secret in (text for key in made for text in (key.key, key.iv or "")):
        raw = bytes.fromhex(secret)
        for form in (secret.encode(), raw, base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw)[:-2]):
            assert form not in files


async def test_replacing_the_wrapping_key_loses_nothing(vault: Vault) -> None:
    """Every key is what it was, under the new one alone; a process that had read the old one goes on."""
    made = {package: await vault.source.make(package, 2) for package in (ONE, TWO)}
    beside = vault.again()
    assert await beside.of(ONE) == made[ONE]
    for _ in range(3):
        fresh, count = await vault.source.replace_wrapping()
        assert count == 4
        assert [(w.id, w.keys, w.packages) for w in await vault.source.wrappings()] == [(fresh, 4, 2)]
        for source in (beside, vault.again()):
            assert await source.of(ONE) == made[ONE]
            assert await source.of(TWO) == made[TWO]
    assert len(vault.keyrings.ring(Ring.WRAPPING).keys) == 1


async def test_a_replacement_that_was_cut_off_is_made_good(vault: Vault) -> None:
    """Killed between the file and the catalog, everything still opens; the next replacement wraps all of it."""
    made = await vault.source.make(ONE, 2)
    vault.keyrings.replace(Ring.WRAPPING, NOW)
    assert await vault.again().of(ONE) == made
    fresh, count = await vault.again().replace_wrapping()
    assert count == 2
    assert [w.id for w in await vault.source.wrappings()] == [fresh]
    assert await vault.source.of(ONE) == made


class Overtaken(Keyrings):
    """Keys that somebody else replaces between our making a new one and our wrapping with it."""

    def replace(self, ring: Ring, now: float, keep: float | None = None) -> RingKey:
        """Make one, and let the other make one more."""
        made = super().replace(ring, now, keep)
        super().replace(ring, now, keep)
        return made


async def test_two_replacements_at_once_lose_nothing(vault: Vault) -> None:
    """Whoever wraps last wraps with the newest key, not with one that is forgotten."""
    known = await vault.source.make(ONE, 2)
    first = LocalKeySource(vault.db, Overtaken(open_instance(vault.data)), lambda: NOW)
    fresh, count = await first.replace_wrapping()
    assert (fresh, count) == (3, 2)
    assert await vault.again().of(ONE) == known
    # The other one goes on now: nothing is left to do for it.
    await vault.again().replace_wrapping()
    assert await vault.again().of(ONE) == known


async def test_the_catalog_alone_opens_nothing(vault: Vault) -> None:
    """Without the file of the keys that wrap, there is a clear error and no key."""
    await vault.source.make(ONE, 2)
    await vault.source.replace_wrapping()
    (vault.data / RINGS_FILE).unlink()
    with pytest.raises(KeyUnreadable):
        await vault.again().of(ONE)


async def test_keys_go_with_their_package(vault: Vault) -> None:
    """No row is left behind."""
    await vault.source.make(ONE, 2)
    async with vault.db.write() as conn:
        await packages.delete(conn, ONE)
    assert await vault.source.of(ONE) == ()
    assert [w.keys for w in await vault.source.wrappings()] == [0]


async def test_each_protection_gets_the_keys_that_it_needs(vault: Vault) -> None:
    """None: none; Common Encryption: one for pictures and one for sound; AES-128 that rotates: sixteen of each."""
    room = vault.protections
    assert await room.protecting(ONE, Protection.NONE) is None
    assert await vault.source.of(ONE) == ()
    cbcs = await room.protecting(ONE, Protection.CBCS)
    assert cbcs is not None and cbcs.scheme is Scheme.CBCS
    assert cbcs.video[0] != cbcs.audio[0]
    assert await room.protecting(ONE, Protection.CBCS) == cbcs
    rotating = Protections(vault.source, vault.source, lambda: NOW, ProtectionSettings(rotate_segments=3))
    aes = await rotating.protecting(TWO, Protection.AES_128)
    assert aes is not None and aes.rotate_every == 3
    assert len({key.key for key in (*aes.video, *aes.audio)}) == 32
