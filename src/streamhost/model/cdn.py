"""Delivery networks: how viewers come to one, and how far the copies of a video there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, VideoId


class Way(StrEnum):
    """How a viewer comes to the bytes of a segment."""

    DIRECT = "direct"
    """This server sends them itself."""
    REDIRECT = "redirect"
    """This server checks the grant, then sends the player on to an address at the CDN that is good for a while."""
    GRANT = "grant"
    """Players go to the CDN with their grant, and the CDN asks this server whether it still counts."""


class SyncState(StrEnum):
    """How far the copies of a video at the CDN are."""

    NONE = "none"
    """It fetches what viewers ask for; nothing was brought there ahead of them."""
    PENDING = "pending"
    SYNCED = "synced"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CdnSync:
    """What is known of one video's copies. `objects` is how many were brought there, `cause` why it failed."""

    video_id: VideoId
    state: SyncState
    package_id: PackageId | None = None
    objects: int = 0
    cause: str = ""
    updated_at: Timestamp = 0.0


class Onward(NamedTuple):
    """Where to send somebody for an object, and for how many seconds they may remember it."""

    url: str
    max_age: int


def shared_expiry(now: Timestamp, window: float) -> Timestamp:
    """When an address made now is to end: the same moment for everybody who asks within one `window` of seconds, at
    least one window away and at most two. So everybody gets the same address, and caches hold one copy."""
    return (now // window + 2) * window
