"""JSON for the types of ``streamhost.model.streaming`` and ``streamhost.media.tasks``: exact both ways.

Fractions travel as ``"30000/1001"``, segments as three-number arrays.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def dumps(value: object) -> bytes:
    """Return ``value`` as compact UTF-8 JSON."""
    return msgspec.json.encode(value, enc_hook=_encode)


def loads(data: bytes | str, kind: type[T]) -> T:
    """Read one ``kind`` from JSON. Raises ``msgspec.ValidationError`` when the data does not fit."""
    return msgspec.json.decode(data, type=kind, dec_hook=_decode)


def builtins(value: object) -> Any:
    """Return ``value`` as plain dicts, lists, strings and numbers, ready for any JSON writer."""
    return msgspec.to_builtins(value, enc_hook=_encode)


def convert(value: object, kind: type[T]) -> T:
    """Read one ``kind`` from what ``builtins`` returned. Raises ``msgspec.ValidationError``."""
    return msgspec.convert(value, kind, dec_hook=_decode)


def _encode(value: object) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _decode(kind: type, value: object) -> Fraction:
    if kind is Fraction and isinstance(value, str):
        return Fraction(value)
    raise TypeError(f"no {kind.__name__} in JSON")
