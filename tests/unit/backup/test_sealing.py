"""Parts under a passphrase: whole, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost.features.backup.errors import BackupDamaged, WrongPassphrase
from streamhost.features.backup.sealing import CHUNK, MAGIC, TAG, Seal, sealed_size

SEAL = Seal(b"m" * 32, b"s" * 16, 2)
"""Without the work of a passphrase."""
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK)


def shut(content: bytes, step: int = 7000) -> bytes:
    """A sealed part, given in pieces."""
    return b"".join(SEAL.shut("a", (content[at : at + step] for at in range(0, len(content), step))))


def opened(sealed: bytes, name: str = "a", step: int = 9000) -> bytes:
    """What is in it."""
    return b"".join(SEAL.open(name, (sealed[at : at + step] for at in range(0, len(sealed), step))))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_can_be_opened(size: int) -> None:
    """Any length, around the length of a chunk too; its size is known before."""
    content = bytes(range(256)) * (size // 256 + 1)
    sealed = shut(content[:size])
    assert len(sealed) == sealed_size(size)
    assert opened(sealed) == content[:size]
    assert size < 16 or content[:16] not in sealed


@settings(max_examples=60)
@given(st.integers(0, 2 * CHUNK + 100), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    """Wherever it is."""
    sealed = bytearray(shut(bytes(2 * CHUNK + 30)))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(BackupDamaged):
        opened(bytes(sealed))


def test_chunks_cannot_be_cut_moved_or_added() -> None:
    """The end is where it was, in the order that it was; a part does not pass for another."""
    sealed = shut(bytes(CHUNK) + b"\1" * CHUNK + b"rest")
    head, size = len(MAGIC), CHUNK + TAG
    first, second, last = sealed[head : head + size], sealed[head + size : head + 2 * size], sealed[head + 2 * size :]
    for wrong in (
        MAGIC + first,
        MAGIC + first + second,
        MAGIC + second + first + last,
        MAGIC + last,
        MAGIC,
        b"",
        first,
    ):
        with pytest.raises(BackupDamaged):
            opened(wrong)
    with pytest.raises(BackupDamaged):
        opened(sealed + last)
    with pytest.raises(BackupDamaged):
        opened(sealed, "b")


def test_the_passphrase_is_told_from_damage() -> None:
    """A wrong one is said to be wrong; a manifest that asks for endless work is refused before any is done."""
    seal = Seal.new("quite a long passphrase, ü")
    described = seal.described()
    assert Seal.opening(described, "quite a long passphrase, ü").master == seal.master
    with pytest.raises(WrongPassphrase):
        Seal.opening(described, "another")
    for wrong in ({"cost": 2**40}, {"cost": 3}, {"cost": 0}, {"scheme": "none"}, {"salt": "x"}, {"check": 7}):
        with pytest.raises(BackupDamaged):
            Seal.opening(described | wrong, "quite a long passphrase, ü")
    assert "passphrase" not in repr(seal) and seal.master.hex() not in repr(seal)
