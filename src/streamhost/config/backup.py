"""What can be set of backups."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class BackupSettings(Section, frozen=True):
    """Backups that are made again and again while the server runs, and where `streamhost backup` puts them unless it is
    told."""

    to: Annotated[
        str,
        Meta(
            examples=["/srv/backups"],
            description="A folder, best on another disk, or s3://bucket/folder. Empty: no backups by themselves.",
            extra={"machine": True},
        ),
    ] = ""
    every_hours: Annotated[
        float, Meta(ge=0.25, le=8760, description="Hours between two backups that are made by themselves.")
    ] = 24.0
    keep: Annotated[
        int, Meta(ge=0, le=10_000, description="How many backups of this site are kept there; 0: all of them.")
    ] = 7
    media: Annotated[
        bool,
        Meta(
            description="Whether media is in the backups made by themselves: as hard links where the folder is on the "
            "same disk, else what has not changed since the last backup as links to that."
        ),
    ] = False
    passphrase: Annotated[
        str,
        Meta(
            description="What backups are encrypted with; empty: not at all. Keep it somewhere else too: nothing else "
            "opens them.",
            extra={"secret": True, "machine": True},
        ),
    ] = ""
    s3_endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s]+(/[^\s]*)?)?$",
            examples=["https://s3.example.org"],
            description="Address of the server behind s3://; empty: everything about it as in [storage].",
            extra={"machine": True},
        ),
    ] = ""
    s3_region: Annotated[str, Meta(description="Its region; empty: storage.s3_region.")] = ""
    s3_access_key_id: Annotated[str, Meta(description="Access key there; empty: the one of [storage].")] = ""
    s3_secret_access_key: Annotated[str, Meta(description="Secret of that access key.", extra={"secret": True})] = ""
