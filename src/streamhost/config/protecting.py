"""What can be set of protected videos."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class ProtectionSettings(Section, frozen=True):
    """How protected videos are encrypted."""

    key_source: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9-]{0,31}$",
            examples=["local"],
            description="Where the content keys of new packages come from: local: made here, kept wrapped in the "
            "catalog; or the name of a plugin's. Packages keep the keys that they were made with.",
        ),
    ] = "local"
    rotate_segments: Annotated[
        int,
        Meta(
            ge=0,
            le=10_000,
            description="Under aes-128, take another key after so many segments; 0: one key for the pictures and one "
            "for each sound. Counts for packages that are made from now on.",
        ),
    ] = 0
    clear_lead_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Under cenc and cbcs, leave the first seconds in the clear, so that playing starts before the "
            "licence is there. Whoever has a link to these segments sees them without a key.",
        ),
    ] = 0.0
