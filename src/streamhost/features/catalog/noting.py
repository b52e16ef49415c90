"""Writes down what is done to videos by others than their owners."""

from __future__ import annotations

from streamhost.db import audit as audit_rows
from streamhost.db.core import Connection
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import Timestamp
from streamhost.model.videos import Video


async def note(conn: Connection, at: Timestamp, act: Act, video: Video, by: Actor, **details: str) -> None:
    """Write down what was done to a video, unless its owner has done it."""
    if by.id != video.owner_id:
        await audit_rows.about_video(conn, at, act, video, by, details)
