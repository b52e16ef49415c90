"""What people can be told of: to whom it goes, by which channels unless they choose otherwise, and in which words.

`{title}`, `{detail}` and the like stand for facts of the event. They come from users and media: whoever shows them
escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from streamhost.model.accounts import Role
from streamhost.model.notices import EMAIL, IN_APP, NoticeKind, Urgency

BELL = frozenset({IN_APP})
BOTH = frozenset({IN_APP, EMAIL})
NONE: frozenset[str] = frozenset()


class Audience(StrEnum):
    """Who is told."""

    OWNER = "owner"
    """The one whose video it is, or whom the event names."""
    ANYBODY = "anybody"
    """The one whom the event names, whatever they may do."""
    MODERATORS = "moderators"
    ADMINS = "admins"


ROLES: Mapping[Audience, tuple[Role, ...]] = {
    Audience.MODERATORS: (Role.MODERATOR, Role.ADMIN),
    Audience.ADMINS: (Role.ADMIN,),
}
"""Whoever is told because of what they may do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice. `label` names it among the preferences; `channels` are those of before anybody chose.

    Channels of plugins are as e-mail is: what is worth a mail is worth a ping."""

    label: str
    audience: Audience
    channels: frozenset[str]
    title: str
    text: str
    action: str = ""
    path: str = ""
    urgency: Urgency = Urgency.NORMAL
    by_others: bool = False
    """Nobody is told of what they did themselves."""

    def by_default(self, channel: str) -> bool:
        """Whether it goes by a channel as long as nobody has chosen."""
        return (IN_APP if channel == IN_APP else EMAIL) in self.channels

    def concerns(self, role: Role) -> bool:
        """Whether somebody with a role can ever be told of it."""
        if self.audience is Audience.ANYBODY:
            return True
        if self.audience is Audience.OWNER:
            return role.includes(Role.CREATOR)
        return role in ROLES[self.audience]


KINDS: Mapping[NoticeKind, Kind] = {
    NoticeKind.VIDEO_PROCESSED: Kind(
        "A video is ready",
        Audience.OWNER,
        BOTH,
        "“{title}” is ready",
        "Every version of it is made.",
        "Watch it",
        "/watch/{video_id}",
    ),
    NoticeKind.VIDEO_FAILED: Kind(
        "A video could not be processed",
        Audience.OWNER,
        BOTH,
        "“{title}” could not be processed",
        "{detail}",
        "See the video",
        "/studio/{video_id}",
        Urgency.HIGH,
    ),
    NoticeKind.VIDEO_PUBLISHED: Kind(
        "A video can be watched",
        Audience.OWNER,
        NONE,
        "“{title}” can be watched",
        "Whoever may see it can play it from now on.",
        "Watch it",
        "/watch/{video_id}",
        Urgency.LOW,
    ),
    NoticeKind.VIDEO_REPLACED: Kind(
        "A new file took a video's place",
        Audience.OWNER,
        BELL,
        "“{title}” has its new file",
        "The new file plays under the same address.",
        "Watch it",
        "/watch/{video_id}",
        Urgency.LOW,
    ),
    NoticeKind.REPLACEMENT_FAILED: Kind(
        "A new file for a video could not be used",
        Audience.OWNER,
        BOTH,
        "The new file for “{title}” could not be used",
        "{detail} The video stays as it was.",
        "See the video",
        "/studio/{video_id}",
        Urgency.HIGH,
    ),
    NoticeKind.REPLACEMENT_HELD: Kind(
        "A new file for a video waits for a review",
        Audience.OWNER,
        BELL,
        "The new file for “{title}” is looked at first",
        "Somebody looks at it before it takes the old one's place; until then the old one plays. {reason}",
        "See the video",
        "/studio/{video_id}",
    ),
    NoticeKind.VIDEO_TRASHED: Kind(
        "Somebody else put a video of yours into the trash",
        Audience.OWNER,
        BOTH,
        "“{title}” was put into the trash",
        "Somebody who looks after {site} put it there. Nobody can watch it, and in some time it is deleted.",
        "See the trash",
        "/studio/trash",
        by_others=True,
    ),
    NoticeKind.VIDEO_DELETED: Kind(
        "Somebody else deleted a video of yours",
        Audience.OWNER,
        BOTH,
        "“{title}” was deleted",
        "Somebody who looks after {site} deleted it.",
        by_others=True,
    ),
    NoticeKind.VIDEO_APPROVED: Kind(
        "A video was approved",
        Audience.OWNER,
        BELL,
        "“{title}” was approved",
        "Whoever may see it can watch it now.",
        "Watch it",
        "/watch/{video_id}",
    ),
    NoticeKind.VIDEO_HELD: Kind(
        "A video waits for a review",
        Audience.OWNER,
        BELL,
        "“{title}” is looked at first",
        "Somebody looks at it before others can watch it. {reason}",
        "See the video",
        "/studio/{video_id}",
    ),
    NoticeKind.VIDEO_REJECTED: Kind(
        "A video was rejected",
        Audience.OWNER,
        BOTH,
        "“{title}” was rejected",
        "{reason}",
        "See the video",
        "/studio/{video_id}",
        Urgency.HIGH,
    ),
    NoticeKind.REVIEW_WAITING: Kind(
        "A video waits for your review",
        Audience.MODERATORS,
        BELL,
        "“{title}” waits for a review",
        "{reason}",
        "Look at it",
        "/moderation/{video_id}",
    ),
    NoticeKind.VIDEO_REPORTED: Kind(
        "Viewers report a video",
        Audience.MODERATORS,
        BOTH,
        "“{title}” was reported",
        "Open reports: {count}. The newest says: {reason}.",
        "Look at it",
        "/moderation/{video_id}",
    ),
    NoticeKind.REPORT_ANSWERED: Kind(
        "What you reported was looked at",
        Audience.ANYBODY,
        BELL,
        "Your report on “{title}” was looked at",
        "{answer}",
    ),
    NoticeKind.QUOTA_REACHED: Kind(
        "Your space is nearly used up",
        Audience.OWNER,
        BOTH,
        "Your space is nearly used up",
        "You use {used} of {allowed}. What is more will be refused.",
        "See your videos",
        "/studio",
    ),
    NoticeKind.DISK_LOW: Kind(
        "The disk is nearly full",
        Audience.ADMINS,
        BOTH,
        "The disk is nearly full",
        "{free} are free. Uploads are refused when less than {keep_free} would stay free.",
        urgency=Urgency.HIGH,
    ),
    NoticeKind.USER_REGISTERED: Kind(
        "Somebody registered",
        Audience.ADMINS,
        NONE,
        "{name} has registered",
        "The account belongs to {email}.",
        "See the account",
        "/admin/users/{user_id}",
        Urgency.LOW,
    ),
    NoticeKind.DEAD_LETTERS: Kind(
        "Something could not be delivered",
        Audience.ADMINS,
        BOTH,
        "Something could not be delivered",
        "{detail} There may be more: this is told once a day.",
        "Look after it",
        "{path}",
    ),
    NoticeKind.WEBHOOK_DISABLED: Kind(
        "A webhook was switched off",
        Audience.ADMINS,
        BOTH,
        "A webhook was switched off",
        "{url}: {reason}",
        "See the webhook",
        "/admin/webhooks/{webhook_id}",
        Urgency.HIGH,
    ),
}

ALSO: Mapping[str, tuple[NoticeKind, ...]] = {
    NoticeKind.VIDEO_HELD: (NoticeKind.REVIEW_WAITING,),
    NoticeKind.REPLACEMENT_HELD: (NoticeKind.REVIEW_WAITING,),
}
"""What others are told of, by the kind of the event."""


def kinds_of(event_kind: str) -> tuple[NoticeKind, ...]:
    """The kinds of notices that follow from a kind of event; none for one that only programs want to know."""
    own = (NoticeKind(event_kind),) if event_kind in KINDS else ()
    return own + ALSO.get(event_kind, ())
