"""The boxes of Common Encryption (ISO/IEC 23001-7, clause 8; ISO/IEC 14496-12, 8.7 and 8.12), written and read back."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamhost.media import boxes
from streamhost.media.cenc import CRYPT_BLOCKS, SKIP_BLOCKS
from streamhost.model.protection import IV_SIZE, RenditionProtection, Scheme

COMMON_SYSTEM = bytes.fromhex("1077efecc0b24d02ace33c1e52e2fb4b")
"""The W3C common system id, whose ``pssh`` lists key ids and nothing else."""
SCHEME_VERSION = 0x00010000
SENC_SUBSAMPLES = 2
MOST_CLEAR = 0xFFFF
"""Clear bytes that one subsample can say; more take further ones."""
MOST_INFORMATION = 0xFF
"""Bytes of one sample's auxiliary information: ``saiz`` has eight bits for it."""
VISUAL_FIELDS, AUDIO_FIELDS = 78, 28
"""Bytes between a sample entry's head and the boxes inside it (14496-12, 12.1.3 and 12.2.3)."""

Subsamples = tuple[tuple[int, int], ...]
"""Clear and protected bytes in turn; empty where the whole sample is protected."""


def protected_entry(entry: bytes, facts: RenditionProtection, *, video: bool) -> bytes:
    """Return a sample entry as ``encv`` or ``enca``, its own type and the key id in ``sinf`` (14496-12, 8.12)."""
    sinf = boxes.box(
        b"sinf",
        boxes.box(b"frma", entry[4:8]),
        boxes.full_box(b"schm", 0, 0, struct.pack(">4sI", facts.scheme.encode(), SCHEME_VERSION)),
        boxes.box(b"schi", track_encryption(facts, video=video)),
    )
    return boxes.box(b"encv" if video else b"enca", entry[8:], sinf)


def track_encryption(facts: RenditionProtection, *, video: bool) -> bytes:
    """``tenc`` (8.2). A pattern of 0:0 is whole-block encryption of full samples, as ``cbcs`` wants sound (10.4)."""
    kid = bytes.fromhex(facts.kid(0))
    if facts.scheme is Scheme.CENC:
        return boxes.full_box(b"tenc", 0, 0, struct.pack(">BBBB", 0, 0, 1, IV_SIZE), kid)
    pattern = CRYPT_BLOCKS << 4 | SKIP_BLOCKS if video else 0
    iv = bytes.fromhex(facts.iv or "")
    return boxes.full_box(b"tenc", 1, 0, struct.pack(">BBBB", 0, pattern, 1, 0), kid, bytes([len(iv)]), iv)


def common_pssh(kids: Sequence[str]) -> bytes:
    """``pssh`` (8.1) of version 1 for the common system: the key ids."""
    ids = b"".join(map(bytes.fromhex, kids))
    return boxes.full_box(b"pssh", 1, 0, COMMON_SYSTEM, struct.pack(">I", len(kids)), ids, bytes(4))


@dataclass(frozen=True, slots=True)
class Information:
    """What a segment says about its samples: their vectors (``None`` where constant) and subsamples."""

    ivs: list[bytes] | None
    subsamples: list[Subsamples]

    def to_boxes(self, before: int) -> bytes:
        """Return ``saiz``, ``saio`` and ``senc`` (14496-12, 8.7.8 and 8.7.9; 23001-7, 7.2), ``before`` bytes into the
        ``moof``; nothing where there is nothing to say.
        """
        entries = self._entries()
        sizes = np.fromiter(map(len, entries), np.uint8, len(entries))
        if not sizes.any():
            return b""
        alike = bool((sizes == sizes[0]).all())
        table = struct.pack(">BI", sizes[0] if alike else 0, len(sizes)) + (b"" if alike else sizes.tobytes())
        saiz = boxes.full_box(b"saiz", 0, 0, table)
        flags = SENC_SUBSAMPLES if any(self.subsamples) else 0
        senc = boxes.full_box(b"senc", 0, flags, struct.pack(">I", len(entries)), *entries)
        saio_size = 20
        # Past the boxes themselves, and the head and count of `senc`.
        first = before + len(saiz) + saio_size + 16
        return saiz + boxes.full_box(b"saio", 0, 0, struct.pack(">II", 1, first)) + senc

    def _entries(self) -> list[bytes]:
        ivs = self.ivs or [b""] * len(self.subsamples)
        if not any(self.subsamples):
            return ivs
        return [
            b"".join((iv, struct.pack(">H", len(parts)), *(struct.pack(">HI", *part) for part in parts)))
            for iv, parts in zip(ivs, self.subsamples, strict=True)
        ]


def read_information(senc: bytes, count: int, *, with_ivs: bool) -> Information:
    """Read the content of a ``senc`` box. Raises ``ValueError`` if it does not fit ``count`` samples."""
    flags, stated = struct.unpack_from(">II", senc)
    if stated != count:
        raise ValueError(f"senc speaks of {stated} samples, there are {count}")
    at, ivs, subsamples = 8, [], []
    for _ in range(count):
        if with_ivs:
            ivs.append(senc[at : at + IV_SIZE])
            at += IV_SIZE
        parts: list[tuple[int, int]] = []
        if flags & SENC_SUBSAMPLES:
            (number,) = struct.unpack_from(">H", senc, at)
            parts = [struct.unpack_from(">HI", senc, at + 2 + 6 * place) for place in range(number)]
            at += 2 + 6 * number
        subsamples.append(tuple(parts))
    return Information(ivs if with_ivs else None, subsamples)


def clear_entry(entry: bytes, *, video: bool) -> bytes:
    """Undo ``protected_entry``: return the sample entry as it was before. Raises ``ValueError`` without ``sinf``."""
    fields = VISUAL_FIELDS if video else AUDIO_FIELDS
    at = 8 + fields
    while at + 8 <= len(entry):
        size, kind = struct.unpack_from(">I4s", entry, at)
        if size < 8:
            break
        if kind == b"sinf":
            (original,) = boxes.walk(entry[at : at + size], (b"sinf", b"frma"))
            return boxes.box(original, entry[8:at], entry[at + size :])
        at += size
    raise ValueError("a protected sample entry has no sinf")


def too_many(subsamples: Subsamples) -> bool:
    """Whether a sample's auxiliary information is longer than ``saiz`` can say."""
    return IV_SIZE + 2 + 6 * len(subsamples) > MOST_INFORMATION
