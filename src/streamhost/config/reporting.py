"""What can be set of reports by viewers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class ReportSettings(Section, frozen=True):
    """How viewers report videos."""

    anonymous: Annotated[
        bool, Meta(description="Whether somebody without an account may report what they can watch.")
    ] = False
    per_hour: Annotated[
        int, Meta(ge=1, le=1000, description="Reports that one account, or one network without, may send in an hour.")
    ] = 10
