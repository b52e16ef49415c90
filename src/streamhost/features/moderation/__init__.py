"""Moderation: models look, a policy decides, people have the last word."""

from streamhost.db.review_cases import Wanted
from streamhost.features.moderation.desk import CaseFile, Desk, QueuePage, VerdictPage, Waiting, wanted_of
from streamhost.features.moderation.room import Moderation, moderation_of

__all__ = [
    "CaseFile",
    "Desk",
    "Moderation",
    "QueuePage",
    "VerdictPage",
    "Waiting",
    "Wanted",
    "moderation_of",
    "wanted_of",
]
