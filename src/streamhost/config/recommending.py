"""What can be set of recommendations."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section

MIB = 1024**2


class RecommendationSettings(Section, frozen=True):
    """What is proposed to people, and how."""

    personal: Annotated[
        bool,
        Meta(
            description="Whether proposals depend on what somebody watched. Off: everybody gets what is popular, new "
            "and like the video at hand, and no model is trained. Each viewer can also choose that for themselves."
        ),
    ] = True
    sources: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$", examples=["model"])], ...],
        Meta(
            description="Who proposes: model, watched, viewers, words, creators, popular, new, and names of plugins'. "
            "Empty: all of them."
        ),
    ] = ()
    graph: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9-]{0,31}$",
            examples=["catalog"],
            description="Where it is kept who watches the same: catalog, or the name of a plugin's store.",
        ),
    ] = "catalog"
    cache_minutes: Annotated[
        float, Meta(ge=0, le=1440, description="How long a list is kept before it is worked out anew, in minutes.")
    ] = 60.0
    patience: Annotated[
        float,
        Meta(gt=0, le=10, description="Seconds that each source has; a list is made without those that take longer."),
    ] = 0.5
    chance: Annotated[
        float,
        Meta(ge=0, le=0.5, description="Share of a list that is drawn by lot among videos that few have watched."),
    ] = 0.1
    train: Annotated[bool, Meta(description="Whether the server trains the model every night.")] = True
    memory: Annotated[int, Meta(ge=512 * MIB, description="Address space of the process that trains, in bytes.")] = (
        8192 * MIB
    )
    most_videos: Annotated[
        int,
        Meta(
            ge=100,
            le=50_000,
            description="Videos that the model learns, the most watched ones. Training takes four bytes of memory for "
            "each pair of them, and half as much again.",
        ),
    ] = 20_000
