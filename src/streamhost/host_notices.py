"""Joins the room of notifications to the rest of the house; called by `host.assemble` alone."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping

from streamhost import __version__
from streamhost.config import InvalidSettings
from streamhost.db.core import Connection
from streamhost.features.mail import Mail
from streamhost.features.notifications import DISK_EVERY, DiskWatch, Notifications, Sealer, Site, Ways, WrittenMail
from streamhost.host_basis import Basis
from streamhost.instance import Purpose
from streamhost.jobs.schedule import Periodic, every
from streamhost.jobs.worker import Handler
from streamhost.model.clock import DAY, MINUTE
from streamhost.model.notices import EMAIL, IN_APP
from streamhost.model.tasks import CheckDisk, DeliverNotice, MailNotices, SweepNotices, Task
from streamhost.notify.addresses import AddressGuard
from streamhost.notify.console import ConsoleNotifier
from streamhost.notify.posting import Poster
from streamhost.ports import Notifier, Storage

TEMPLATES_FOLDER = "templates/mail"
"""Where a site may put templates of its own, in the data directory."""
RESERVED = frozenset({IN_APP, EMAIL, "webhook", "console"})
"""Channels that no plugin may bring."""
PLACES = 8
"""Deliveries to other people's servers at the same time: they wait, and cost next to nothing."""


def notifications_of(basis: Basis, mail: Mail, home: str, notifiers: Mapping[str, Notifier]) -> Notifications:
    """The room, with the channels that plugins bring. Raises `InvalidSettings`."""
    telling, hooks = basis.settings.notifications, basis.settings.webhooks

    async def posts(conn: Connection, to: str, written: WrittenMail) -> None:
        await mail.post(conn, to, written.subject, written.text, written.html, written.unsubscribe)

    try:
        guard = AddressGuard(hooks.allow)
    except ValueError as error:
        raise InvalidSettings(f"webhooks.allow: {error}") from error
    try:
        poster = Poster(guard, hooks.timeout_seconds, hooks.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InvalidSettings(f"webhooks.ca_file: {hooks.ca_file}: {error}") from error
    if taken := RESERVED & notifiers.keys():
        raise InvalidSettings(f"A plugin brings a channel that is here already: {', '.join(sorted(taken))}.")
    channels = dict(notifiers)
    if telling.console:
        channels["console"] = ConsoleNotifier(sys.stdout)
    return Notifications(
        basis.db,
        basis.queue,
        basis.clock,
        Site(basis.brand, home, basis.data / TEMPLATES_FOLDER),
        Ways(
            posts=posts,
            poster=poster,
            agent=f"streamhost/{__version__}",
            mail_gap=telling.mail_minutes * MINUTE,
            patience=hooks.disable_days * DAY,
            kept=telling.keep_days * DAY,
            notifiers=channels,
            site_kinds=telling.site_kinds,
        ),
        Sealer(basis.instance.keys.ring(Purpose.WEBHOOKS)),
        basis.instance.keys.derive_first(Purpose.UNSUBSCRIBING),
    )


def notice_work(
    basis: Basis, storage: Storage, room: Notifications
) -> tuple[Mapping[type[Task], Handler], list[Periodic]]:
    """The jobs of the room, and what comes again and again."""
    low, free = basis.settings.notifications.disk_low, basis.settings.uploads.keep_free
    disk = DiskWatch(basis.db, basis.queue, basis.clock, storage, basis.data, low, free)
    basis.queue.on_failed(DeliverNotice, room.gave_up)
    handlers: Mapping[type[Task], Handler] = {
        DeliverNotice: room.outgoing.deliver,
        MailNotices: room.email.post,
        SweepNotices: room.sweep,
        CheckDisk: disk.check,
    }
    return handlers, [every(DISK_EVERY, CheckDisk()), every(DAY, SweepNotices())]
