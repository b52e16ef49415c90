"""Matroska by hand (RFC 8794, RFC 9559): elements of any size, also of sizes that no writer would give them."""

from __future__ import annotations

EBML, DOC_TYPE = 0x1A45DFA3, 0x4282
SEGMENT, INFO, SCALE, DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
SEGMENT_UID, NEXT_UID, NEXT_FILE = 0x73A4, 0x3EB923, 0x3E83BB
TRACKS, TRACK, NUMBER, UID, KIND, CODEC, VIDEO, WIDTH, HEIGHT, DEFAULT_DURATION, AUDIO = (
    0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x83, 0x86, 0xE0, 0xB0, 0xBA, 0x23E383, 0xE1,
)  # fmt: skip
ENCODINGS, ENCODING, COMPRESSION, ALGORITHM = 0x6D80, 0x6240, 0x5034, 0x4254
CLUSTER, TIMESTAMP, SIMPLE_BLOCK = 0x1F43B675, 0xE7, 0xA3
TAGS, TAG, SIMPLE_TAG, TAG_NAME, TAG_TEXT = 0x1254C367, 0x7373, 0x67C8, 0x45A3, 0x4487
CHAPTERS, EDITION, CHAPTER, CHAPTER_UID, CHAPTER_START, CHAPTER_DISPLAY, CHAPTER_TEXT = (
    0x1043A770, 0x45B9, 0xB6, 0x73C4, 0x91, 0x80, 0x85,
)  # fmt: skip
ATTACHMENTS, ATTACHED, FILE_NAME, FILE_TYPE, FILE_DATA = 0x1941A469, 0x61A7, 0x466E, 0x4660, 0x465C
UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"
"""The size of an element that ends where its parent does."""


def element(kind: int, *parts: bytes, size: int | None = None) -> bytes:
    """An element; ``size`` is what it claims where that is not the truth."""
    body = b"".join(parts)
    length = (0x0100_0000_0000_0000 | (len(body) if size is None else size)).to_bytes(8, "big")
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + length + body


def number(kind: int, value: int) -> bytes:
    """An unsigned integer."""
    return element(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def track(index: int, codec: bytes, *parts: bytes, kind: int = 1, width: int = 96, height: int = 54) -> bytes:
    """A track entry: of video (1), sound (2) or subtitles (17)."""
    shape = element(VIDEO, number(WIDTH, width), number(HEIGHT, height)) if kind == 1 else b""
    return element(
        TRACK, number(NUMBER, index), number(UID, index), number(KIND, kind), element(CODEC, codec), shape, *parts
    )


def block(index: int, time: int, data: bytes) -> bytes:
    """A keyframe of a track, ``time`` milliseconds after its cluster."""
    return element(SIMPLE_BLOCK, bytes([0x80 | index]), time.to_bytes(2, "big"), b"\x80", data)


def cluster(time: int, *blocks: bytes) -> bytes:
    """Blocks from ``time`` milliseconds on."""
    return element(CLUSTER, number(TIMESTAMP, time), *blocks)


def file(*parts: bytes, info: bytes = b"") -> bytes:
    """A whole file."""
    return element(EBML, element(DOC_TYPE, b"matroska")) + element(
        SEGMENT, element(INFO, number(SCALE, 1_000_000), info), *parts
    )
