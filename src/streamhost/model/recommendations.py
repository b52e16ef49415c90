"""What to show next, and why: tastes, proposals, and the reasons that people are told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UserId, VideoId, is_id

MOST_SEEN = 200
"""Videos of somebody's past that count for what is proposed: the newest."""
FADES = 5.0
"""Videos after which a past counts half as much..."""
FADED = 0.05
"""... but no less than this."""
MOST_TOPICS = 12
"""Tags of a video that are compared with others'."""


class ReasonKind(StrEnum):
    """Why a video is proposed."""

    WATCHED = "watched"
    """People who watched something that this viewer watched also watched it."""
    SIMILAR = "similar"
    """Its words are like those of something that this viewer watched."""
    VIEWERS = "viewers"
    """Viewers with a similar past watched it."""
    CREATOR = "creator"
    """It is by somebody whose videos this viewer watched, or who made the video that is being watched."""
    POPULAR = "popular"
    """Many watched it lately."""
    NEW = "new"
    """It has not been here for long."""
    CHANCE = "chance"
    """Few have seen it, and it was drawn by lot: so that it is not always the same ones."""


WORDS: Mapping[ReasonKind, str] = {
    ReasonKind.WATCHED: "Because you watched {title}",
    ReasonKind.SIMILAR: "Similar to {title}",
    ReasonKind.VIEWERS: "Viewers like you",
    ReasonKind.CREATOR: "From a creator you watch",
    ReasonKind.POPULAR: "Popular here",
    ReasonKind.NEW: "New here",
    ReasonKind.CHANCE: "Something different",
}
"""What people read. `{title}` is the video that it goes back to; where it may not be named, `WITHOUT_TITLE` counts."""
WITHOUT_TITLE: Mapping[ReasonKind, str] = {
    ReasonKind.WATCHED: "Because of what you watched",
    ReasonKind.SIMILAR: "Similar to what you watched",
}
BESIDE: Mapping[ReasonKind, str] = {
    ReasonKind.WATCHED: "Often watched together",
    ReasonKind.SIMILAR: "Similar video",
    ReasonKind.VIEWERS: "Often watched together",
    ReasonKind.CREATOR: "From the same creator",
}
"""What people read beside a video; for the other reasons as in `WORDS`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a video is proposed, and by which other video if there is one."""

    kind: ReasonKind
    because: VideoId | None = None

    def words(self, titles: Mapping[VideoId, str], *, beside: bool = False) -> str:
        """For people. `titles`: of the videos that may be named; `beside`: in the list that belongs to one video."""
        if beside and self.kind in BESIDE:
            return BESIDE[self.kind]
        title = titles.get(self.because) if self.because else None
        if title is None and self.kind in WITHOUT_TITLE:
            return WITHOUT_TITLE[self.kind]
        return WORDS[self.kind].replace("{title}", title or "")


@dataclass(frozen=True, slots=True)
class Seen:
    """A video that somebody watched: how much it says about their taste (0..2), and when it was last watched."""

    video_id: VideoId
    strength: float
    at: Timestamp


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a viewer for proposing videos to them.

    `viewer` is `u:<user id>`, `s:<id of an anonymous visit>`, or empty for somebody of whom nothing is known. `seen` is
    newest first, at most `MOST_SEEN`, without what they skipped. `hidden` is not to be proposed: watched to the end
    lately, or of no interest to them."""

    viewer: str = ""
    seen: tuple[Seen, ...] = ()
    hidden: frozenset[VideoId] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A video that is proposed. Scores of one source compare with one another, higher is better."""

    video_id: VideoId
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Facts:
    """What ranking needs to know of a video. `heat`: views lately, decayed; `published_at` None: never."""

    video_id: VideoId
    owner_id: UserId
    topics: frozenset[str] = frozenset()
    published_at: Timestamp | None = None
    heat: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A list as it is kept: candidates best first, and when it was made.

    `whole` is false where a source that should have been asked could not answer: such a list is not kept for long."""

    items: tuple[Candidate, ...]
    made_at: Timestamp
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Edge:
    """A neighbour in the watch graph, and how near it is, 0..1."""

    other: str
    weight: float


class NodeKind(StrEnum):
    """What stands in the watch graph."""

    VIDEO = "video"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Node:
    """A video, or a viewer as `Profile.viewer` names them."""

    kind: NodeKind
    id: str


@dataclass(frozen=True, slots=True)
class GraphSize:
    """How much a watch graph holds: edges between videos, and between viewers."""

    videos: int
    viewers: int


class NotTrained(StreamhostError):
    """There is no trained model yet."""

    code = "not_trained"
    hint = "`streamhost recommend train` makes one out of what was watched; the server does it every night."


class TooLittleWatched(StreamhostError):
    """Too little was watched to learn from."""

    code = "too_little_watched"
    permanent = True
    hint = "Until then, proposals come from the watch graph, words, popularity and what is new."


class UnreadableDataset(StreamhostError):
    """This is no table of who watched what."""

    code = "unreadable_dataset"
    permanent = True
    hint = "It takes a header with columns for user, item and timestamp, separated by tabs, commas or semicolons."


def fading(place: int) -> float:
    """How much a video of somebody's past counts for what they may want next; `place` 0 is the newest.

    The last few say most, the others still something. Chosen on ML-100K: see docs/explanation/recommendations.md."""
    return FADED + (1 - FADED) * float(0.5 ** (place / FADES))


def sound(candidates: Any, limit: int) -> tuple[Candidate, ...]:
    """What of a source's answer can be used: at most `limit` candidates, each video once, with finite scores."""
    found: dict[VideoId, Candidate] = {}
    for one in list(candidates)[:limit]:
        if isinstance(one, Candidate) and _is_sound(one.video_id, one.score, one.reason):
            found.setdefault(one.video_id, one)
    return tuple(found.values())


def _is_sound(video_id: Any, score: Any, reason: Any) -> bool:
    """Whether the parts are what their types promise: they may come from a plugin."""
    named = isinstance(video_id, str) and is_id(video_id)
    counted = isinstance(score, int | float) and math.isfinite(score)
    return named and counted and isinstance(reason, Reason) and isinstance(reason.kind, ReasonKind)


@dataclass(frozen=True, slots=True)
class Interest:
    """A viewer's own choices about recommendations.

    `personal` false: proposals do not depend on what they watched, and others' do not either. What was watched before
    `since` no longer counts."""

    personal: bool = True
    since: Timestamp = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How well something proposes, measured: means over viewers, with half the width of the 95 % interval."""

    name: str
    ndcg: float
    recall: float
    ndcg_error: float = 0.0
    recall_error: float = 0.0
    coverage: float = 0.0
    """Share of all videos that are proposed to anybody."""
    novelty: float = 0.0
    """Mean of -log2 of the share of viewers that know what is proposed: more is less obvious."""
    by_k: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """NDCG and recall at other lengths."""
    beaten_by: tuple[float, float, float] | None = None
    """How far the model's NDCG is ahead of this one's, viewer by viewer, and the 95 % interval of that."""
