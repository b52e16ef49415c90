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
VerdictId = NewType("VerdictId", str)
RescreenId = NewType("RescreenId", str)
