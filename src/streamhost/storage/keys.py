"""The form of storage keys; every backend checks it before it looks anywhere."""

from __future__ import annotations

import re

from streamhost.ports import InvalidKey

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}"
_KEY = re.compile(rf"{_PART}(?:/{_PART})*")
_PREFIX = re.compile(rf"(?:{_PART}/)+")
_LENGTH = 1000
"""S3 allows 1,024 bytes; some is left for a prefix that a backend puts in front."""


def check_key(key: str) -> str:
    """`key` itself. Raises `InvalidKey` unless it is a relative path of plain parts."""
    if len(key) > _LENGTH or not _KEY.fullmatch(key):
        raise InvalidKey(repr(key[:_LENGTH]))
    return key


def check_prefix(prefix: str, *, empty: bool = False) -> str:
    """`prefix` itself. Raises `InvalidKey` unless it is plain parts, each with its slash; `empty`: or nothing."""
    if (prefix or not empty) and (len(prefix) > _LENGTH or not _PREFIX.fullmatch(prefix)):
        raise InvalidKey(repr(prefix[:_LENGTH]))
    return prefix
