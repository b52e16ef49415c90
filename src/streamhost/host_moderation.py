"""The room of moderation, and what it hears from others. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

from streamhost.features.models import Models
from streamhost.features.moderation import Moderation, moderation_of
from streamhost.features.transcoding import Others
from streamhost.host_basis import Basis
from streamhost.model.grants import Grants
from streamhost.plugins.gates import Gates
from streamhost.plugins.shapes import Shapes
from streamhost.ports import Storage


def moderating(basis: Basis, storage: Storage, models: Models, grants: Grants) -> Moderation:
    """Moderation of an instance."""
    wanted, ended = basis.settings.moderation, grants.revocations.learn
    return moderation_of(wanted, basis.db, basis.queue, storage, basis.clock, models, basis.work, ended)


def others_of(shapes: Shapes, gates: Gates, moderation: Moderation) -> Others:
    """Who else has a say in the making of videos, or hears of it."""
    screening = moderation.screening
    return Others(shapes.ladder, gates.publish, screening.made, screening.holds, screening.replaced, screening.reworded)
