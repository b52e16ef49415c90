"""Identifiers: short, URL-safe, unguessable enough to be unlisted links."""

from __future__ import annotations

import secrets
import string
from typing import NewType

UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
VideoId = NewType("VideoId", str)
UploadId = NewType("UploadId", str)
PackageId = NewType("PackageId", str)
CaptionId = NewType("CaptionId", str)
JobId = NewType("JobId", str)
MailId = NewType("MailId", str)
TokenId = NewType("TokenId", str)
InvitationId = NewType("InvitationId", str)
LinkId = NewType("LinkId", str)
ImportId = NewType("ImportId", str)
NoticeId = NewType("NoticeId", str)
DeliveryId = NewType("DeliveryId", str)
WebhookId = NewType("WebhookId", str)
ReportId = NewType("ReportId", str)
VerdictId = NewType("VerdictId", str)
RescreenId = NewType("RescreenId", str)

_ALPHABET = string.digits + string.ascii_letters
_LENGTH = 16
"""62^16 is 95 bits: an unlisted video cannot be found by trying."""


def new_id() -> str:
    """A fresh random identifier of 16 letters and digits (95 bits)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def is_id(text: str) -> bool:
    """Whether `text` has the form of an identifier; anything else never reaches a path or a query."""
    return 0 < len(text) <= 64 and text.isascii() and text.isalnum()
