"""Mail for a site without a mail server: it is printed, so that whoever runs the server can use its links."""

from __future__ import annotations

import asyncio
import threading
from typing import TextIO

from streamhost.model.mail import Message
from streamhost.ports import MailUnavailable

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
