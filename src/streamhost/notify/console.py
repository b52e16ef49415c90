"""Mail and notices for whoever runs the server: they are printed. A site without a mail server has its links so."""

from __future__ import annotations

import asyncio
import threading
from typing import TextIO

from streamhost.model.clock import iso
from streamhost.model.mail import Message
from streamhost.model.notices import AddressAsked, Notice
from streamhost.model.words import one_line
from streamhost.ports import MailUnavailable, NotifyUnavailable

RULE = "-" * 72


class ConsoleMailSender:
    """Prints messages as text. Nothing leaves the machine."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._turn = threading.Lock()

    async def send(self, message: Message) -> None:
        """Print one message; raises `MailUnavailable` when nobody can read it."""
        lines = (RULE, f"To: {message.recipient}", f"Subject: {message.subject}", "", message.text.rstrip(), RULE, "")
        try:
            await asyncio.to_thread(self._print, "\n".join(lines))
        except (OSError, ValueError) as error:
            raise MailUnavailable(f"The console takes no text: {error}.") from error

    def _print(self, text: str) -> None:
        """In a thread: a terminal or pipe that nobody reads blocks."""
        with self._turn:
            self._out.write(text)
            self._out.flush()


class ConsoleNotifier:
    """Prints notices as lines of text, for a terminal or the journal of the system."""

    asks: AddressAsked | None = None

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._turn = threading.Lock()

    async def send(self, notice: Notice) -> None:
        """Print one notice; raises `NotifyUnavailable` when nobody can read it."""
        recipient = f" (to {notice.recipient.name})" if notice.recipient else ""
        words = [notice.title, notice.text, notice.link]
        line = one_line(" ".join(part for part in words if part))
        try:
            await asyncio.to_thread(
                self._print, f"{iso(notice.at)} notice {notice.id} [{notice.kind}]{recipient}: {line}\n"
            )
        except (OSError, ValueError) as error:
            raise NotifyUnavailable(f"The console takes no text: {error}.") from error

    def _print(self, text: str) -> None:
        """In a thread: a terminal or pipe that nobody reads blocks."""
        with self._turn:
            self._out.write(text)
            self._out.flush()
