"""Real SMTP servers for tests: ones that take mail, and ones that misbehave as asked."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.ports import free_port

HOST = "127.0.0.1"


class Mailbox:
    """What an SMTP server does with a message: keep it, unless told to answer something else.

    `answers` maps a command (`MAIL`, `RCPT`, `DATA`) to the replies that are given instead, one after the other.
    `unknown` are the addresses that have no mailbox here.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, list[str]] = {}
        self.unknown: set[str] = set()
        self.delay = 0.0
        self.encrypted: list[bool] = []
        self.signed_in: list[bool] = []

    def _answer(self, command: str) -> str | None:
        waiting = self.answers.get(command)
        return waiting.pop(0) if waiting else None

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Who sends."""
        if answer := self._answer("MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Who is to get it."""
        if answer := self._answer("RCPT"):
            return answer
        if address in self.unknown:
            return "550 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The message."""
        await asyncio.sleep(self.delay)
        if answer := self._answer("DATA"):
            return answer
        content = envelope.content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.extend(envelope.rcpt_tos)
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self.signed_in.append(bool(session.authenticated))
        return "250 Taken"


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The plain text of a mail, or its HTML."""
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


@asynccontextmanager
async def serving(
    mailbox: Mailbox,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    user: tuple[str, str] | None = None,
    port: int = 0,
    **options: Any,
) -> AsyncIterator[tuple[int, asyncio.Server]]:
    """A server in this event loop; its port. `user`: only this name and password may send."""

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == user, handled=False)

    def session() -> SMTP:
        if user:
            options.setdefault("auth_require_tls", starttls is not None)
            return SMTP(
                mailbox,
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=authenticate,
                auth_required=True,
                **options,
            )
        return SMTP(mailbox, tls_context=starttls, require_starttls=starttls is not None, **options)

    server = await asyncio.get_running_loop().create_server(session, HOST, port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], server
    finally:
        server.close()


@asynccontextmanager
async def misbehaving(
    behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncIterator[int]:
    """A server of bare sockets that does to every connection what the test says; its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Authority:
    """A certificate authority of our own, which mail servers of one's own have; `ca_file` is what trusts it."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.ca_file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)

    def server(self, name: str = HOST) -> ssl.SSLContext:
        """What a server that is called `name` presents."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert(name).configure_cert(context)
        return context


class MailServer:
    """An SMTP server in a thread of its own, for tests that block. Stop it, start it again on the same port."""

    def __init__(self, mailbox: Mailbox | None = None, **options: Any) -> None:
        self.mailbox = mailbox or Mailbox()
        self.port = 0
        self._options = options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> MailServer:
        """Take mail from now on."""
        self.port = self.port or free_port()
        ready = threading.Event()

        async def run() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            async with serving(self.mailbox, port=self.port, **self._options) as (self.port, _):
                ready.set()
                await self._over.wait()

        self._thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
        self._thread.start()
        assert ready.wait(150), "the mail server did not start"
        return self

    def stop(self) -> None:
        """Take no more."""
        assert self._loop and self._over and self._thread
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(150)

    def wait(self, number: int, seconds: float = 150, to: str = "") -> list[EmailMessage]:
        """The mails that have come (to that address), once there are so many."""
        deadline = time.monotonic() + seconds
        while len(found := [mail for mail in list(self.mailbox.mails) if to in mail["To"]]) < number:
            assert time.monotonic() < deadline, f"{len(found)} of {number} mails came"
            time.sleep(0.05)
        return found
