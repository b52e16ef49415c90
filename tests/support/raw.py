"""Pictures and sound that are hardly coded, with any header."""

from __future__ import annotations

import struct
import zlib


def y4m(width: int, height: int, rate: str, pictures: int = 2) -> bytes:
    """Raw pictures with a header in words; none of the pictures is there when they would be huge."""
    whole = width * height + 2 * (-(-width // 2) * -(-height // 2))
    picture = b"FRAME\n" + bytes(whole if whole < 1_500_000 else 1000)
    return f"YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg\n".encode() + picture * pictures


def gif(width: int, height: int, pictures: int = 1) -> bytes:
    """Pictures of one pixel on a screen of any size."""
    one = b"\x21\xf9\x04\x04\x01\x00\x00\x00" + b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff" + one * pictures + b";"


def png(width: int, height: int) -> bytes:
    """A picture that is black, and packed very small."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    rows = min(height, 4000)
    line = bytes(1 + width // 8)
    packed = b"".join(packer.compress(line) for _ in range(rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def wav(channels: int, rate: int, bits: int = 16, claimed: int = 48_000, kind: int = 1) -> bytes:
    """A second of silence with any header."""
    align = (channels * bits // 8) & 0xFFFF
    form = struct.pack("<HHIIHH", kind, channels, rate, (rate * align) & 0xFFFFFFFF, align, bits)
    data = bytes(96_000)
    return (
        b"RIFF"
        + struct.pack("<I", min(claimed + 36, 0xFFFFFFFF))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", claimed)
        + data
    )
