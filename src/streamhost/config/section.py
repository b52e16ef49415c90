"""The base of every group of settings."""

from __future__ import annotations

from msgspec import Struct


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """One table of `streamhost.toml`."""
