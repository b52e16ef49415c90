"""The contract of the mail port, run on every implementation."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator

import pytest

from streamhost.features.plugging import ShapingMailSender
from streamhost.model.mail import Message
from streamhost.notify.console import RULE, ConsoleMailSender
from streamhost.notify.smtp import From, SmtpMailSender, SmtpServer
from streamhost.ports import MailSender
from streamhost.testing.mail_contract import MailSenderContract, PostOffice, Received
from tests.support.smtp import HOST, Mailbox, serving, text_of


async def as_it_is(given: Message) -> Message:
    """What a plugin leaves alone."""
    return given


class Console:
    """A terminal that remembers what was printed."""

    def __init__(self) -> None:
        self._out = io.StringIO()
        self.sender: MailSender = ConsoleMailSender(self._out)

    def received(self) -> list[Received]:
        """The messages, cut out of the text."""
        form = re.compile(rf"{RULE}\nTo: ([^\n]*)\nSubject: ([^\n]*)\n\n(.*?)\n{RULE}\n", re.DOTALL)
        return [Received(*found.groups()) for found in form.finditer(self._out.getvalue())]

    def close(self) -> None:
        """Nobody looks any more."""
        self._out.close()


class TestConsoleMailSender(MailSenderContract):
    """`ConsoleMailSender`."""

    @pytest.fixture
    def post_office(self) -> PostOffice:
        """A terminal."""
        return Console()


class ShapedOffice(Console):
    """The same with plugins before it, which leave everything as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.sender = ShapingMailSender(self.sender, as_it_is)


class TestShapingMailSender(MailSenderContract):
    """`ShapingMailSender`."""

    @pytest.fixture
    def post_office(self) -> PostOffice:
        """Before a terminal."""
        return ShapedOffice()


class TestSmtpMailSender(MailSenderContract):
    """`SmtpMailSender`."""

    @pytest.fixture
    async def post_office(self) -> AsyncIterator[PostOffice]:
        """A mail server on this machine."""
        mailbox = Mailbox()
        async with serving(mailbox) as (port, server):
            smtp = SmtpServer(HOST, port, "none", timeout=150)

            class Office:
                sender = SmtpMailSender(smtp, From("video@example.org", "Film club"))

                def received(self) -> list[Received]:
                    pairs = zip(mailbox.recipients, mailbox.mails, strict=True)
                    return [Received(to, str(mail["Subject"]), text_of(mail)) for to, mail in pairs]

                def close(self) -> None:
                    server.close()

            yield Office()
