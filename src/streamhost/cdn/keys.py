"""What may go to a CDN: files of packaged sets, by the form of their keys."""

from __future__ import annotations

import re

from streamhost.ports import CdnRefused

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"
_OBJECT = re.compile(rf"videos/[A-Za-z0-9]{{1,64}}/[A-Za-z0-9]{{1,64}}/(?:{_PART}/){{0,4}}{_PART}")
_PREFIX = re.compile(rf"videos/[A-Za-z0-9]{{1,64}}/(?:{_PART}/){{0,6}}")


def check_object(key: str) -> str:
    """`key` itself. Raises `CdnRefused` unless it is that of a file in a packaged set."""
    if not _OBJECT.fullmatch(key):
        raise CdnRefused("That is no object of a video.")
    return key


def check_prefix(prefix: str) -> str:
    """`prefix` itself. Raises `CdnRefused` unless it lies within one video: nobody drops everything by mistake."""
    if not _PREFIX.fullmatch(prefix):
        raise CdnRefused("That is no folder of a video.")
    return prefix
