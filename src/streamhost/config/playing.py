"""How videos are played, here and on other sites' pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class PlaybackSettings(Section, frozen=True):
    """How videos are played."""

    grant_minutes: Annotated[
        float, Meta(gt=0, le=10080, description="Life of a permission to play, in minutes; players renew it.")
    ] = 240.0
    streams_per_user: Annotated[
        int,
        Meta(
            ge=0,
            description="Videos that one user may play at the same time, unless an admin set another number for them; "
            "0: any number.",
        ),
    ] = 0
    embed_origins: Annotated[
        tuple[
            Annotated[
                str, Meta(pattern=r"^(\*|https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?)$", examples=["*"])
            ],
            ...,
        ],
        Meta(
            description="Web sites whose pages may show videos of this site in a frame (/embed/…): * for all, none for "
            "this site alone. Private videos are shown nowhere; a video that names sites of its own is shown on those."
        ),
    ] = ("*",)
