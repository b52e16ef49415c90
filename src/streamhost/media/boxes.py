"""ISO base media file format boxes (ISO/IEC 14496-12), as bytes. Nothing here knows about files or codecs' packets."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from streamhost.model import languages

MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""The unity matrix (6.2.2): fixed point 16.16, the last column 2.30."""
SCREEN_DPI = 0x00480000
"""72 dpi as 16.16, which visual sample entries carry (12.1.3)."""


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box (4.2): size, four-character type, content."""
    size = 8 + sum(len(part) for part in parts)
    return b"".join((struct.pack(">I4s", size, kind), *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a box with version and flags (4.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def file_type(major: bytes, *compatible: bytes) -> bytes:
    """``ftyp`` (4.3)."""
    return box(b"ftyp", major, bytes(4), *compatible)


def segment_type(major: bytes, *compatible: bytes) -> bytes:
    """``styp`` (8.16.2)."""
    return box(b"styp", major, bytes(4), *compatible)


def movie_header(timescale: int) -> bytes:
    """``mvhd`` (8.2.2) of a fragmented movie: its duration is in the fragments."""
    return full_box(
        b"mvhd", 0, 0, struct.pack(">4I", 0, 0, timescale, 0), struct.pack(">IH10x", 0x10000, 0x100), MATRIX,
        bytes(24), struct.pack(">I", 2),
    )  # fmt: skip


def track_header(track_id: int, width: int, height: int, *, audible: bool) -> bytes:
    """``tkhd`` (8.3.2), enabled and in the movie; sizes in pixels, 0 for sound."""
    return full_box(
        b"tkhd", 0, 3, struct.pack(">5I", 0, 0, track_id, 0, 0), bytes(8),
        struct.pack(">hhhH", 0, 0, 0x100 if audible else 0, 0), MATRIX, struct.pack(">II", width << 16, height << 16),
    )  # fmt: skip


def edit_list(media_time: int) -> bytes:
    """``edts/elst`` (8.6.6) with one offset edit: the presentation starts at composition time ``media_time``.

    Duration 0 stands for all that the fragments hold (8.6.6.1).
    """
    return box(b"edts", full_box(b"elst", 1, 0, struct.pack(">IQqhh", 1, 0, media_time, 1, 0)))


def media_header(timescale: int, language: str | None) -> bytes:
    """``mdhd`` (8.4.2); the language packs three letters of ISO 639-2 into 15 bits, ``und`` if there is none."""
    packed = 0
    for letter in languages.three_letters(language):
        packed = packed << 5 | (ord(letter) - 0x60)
    return full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, timescale, 0, packed, 0))


def handler(kind: bytes, name: bytes) -> bytes:
    """``hdlr`` (8.4.3)."""
    return full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, kind), name, b"\0")


def media_information(media_specific_header: bytes, *sample_entries: bytes) -> bytes:
    """``minf`` (8.4.4) with a self-contained data reference and an empty sample table."""
    data_information = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    descriptions = full_box(b"stsd", 0, 0, struct.pack(">I", len(sample_entries)), *sample_entries)
    table = box(
        b"stbl", descriptions, full_box(b"stts", 0, 0, bytes(4)), full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)), full_box(b"stco", 0, 0, bytes(4)),
    )  # fmt: skip
    return box(b"minf", media_specific_header, data_information, table)


def video_header() -> bytes:
    """``vmhd`` (12.1.2)."""
    return full_box(b"vmhd", 0, 1, bytes(8))


def sound_header() -> bytes:
    """``smhd`` (12.2.2)."""
    return full_box(b"smhd", 0, 0, bytes(4))


def visual_sample_entry(kind: bytes, width: int, height: int, *extensions: bytes) -> bytes:
    """A ``VisualSampleEntry`` (12.1.3) with the boxes that configure its codec."""
    size = struct.pack(">6xH16xHH", 1, width, height)
    print_size = struct.pack(">II4xH32xHh", SCREEN_DPI, SCREEN_DPI, 1, 24, -1)
    return box(kind, size, print_size, *extensions)


def audio_sample_entry(kind: bytes, channels: int, sample_rate: int, *extensions: bytes) -> bytes:
    """An ``AudioSampleEntry`` (12.2.3); rates that do not fit 16 bits are 0 there, the codec's box has them."""
    rate = sample_rate if sample_rate < 1 << 16 else 0
    return box(kind, struct.pack(">6xH8xHH4xI", 1, channels, 16, rate << 16), *extensions)


def colour(primaries: int, transfer: int, matrix: int, *, full_range: bool) -> bytes:
    """``colr`` of type nclx (12.1.5); code points of ISO/IEC 23091-2."""
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, full_range << 7))


def square_pixels() -> bytes:
    """``pasp`` (12.1.4) with square pixels."""
    return box(b"pasp", struct.pack(">II", 1, 1))


def track_extends(track_id: int) -> bytes:
    """``mvex/trex`` (8.8.3); every default is said again in each fragment."""
    return box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", track_id, 1, 0, 0, 0)))


def walk(data: bytes, path: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the content of each box at ``path``, e.g. ``(b"moof", b"traf", b"tfdt")``; plain container boxes only."""
    offset = 0
    while offset + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, offset)
        if size < 8:
            return
        if kind == path[0]:
            content = data[offset + 8 : offset + size]
            if len(path) == 1:
                yield content
            else:
                yield from walk(content, path[1:])
        offset += size
