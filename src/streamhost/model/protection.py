"""How a package's segments are encrypted, and under which keys.

Two kinds of facts are kept apart. ``Protecting`` holds the secrets: it travels with a media task through the child's
standard input, and nowhere else. ``RenditionProtection`` is what everybody may know and manifests need to say; it
stands in the catalog with the rendition.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

BLOCK = 16
"""Bytes of a key, a key id and an AES block."""
IV_SIZE = 8
"""Bytes of a sample's initialization vector under ``cenc``; the block counter takes the other eight."""
MOST_PLACES = 1 << 16
"""Renditions that may share a key under ``cenc``: two of the eight bytes tell them apart."""


class Scheme(StrEnum):
    """How segments are encrypted."""

    AES_128 = "aes-128"
    """Whole files by AES-128-CBC with PKCS #7 padding (RFC 8216, 4.3.2.4). HLS alone."""
    CENC = "cenc"
    """Samples by AES-CTR (ISO/IEC 23001-7, 10.1)."""
    CBCS = "cbcs"
    """Samples by AES-CBC, one block in ten of the pictures (ISO/IEC 23001-7, 10.4)."""

    @property
    def common(self) -> bool:
        """Whether it is one of the schemes of Common Encryption, which encrypt samples, not files."""
        return self is not Scheme.AES_128


@dataclass(frozen=True, slots=True)
class ContentKey:
    """One key: ``kid`` and ``key`` as 32 lower-case hex digits. ``repr`` does not show the key.

    ``iv``, also 32 digits, is the constant initialization vector under ``cbcs``; ``None`` for the other schemes.
    Raises ``ValueError`` for anything else, without saying what was given.
    """

    kid: str
    key: str = field(repr=False)
    iv: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("kid", self.kid), ("key", self.key), ("iv", self.iv)):
            if value is not None and not _is_hex(value):
                raise ValueError(f"the {name} of a content key is not 32 lower-case hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Protecting:
    """How to encrypt a package, with the keys.

    Keys are made anew for every package, so nothing is ever encrypted twice under one key. ``video`` and ``audio`` each
    hold one key under ``cenc`` and ``cbcs``. Under AES-128 the keys follow each other every ``rotate_every`` segments
    (0: the first one is the only one), again from the first after the last.
    ``names`` are all renditions that the package may have, in an order that never changes for it: a rendition's place
    there goes into its initialization vectors, so that renditions may share a key.
    Segments that start within the first ``clear_lead`` seconds stay clear. ``pssh`` are whole boxes as hex, for the
    header beside the common one (ISO/IEC 23001-7, 8.1).
    """

    scheme: Scheme
    video: tuple[ContentKey, ...]
    audio: tuple[ContentKey, ...]
    names: tuple[str, ...] = ()
    rotate_every: int = 0
    clear_lead: float = 0.0
    pssh: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for keys in (self.video, self.audio):
            if not keys or (self.scheme.common and len(keys) != 1):
                raise ValueError(f"{self.scheme} does not work with {len(keys)} keys for a kind of track")
            if self.scheme is Scheme.CBCS and any(key.iv is None for key in keys):
                raise ValueError("cbcs needs an initialization vector with each key")
        if len(self.names) > MOST_PLACES or len(set(self.names)) < len(self.names):
            raise ValueError("the names of renditions must differ, and be at most 65536")
        if self.rotate_every < 0 or self.clear_lead < 0:
            raise ValueError("rotate_every and clear_lead cannot be negative")

    def naming(self, names: tuple[str, ...]) -> Protecting:
        """Return the same for a package with these renditions."""
        return replace(self, names=names)


@dataclass(frozen=True, slots=True)
class RenditionProtection:
    """What everybody may know of how a rendition is encrypted. No secret.

    ``kids`` in the order of rotation; ``iv`` is the constant one of ``cbcs``. Segments that start before
    ``clear_until`` ticks are clear.
    """

    scheme: Scheme
    kids: tuple[str, ...]
    iv: str | None = None
    rotate_every: int = 0
    clear_until: int = 0
    pssh: tuple[str, ...] = ()

    def kid(self, number: int) -> str:
        """Return the key id of the segment with this number, counted from 0."""
        return self.kids[number // self.rotate_every % len(self.kids)] if self.rotate_every else self.kids[0]

    def is_clear(self, start: int) -> bool:
        """Whether the segment that starts at ``start`` ticks is in the clear lead."""
        return start < self.clear_until


def file_iv(kid: str, rendition: str, name: str) -> bytes:
    """Return the initialization vector of one file under AES-128: 16 bytes of SHA-256 over key id, rendition and name.

    It differs for every file under a key, and is said in the playlist (RFC 8216, 5.2).
    """
    return sha256(f"{kid}/{rendition}/{name}".encode()).digest()[:BLOCK]


def system_of(box: bytes) -> UUID:
    """Return the id of the key system that a ``pssh`` box is for (ISO/IEC 23001-7, 8.1)."""
    return UUID(bytes=box[12:28])


def _is_hex(value: str) -> bool:
    return len(value) == 2 * BLOCK and set(value) <= set("0123456789abcdef")
