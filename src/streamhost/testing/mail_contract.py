"""What every implementation of the `MailSender` port must do.

Subclass `MailSenderContract`, override the fixture `post_office`, and run pytest (with `asyncio_mode = "auto"`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import pytest

from streamhost.model.mail import Message
from streamhost.ports import MailSender, MailUnavailable


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it arrived. `text` is its plain text."""

    recipient: str
    subject: str
    text: str


class PostOffice(Protocol):
    """A sender under test, and the place where its messages arrive."""

    @property
    def sender(self) -> MailSender:
        """What is under test."""
        ...

    def received(self) -> list[Received]:
        """Everything that has arrived so far."""
        ...

    def close(self) -> None:
        """Take nothing more."""
        ...


def message(number: int = 0, *, subject: str = "Confirm your address", text: str = "Open the link.") -> Message:
    """A message to alice; each number is another message."""
    html = f"<!doctype html><title>{subject}</title><p>{text}</p>"
    return Message(f"letter{number}", "alice@example.org", subject, f"{text}\n", html)


class MailSenderContract:
    """The suite."""

    @pytest.fixture
    def post_office(self) -> PostOffice:
        """An open post office to which nothing has come yet."""
        raise pytest.UsageError("override the fixture `post_office`")

    async def test_a_message_arrives(self, post_office: PostOffice) -> None:
        """What was sent has arrived when `send` returns: recipient, subject, text."""
        await post_office.sender.send(message())
        [came] = post_office.received()
        assert (came.recipient, came.subject) == ("alice@example.org", "Confirm your address")
        assert "Open the link." in came.text

    async def test_every_language(self, post_office: PostOffice) -> None:
        """Letters of all scripts arrive as they were written, in the subject too."""
        words = "Zoë lädt dich ein: 歡迎 — добро пожаловать 🎬"
        await post_office.sender.send(message(subject=words, text=words))
        [came] = post_office.received()
        assert came.subject == words
        assert words in came.text

    async def test_long_links_stay_whole(self, post_office: PostOffice) -> None:
        """A link that is longer than a line of mail may be arrives in one piece."""
        link = "https://video.example.org/verify?token=" + "x" * 1200
        await post_office.sender.send(message(text=link))
        [came] = post_office.received()
        assert link in came.text

    async def test_a_line_with_a_dot(self, post_office: PostOffice) -> None:
        """A line that is only a dot, which ends a message in SMTP, does not end this one (RFC 5321, 4.5.2)."""
        await post_office.sender.send(message(text="before\n.\nafter"))
        [came] = post_office.received()
        assert came.text.split() == ["before", ".", "after"]

    async def test_many_at_once(self, post_office: PostOffice) -> None:
        """Messages sent at the same time all arrive, each once."""
        subjects = [f"Message {number}" for number in range(8)]
        await asyncio.gather(
            *(post_office.sender.send(message(number, subject=subject)) for number, subject in enumerate(subjects))
        )
        assert sorted(came.subject for came in post_office.received()) == subjects

    async def test_nobody_there(self, post_office: PostOffice) -> None:
        """With nobody to take the message, `MailUnavailable` says so, in words."""
        post_office.close()
        with pytest.raises(MailUnavailable) as failure:
            await post_office.sender.send(message())
        assert failure.value.detail
        assert not failure.value.permanent
