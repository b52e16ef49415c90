"""The room of moderation, and what it hears from others. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

from streamhost.config import Settings
from streamhost.db.core import Database
from streamhost.features.models import Models
from streamhost.features.moderation import Moderation, moderation_of
from streamhost.features.transcoding import Others
from streamhost.instance import Instance
from streamhost.jobs.queue import Queue
from streamhost.model.clock import Clock
from streamhost.model.grants import Grants
from streamhost.plugins.gates import Gates
from streamhost.plugins.shapes import Shapes
from streamhost.ports import Storage


def moderating(
    settings: Settings,
    instance: Instance,
    db: Database,
    queue: Queue,
    storage: Storage,
    clock: Clock,
    models: Models,
    grants: Grants,
    work: str,
) -> Moderation:
    """Moderation of an instance; `work` is the name of the folder for files in the making."""
    return moderation_of(
        settings.moderation, db, queue, storage, clock, models, instance.data / work, grants.revocations.revoke
    )


def others_of(shapes: Shapes, gates: Gates, moderation: Moderation) -> Others:
    """Who else has a say in the making of videos, or hears of it."""
    screening = moderation.screening
    return Others(shapes.ladder, gates.publish, screening.made, screening.holds, screening.replaced, screening.reworded)
