"""What can be set of the trash."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class TrashSettings(Section, frozen=True):
    """What becomes of videos that were moved to the trash."""

    days: Annotated[
        float,
        Meta(
            ge=0,
            le=3650,
            description="Days after which a video in the trash is deleted for good; until then it counts for the quota "
            "and can be restored. 0: there is no trash, and what would go there is deleted at once.",
        ),
    ] = 30.0
