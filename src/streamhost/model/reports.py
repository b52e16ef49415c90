"""Reports: what viewers say is wrong with a video."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from streamhost.model.clock import Timestamp
from streamhost.model.ids import ReportId, UserId, VideoId

WORDS_LENGTH = 1000
"""Characters that somebody may add to the reason."""
TELL_AT = (1, 5, 25, 100, 500)
"""With how many open reports of one video moderators are told of it: not with each."""


class Reason(StrEnum):
    """What is wrong, by the one who reports."""

    NUDITY = "nudity"
    VIOLENCE = "violence"
    HATE = "hate"
    HARASSMENT = "harassment"
    CHILDREN = "children"
    SELF_HARM = "self_harm"
    DANGER = "danger"
    PRIVACY = "privacy"
    COPYRIGHT = "copyright"
    SPAM = "spam"
    OTHER = "other"


URGENT = frozenset({Reason.CHILDREN, Reason.SELF_HARM})
"""Somebody says that a child, or a life, is in danger."""


class Outcome(StrEnum):
    """How a report ended."""

    UPHELD = "upheld"
    """Something was done about the video."""
    DISMISSED = "dismissed"
    """The video stays as it is."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report. `at` is the place in the video, in seconds.

    `reporter` is the same for the same person (or, of those without an account, the same browser on the same network),
    and tells nothing else about them. `user_id` is None without an account, or when it is gone."""

    id: ReportId
    video_id: VideoId
    reporter: str
    reason: Reason
    created_at: Timestamp
    words: str = ""
    at: float | None = None
    user_id: UserId | None = None
    wants_answer: bool = False
    closed_at: Timestamp | None = None
    outcome: Outcome | None = None

    def unsigned(self) -> Report:
        """The same without whoever sent it."""
        return replace(self, reporter="", user_id=None)


@dataclass(frozen=True, slots=True)
class ReportedVideo:
    """The open reports of one video, counted by reason."""

    video_id: VideoId
    title: str
    owner_id: UserId
    owner_name: str
    state: str
    count: int
    reasons: Mapping[Reason, int]
    first_at: Timestamp
    last_at: Timestamp

    @property
    def urgent(self) -> bool:
        """Whether one of the reports is of the worst kind."""
        return not URGENT.isdisjoint(self.reasons)


def reason_of(text: str) -> tuple[Reason, str]:
    """What a sent reason means: one of the list, or words of one's own, which count as `other`."""
    code = re.sub(r"[\s-]+", "_", text.strip().lower())
    return (Reason(code), "") if code in set(Reason) else (Reason.OTHER, text)


def place_of(text: str) -> float | None:
    """Seconds of a place that somebody typed: `83`, `1:23`, `1:02:03`; None for nothing. Raises `ValueError`."""
    text = text.strip()
    if not text:
        return None
    if not re.fullmatch(r"(\d{1,3}:)?(\d{1,5}:)?\d{1,6}([.,]\d{1,3})?", text, re.ASCII):
        raise ValueError(text)
    seconds = 0.0
    for part in text.replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
