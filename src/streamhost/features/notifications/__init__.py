"""Notifications: who is told of what has happened, and how: the bell, mail, webhooks, and channels of plugins."""

from streamhost.features.notifications.disk import EVERY as DISK_EVERY
from streamhost.features.notifications.disk import DiskWatch
from streamhost.features.notifications.email import EmailNotifier
from streamhost.features.notifications.in_app import MAX_PAGE, InAppNotifier, News
from streamhost.features.notifications.preferences import Choices, KindChoice
from streamhost.features.notifications.room import Notifications, Site, Ways
from streamhost.features.notifications.sealing import Sealer
from streamhost.features.notifications.webhooks import Webhooks, WebhookStatus
from streamhost.features.notifications.writing import WrittenMail

__all__ = [
    "DISK_EVERY",
    "MAX_PAGE",
    "Choices",
    "DiskWatch",
    "EmailNotifier",
    "InAppNotifier",
    "KindChoice",
    "News",
    "Notifications",
    "Sealer",
    "Site",
    "Ways",
    "WebhookStatus",
    "Webhooks",
    "WrittenMail",
]
