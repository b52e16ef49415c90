"""The few kinds of Protocol Buffers fields that an ONNX file needs, written. Pure.

Wire format: https://protobuf.dev/programming-guides/encoding/. Models are written on the instance, every night; the
package `onnx` would be a dependency of 20 MB for the few lines below. A test reads what they write with it.
"""

from __future__ import annotations

_VARINT, _LENGTH = 0, 2
_MORE = 0x80


def varint(value: int) -> bytes:
    """A whole number of at least 0, in groups of seven bits, the lowest first."""
    found = bytearray()
    while value >= _MORE:
        found.append(value & (_MORE - 1) | _MORE)
        value >>= 7
    found.append(value)
    return bytes(found)


def number(field: int, value: int) -> bytes:
    """A field that is a whole number or a choice."""
    return varint(field << 3 | _VARINT) + varint(value)


def content(field: int, value: bytes) -> bytes:
    """A field that is a message or bytes."""
    return varint(field << 3 | _LENGTH) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """A field that is a text."""
    return content(field, value.encode())
