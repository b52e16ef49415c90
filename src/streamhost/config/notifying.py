"""What can be set of notifications and webhooks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class NotificationSettings(Section, frozen=True):
    """What people are told of, and how often."""

    mail_minutes: Annotated[
        float,
        Meta(
            ge=0,
            le=1440,
            description="Least time between two mails of notices to one person, in minutes. The first is sent at once, "
            "what follows sooner comes together in the next.",
        ),
    ] = 15.0
    keep_days: Annotated[
        float, Meta(gt=0, le=3650, description="Days for which notices stay under the bell, read or not.")
    ] = 90.0
    disk_low: Annotated[
        int,
        Meta(
            ge=0,
            description="Bytes of free disk below which administrators are warned, once until there is room again.",
        ),
    ] = 5 * 1024**3
    quota_percent: Annotated[
        int, Meta(ge=1, le=100, description="Share of a quota from which on its owner is warned, in per cent.")
    ] = 90
    site_kinds: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z_]{1,60}$", examples=["video_processed"])], ...],
        Meta(
            description="Events that channels are told of which reach nobody in particular, such as a chat room of a "
            "plugin, or the console."
        ),
    ] = ("video_failed", "disk_low", "user_registered")
    console: Annotated[bool, Meta(description="Print the events of site_kinds where the server runs.")] = False


class WebhookSettings(Section, frozen=True):
    """How other programs are told of events."""

    allow: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$", examples=["192.168.1.0/24"])], ...],
        Meta(
            description="Networks besides the public internet that webhooks may go to, also by plain http. Everything "
            "private, this machine and the addresses of clouds' own services are refused unless they stand here.",
            extra={"machine": True},
        ),
    ] = ()
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=50, description="How long an endpoint may take for one delivery, in seconds.")
    ] = 15.0
    disable_days: Annotated[
        float,
        Meta(gt=0, le=365, description="Days for which an endpoint may fail before it is switched off."),
    ] = 5.0
    ca_file: Annotated[
        str, Meta(description="File (PEM) of authorities to trust besides the system's; for endpoints of your own.")
    ] = ""
