"""Common Encryption of samples (ISO/IEC 23001-7): AES over the protected bytes of a whole segment at once. Pure.

AES itself is fast, calling it is not: so counters and chains of all samples of a segment go through it together, as
single blocks (ECB) that numpy has put in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from Crypto.Cipher import AES
from numpy.typing import NDArray

from streamhost.model.protection import BLOCK

CRYPT_BLOCKS, SKIP_BLOCKS = 1, 9
"""The pattern of ``cbcs`` in pictures (10.4): of ten blocks the first is encrypted."""
NARROW = 4
"""Chains that are still running at a step below which each is finished by itself."""

Vectors = NDArray[np.uint64]
"""One number a sample: the eight bytes of its initialization vector, read as big-endian."""


@dataclass(frozen=True, slots=True)
class Range:
    """Protected bytes that follow each other: ``offset`` from the first sample's first byte, ``size``, whose they
    are.
    """

    offset: int
    size: int
    sample: int


def ctr(data: bytearray, ranges: Sequence[Range], key: bytes, ivs: Vectors) -> None:
    """Encrypt, or decrypt, the ranges in place by AES-CTR (9.4, 9.5).

    A sample's vector is the upper half of its counter; the lower counts blocks from 0. The ranges of one
    sample are one stream: all but its last must be whole blocks.
    """
    if not ranges:
        return
    blocks = np.array([-(-item.size // BLOCK) for item in ranges], np.int64)
    samples = np.array([item.sample for item in ranges], np.int64)
    before = np.cumsum(blocks) - blocks
    first = np.searchsorted(samples, samples)
    counters = np.empty((int(blocks.sum()), 2), ">u8")
    counters[:, 0] = np.repeat(ivs[samples], blocks)
    counters[:, 1] = np.arange(len(counters)) - np.repeat(before[first], blocks)
    stream = np.frombuffer(AES.new(key, AES.MODE_ECB).encrypt(counters.tobytes()), np.uint8)
    view = np.frombuffer(data, np.uint8)
    for item, start in zip(ranges, (before * BLOCK).tolist(), strict=True):
        part = view[item.offset : item.offset + item.size]
        np.bitwise_xor(part, stream[start : start + item.size], out=part)


def cbc_encrypt(data: bytearray, ranges: Sequence[Range], key: bytes, iv: bytes, *, pattern: bool) -> None:
    """Encrypt whole blocks of the ranges in place by AES-CBC, each range a chain of its own from ``iv`` (9.6, 9.7).

    With ``pattern`` one block in ten; a last block that is not whole stays clear.
    """
    step = (CRYPT_BLOCKS + SKIP_BLOCKS) * BLOCK if pattern else BLOCK
    chains = sorted(((_count(item.size, step), item.offset) for item in ranges), reverse=True)
    lengths = np.array([count for count, _ in chains if count], np.int64)
    if not len(lengths):
        return
    starts = np.array([offset for count, offset in chains if count], np.int64)
    windows = _windows(data)
    # How many chains are at least this long, for each step.
    running = np.searchsorted(-lengths, -np.arange(1, lengths[0] + 1), side="right")
    together = int(np.count_nonzero(running >= NARROW))
    ecb = AES.new(key, AES.MODE_ECB)
    before = np.tile(np.frombuffer(iv, np.uint64), (len(lengths), 1))
    for number, count in enumerate(running[:together].tolist()):
        places = starts[:count] + number * step
        mixed = windows[places].view(np.uint64).reshape(-1, 2) ^ before[:count]
        done = ecb.encrypt(mixed.tobytes())
        windows[places] = np.frombuffer(done, windows.dtype)
        before[:count] = np.frombuffer(done, np.uint64).reshape(-1, 2)
    for chain in range(int(running[together]) if together < len(running) else 0):
        places = starts[chain] + np.arange(together, lengths[chain]) * step
        cbc = AES.new(key, AES.MODE_CBC, iv=before[chain].tobytes())
        windows[places] = np.frombuffer(cbc.encrypt(windows[places].tobytes()), windows.dtype)


def cbc_decrypt(data: bytearray, ranges: Sequence[Range], key: bytes, iv: bytes, *, pattern: bool) -> None:
    """Undo ``cbc_encrypt``."""
    step = (CRYPT_BLOCKS + SKIP_BLOCKS) * BLOCK if pattern else BLOCK
    counts = np.array([_count(item.size, step) for item in ranges], np.int64)
    starts = np.array([item.offset for item in ranges], np.int64)[counts > 0]
    counts = counts[counts > 0]
    if not len(counts):
        return
    first = np.cumsum(counts) - counts
    places = np.repeat(starts, counts) + (np.arange(int(counts.sum())) - np.repeat(first, counts)) * step
    windows = _windows(data)
    coded = windows[places]
    before = np.empty_like(coded)
    before[1:] = coded[:-1]
    before[first] = np.frombuffer(iv, windows.dtype)
    plain = np.frombuffer(AES.new(key, AES.MODE_ECB).decrypt(coded.tobytes()), np.uint64)
    windows[places] = (plain ^ before.view(np.uint64)).view(windows.dtype)


def _count(size: int, step: int) -> int:
    """Return how many whole blocks of a range are encrypted, one every ``step`` bytes."""
    return (size - BLOCK) // step + 1 if size >= BLOCK else 0


def _windows(data: bytearray) -> NDArray[np.void]:
    """Return a view that takes 16 bytes from any place."""
    return np.ndarray((len(data) - BLOCK + 1,), f"V{BLOCK}", buffer=data, strides=(1,))
