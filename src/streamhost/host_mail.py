"""Joins the mail room to the rest of the house; called by `host.assemble` alone."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from streamhost.config import InvalidSettings, Settings
from streamhost.db.core import Connection
from streamhost.features.mail import Mail, Writer
from streamhost.features.plugging import ShapingMailSender
from streamhost.host_basis import Basis
from streamhost.model.branding import Brand
from streamhost.model.mail import Message
from streamhost.model.tasks import SendMail
from streamhost.notify.console import ConsoleMailSender
from streamhost.notify.smtp import From, SmtpMailSender, SmtpServer
from streamhost.ports import MailSender


def mail_of(
    basis: Basis,
    dead: Callable[[Connection, str], Awaitable[None]],
    shape: Callable[[Message], Awaitable[Message]],
) -> Mail:
    """The mail room with the sender that the settings name. `dead` hears of letters that were given up, `shape` may
    change every message.

    Raises `InvalidSettings`."""
    settings = basis.settings
    sender: MailSender = smtp_of(settings, basis.brand) if settings.mail.host else ConsoleMailSender(sys.stdout)
    sender = ShapingMailSender(sender, shape)
    writer = Writer(basis.brand, settings.server.public_url)
    mail = Mail(
        basis.db,
        basis.queue,
        sender,
        basis.clock,
        writer,
        configured=bool(settings.mail.host),
        dead=dead,
        sender_of=lambda wanted: smtp_of(wanted, basis.brand),
    )
    basis.queue.on_failed(SendMail, mail.gave_up)
    return mail


def smtp_of(settings: Settings, brand: Brand | None = None) -> SmtpMailSender:
    """What hands mail to the server of the settings, where one is set, in the name of `brand`, else of the settings.
    Raises `InvalidSettings`."""
    smtp, home = settings.mail, settings.server.public_url
    if not smtp.sender and not home:
        raise InvalidSettings("mail.sender: mail.host needs it, unless server.public_url is set.")
    address = smtp.sender or f"noreply@{urlsplit(home).hostname}"
    server = SmtpServer(
        smtp.host, smtp.port, smtp.security, smtp.username, smtp.password, smtp.timeout_seconds, smtp.ca_file
    )
    try:
        name = settings.server.site_name
        return SmtpMailSender(server, From(address, name), (lambda: brand.name) if brand else None)
    except (OSError, ssl.SSLError) as error:
        raise InvalidSettings(f"mail.ca_file: {smtp.ca_file}: {error}") from error
