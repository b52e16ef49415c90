"""Webhooks as the Standard Webhooks specification (version 1.0.0) has them: JSON, signed, with an id that repeats.

`webhook-signature` holds `v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, once for
each secret that is in force, apart by spaces. A secret is `whsec_` and the base64 of 24 to 64 random bytes.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from streamhost.model.clock import Clock, iso
from streamhost.model.notices import AddressAsked, Notice
from streamhost.model.words import one_line
from streamhost.notify.posting import Answer, Poster, PostFailed, PostForbidden
from streamhost.ports import NotifyRefused, NotifyUnavailable

PREFIX = "whsec_"
SECRET_BYTES = 32
SAID_LENGTH = 200
"""How much of what an endpoint answers is kept."""
GONE = 410
"""The endpoint says that it is over (the specification, "Response status codes")."""
LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where notices are posted, and the secrets that sign them, the newest first."""

    url: str
    secrets: tuple[str, ...] = field(repr=False)


class EndpointGone(NotifyRefused):
    """The endpoint wants no more webhooks."""

    code = "endpoint_gone"


def new_secret() -> str:
    """A fresh signing secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One signature of the header, by one secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    mac = hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(mac).decode()}"


def event_type(kind: str) -> str:
    """The type of an event as the specification writes it: `video.processed` for `video_processed`."""
    return kind.replace("_", ".", 1)


def body_of(notice: Notice) -> bytes:
    """The body, the same at every attempt: `type`, `timestamp` of what happened, and `data`."""
    document = {"type": event_type(notice.kind), "timestamp": iso(notice.at), "data": dict(notice.data)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class WebhookNotifier:
    """Posts notices to one endpoint."""

    asks: AddressAsked | None = None

    def __init__(self, endpoint: Endpoint, poster: Poster, clock: Clock, agent: str) -> None:
        self._endpoint = endpoint
        self._poster = poster
        self._clock = clock
        self._agent = agent

    async def send(self, notice: Notice) -> None:
        """Post one notice; whatever is not a status of success is tried again later, but for 410."""
        endpoint, body, now = self._endpoint, body_of(notice), int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "webhook-id": notice.id,
            "webhook-timestamp": str(now),
            "webhook-signature": " ".join(_signatures(endpoint.secrets, notice.id, now, body)),
        }
        try:
            answer = await self._poster.post(endpoint.url, headers, body)
        except PostForbidden as error:
            hint = "Administrators allow networks of their own by webhooks.allow."
            raise NotifyRefused(str(error), hint=hint) from None
        except ValueError as error:
            raise NotifyRefused(str(error)) from None
        except PostFailed as error:
            raise NotifyUnavailable(str(error)) from None
        if 200 <= answer.status < 300:
            return
        words = _words(answer)
        if answer.status == GONE:
            raise EndpointGone(words)
        raise NotifyUnavailable(words, retry_after=retry_after(answer.headers.get("retry-after", ""), self._clock()))


def _signatures(known: Sequence[str], webhook_id: str, timestamp: int, body: bytes) -> list[str]:
    return [signature(secret, webhook_id, timestamp, body) for secret in known]


def _words(answer: Answer) -> str:
    """What an endpoint said, on one line and not too long."""
    if 300 <= answer.status < 400:
        return f"It answered {answer.status}; redirects are not followed."
    said = one_line(answer.body)[:SAID_LENGTH]
    return f"It answered {answer.status}: {said}" if said else f"It answered {answer.status}."


def retry_after(value: str, now: float) -> float | None:
    """The seconds in a `Retry-After` header (RFC 9110, 10.2.3), a day at most; None if it has none."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT) if len(text) < 10 else LONGEST_WAIT
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - now), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None
