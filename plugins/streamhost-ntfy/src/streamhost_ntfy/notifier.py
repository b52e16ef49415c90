"""Publishes notices to an ntfy server (https://docs.ntfy.sh/publish/, "Publish as JSON")."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time

import httpx

from streamhost.model.notices import AddressAsked, Notice, Urgency
from streamhost.ports import NotifyRefused, NotifyUnavailable

TITLE_LENGTH = 250
MESSAGE_BYTES = 4000
"""ntfy takes messages of 4,096 bytes, and makes longer ones attachments."""
SAID_BYTES = 2048
LONGEST_WAIT = 86_400.0
PRIORITIES: Mapping[Urgency, int] = {Urgency.LOW: 2, Urgency.NORMAL: 3, Urgency.HIGH: 4}
TAGS: Mapping[str, str] = {
    "video_processed": "clapper",
    "video_failed": "x",
    "video_published": "tv",
    "video_replaced": "repeat",
    "replacement_failed": "x",
    "replacement_held": "hourglass",
    "video_deleted": "wastebasket",
    "video_approved": "white_check_mark",
    "video_held": "hourglass",
    "video_rejected": "no_entry",
    "review_waiting": "eyes",
    "quota_reached": "bar_chart",
    "disk_low": "floppy_disk",
    "user_registered": "wave",
    "dead_letters": "mailbox_with_no_mail",
    "webhook_disabled": "electric_plug",
}
"""Short codes of emojis, by the kind of the notice."""
REFUSALS = frozenset({400, 401, 403, 404, 405, 411, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class NtfyServer:
    """Where to publish, and as whom: by a token, by name and password, or as anybody."""

    url: str
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 15.0


class NtfyNotifier:
    """Sends each notice to the topic of its recipient."""

    asks: AddressAsked | None = AddressAsked(
        "Topic",
        "The ntfy topic that you have subscribed to: up to 64 letters, digits, - and _. Take one nobody can guess.",
        r"[-_A-Za-z0-9]{1,64}",
    )

    def __init__(self, server: NtfyServer) -> None:
        self._server = server
        self._tls: ssl.SSLContext | None = None

    async def send(self, notice: Notice) -> None:
        """Publish one notice."""
        topic = notice.recipient.address if notice.recipient else ""
        if not topic:
            raise NotifyRefused("Nobody has said to which topic.")
        message: dict[str, object] = {
            "topic": topic,
            "title": _bounded(notice.title, TITLE_LENGTH),
            "message": _bounded(notice.text or notice.title, MESSAGE_BYTES),
            "priority": PRIORITIES[notice.urgency],
            "tags": [TAGS.get(notice.kind, "bell")],
            "sequence_id": notice.id,
        }
        if notice.link:
            message["click"] = notice.link
        try:
            async with asyncio.timeout(self._server.seconds):
                await self._publish(message)
        except (httpx.TimeoutException, TimeoutError):
            raise NotifyUnavailable(f"ntfy did not answer within {self._server.seconds:g} seconds.") from None
        except httpx.InvalidURL:
            raise NotifyRefused("The address of the ntfy server is none.", hint="Set plugins.ntfy.server.") from None
        except httpx.HTTPError as error:
            raise NotifyUnavailable(f"ntfy could not be reached: {type(error).__name__}.") from None

    async def _publish(self, message: Mapping[str, object]) -> None:
        server = self._server
        headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
        auth = httpx.BasicAuth(server.username, server.password) if server.username and not server.token else None
        if self._tls is None:
            self._tls = ssl.create_default_context()
        # A client of its own for each message: they are rare, and a connection that idles for hours is dead.
        async with (
            httpx.AsyncClient(verify=self._tls, timeout=server.seconds, trust_env=False) as client,
            client.stream("POST", server.url, json=message, headers=headers, auth=auth) as answer,
        ):
            if answer.is_success:
                return
            words = f"ntfy answered {answer.status_code}: {await _said(answer)}"
            if answer.status_code in REFUSALS:
                raise NotifyRefused(words, hint=_hint(answer.status_code))
            raise NotifyUnavailable(words, retry_after=_wait(answer.headers.get("retry-after", "")))


async def _said(answer: httpx.Response) -> str:
    """The beginning of what came back, on one line."""
    text = b""
    try:
        async for piece in answer.aiter_bytes(SAID_BYTES):
            text += piece
            if len(text) >= SAID_BYTES:
                break
    except httpx.HTTPError:
        return "and then nothing."
    shown = "".join(char if char.isprintable() else " " for char in text[:SAID_BYTES].decode("utf-8", "replace"))
    return " ".join(shown.split())[:200] or "nothing."


def _hint(status: int) -> str:
    if status in (401, 403):
        return "The token or password is wrong, or may not write to this topic: see plugins.ntfy.token."
    return "Check plugins.ntfy.server and the topic."


def _wait(value: str) -> float | None:
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), LONGEST_WAIT)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - time()), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None


def _bounded(text: str, most: int) -> str:
    """Printable text of at most so many bytes, on one line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    cut = line.encode()[:most].decode("utf-8", "ignore")
    return cut if cut == line else f"{cut.rstrip()[:-1]}…"
