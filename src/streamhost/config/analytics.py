"""What can be set of the figures of what is watched."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class MetricsSettings(Section, frozen=True):
    """Who may read the figures of the running program at /metrics."""

    allow: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$", examples=["10.0.0.0/8"])], ...],
        Meta(
            description="Networks besides this machine that may read /metrics, such as that of Prometheus. A request "
            "that came through a proxy counts as the client's if the proxy is trusted, else as from elsewhere."
        ),
    ] = ()


class AnalyticsSettings(Section, frozen=True):
    """What is kept of how videos are watched."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether reports of players are kept at all. Without them there are no views, no history, and "
            "no recommendations by what was watched."
        ),
    ] = True
    keep_days: Annotated[
        float,
        Meta(
            gt=0,
            le=3650,
            description="Days for which single reports are kept, and what visitors without an account have watched. "
            "Sums by hour and day are kept for ever; they name nobody.",
        ),
    ] = 90.0
