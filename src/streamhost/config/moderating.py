"""What can be set of moderation."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from streamhost.config.section import Section


class ModerationSettings(Section, frozen=True):
    """Who may be watched by others before anybody has looked, and what models may decide."""

    profile: Annotated[
        Literal["", "private-home", "community", "public"],
        Meta(
            description="What the site is for. private-home: whoever may upload is trusted, nothing is screened; "
            "community: what creators upload is screened first; public: likewise, with lower lines, and only "
            "administrators are trusted. Empty: what was chosen at the set-up or among the pages for administrators, "
            "and private-home before that."
        ),
    ] = ""
    trusted: Annotated[
        Literal["profile", "nobody", "admin", "moderator", "creator"],
        Meta(
            description="The least role whose uploads are approved unseen; profile: as the profile says (creator in "
            "private-home, moderator in community, admin in public)."
        ),
    ] = "profile"
    publish: Annotated[
        Literal["profile", "screen-first", "publish-then-screen"],
        Meta(
            description="screen-first: others may watch once a video is approved; publish-then-screen: at once, until "
            "something is found. profile: as the profile says, which is screen-first in all of them."
        ),
    ] = "profile"
    lines: Annotated[
        tuple[
            Annotated[
                str,
                Meta(
                    pattern=r"^(nudity|gore|fights|weapons|toxicity):(0(\.[0-9]{1,4})?|1(\.0{1,4})?):"
                    r"(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$",
                    examples=["nudity:0.5:0.7"],
                ),
            ],
            ...,
        ],
        Meta(
            description="Lines of one's own, as what is looked for:medium:high. From medium on a person looks, from "
            "high on pictures are rejected without one. What is not named has the lines of its models."
        ),
    ] = ()
    not_screened: Annotated[
        tuple[Literal["nudity", "gore", "fights", "weapons", "toxicity"], ...],
        Meta(description="What nobody is to look for; videos say that it was not screened."),
    ] = ()
    most_frames: Annotated[
        int, Meta(ge=10, le=5000, description="Frames of one video that models look at, spread over its length.")
    ] = 1200
    evidence_days: Annotated[
        int,
        Meta(
            ge=1,
            le=36500,
            description="How long pictures and words that spoke against a video are kept: after the newest verdict "
            "about a video that is deleted, and of older verdicts about one that is not.",
        ),
    ] = 180
