"""What can be set of folders whose files become videos."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from streamhost.config.section import Section


class ImportSettings(Section, frozen=True):
    """Folders whose files become videos without an upload."""

    enabled: Annotated[bool, Meta(description="Whether the folders are watched.")] = True
    folders: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=4096)], ...],
        Meta(
            description="The folders, with everything below; relative ones lie in the data directory. With a policy of "
            "its own: link:/srv/films.",
            extra={"machine": True},
        ),
    ] = ("import",)
    policy: Annotated[
        Literal["move", "keep", "link"],
        Meta(
            description="What becomes of a file. move: it goes from its folder; keep: it stays and is copied, by "
            "sharing blocks where the file system can; link: it stays, and what is stored is a hard link to it, which "
            "uses no space (same file system only; files must then be replaced, not overwritten)."
        ),
    ] = "move"
    owner: Annotated[
        str,
        Meta(
            pattern=r"^([^@\s<>]+@[^@\s<>]+)?$",
            examples=["alice@example.org"],
            description="Address of the account whose videos they become; empty: the first administrator's. What lies "
            "in a subfolder named like the address of an account becomes that account's.",
        ),
    ] = ""
    visibility: Annotated[
        Literal["private", "unlisted", "public"],
        Meta(description="Who may watch, unless a file of details beside the video says otherwise."),
    ] = "private"
    folder_tags: Annotated[bool, Meta(description="Whether the names of subfolders become tags.")] = True
    settle_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="How long a file must stay unchanged before it counts as whole.")
    ] = 10.0
    watch: Annotated[
        Literal["auto", "poll"],
        Meta(
            description="How changes are noticed. auto: the system tells (inotify); poll: by searching every "
            "imports.poll_seconds, for network file systems, which tell nothing."
        ),
    ] = "auto"
    poll_seconds: Annotated[
        float, Meta(ge=1, le=86400, description="Seconds between two searches where imports.watch is poll.")
    ] = 60.0
    rescan_minutes: Annotated[
        float,
        Meta(ge=1, le=10080, description="Minutes after which everything is searched again, whatever was noticed."),
    ] = 60.0
    at_once: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Imported videos that are in the making at the same time; the others wait as files. Uploads "
            "go before all of them.",
        ),
    ] = 2
    on_change: Annotated[
        Literal["replace", "ignore"],
        Meta(
            description="When a kept or linked file gets other content: let it take the place of its video's, or not."
        ),
    ] = "replace"
    on_missing: Annotated[
        Literal["keep", "delete"],
        Meta(
            description="When a kept or linked file is gone for imports.missing_hours: keep its video, or delete it. "
            "When many are gone at once nothing is deleted: more likely a disk is not there."
        ),
    ] = "keep"
    missing_hours: Annotated[
        float, Meta(ge=0, le=8760, description="Hours after which a missing file counts as deleted.")
    ] = 24.0
