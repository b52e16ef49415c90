"""The pure parts of moderation: policies out of settings, texts out of captions, evidence out of findings."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from streamhost.config import ModerationSettings
from streamhost.features.moderation.desk import wanted_of
from streamhost.features.moderation.evidence import AROUND, MOST_PICTURES, chosen
from streamhost.features.moderation.judging import merged
from streamhost.features.moderation.material import (
    CAPTION_STRETCH,
    CAPTIONS_GONE,
    MOST_WORDS,
    TOO_MANY_WORDS,
    Content,
    spread,
    stretches,
    words_of,
)
from streamhost.features.moderation.policies import PUBLIC_MEDIUM, policy_of
from streamhost.media.captions import Cue
from streamhost.ml.registry import Registry
from streamhost.model.accounts import Role
from streamhost.model.captions import Caption, Origin, caption_key
from streamhost.model.clock import Timestamp
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import CaptionId, UserId, VideoId
from streamhost.model.moderation import (
    Aspect,
    Category,
    Findings,
    FrameScores,
    Gap,
    Score,
    Span,
    Text,
    TextScores,
    TextSource,
)
from streamhost.model.stills import Still, Stills
from streamhost.model.verdicts import POSTER_AT, Decision, Lines, Profile, Publish, Risk, decide
from streamhost.model.videos import Video
from streamhost.storage.memory import MemoryStorage

MANIFESTS = [model.manifest for model in Registry(Path("nowhere")).models()]


def scored(at: float, nudity: float, gore: float = 0.0) -> FrameScores:
    """A picture's scores."""
    return FrameScores(at, (Score(Aspect.NUDITY, nudity, nudity), Score(Aspect.GORE, gore, gore)))


def test_profiles() -> None:
    """At home creators are trusted; in public nobody but admins, and a person looks earlier."""
    home, community, public = (policy_of(profile, ModerationSettings(), MANIFESTS) for profile in Profile)
    assert [one.trusted for one in (home, community, public)] == [Role.CREATOR, Role.MODERATOR, Role.ADMIN]
    assert {one.publish for one in (home, community, public)} == {Publish.SCREEN_FIRST}
    assert community.lines[Aspect.NUDITY] == Lines(0.5, 0.7, 3)
    assert community.lines[Aspect.TOXICITY].frames == 1
    assert public.lines[Aspect.NUDITY] == Lines(PUBLIC_MEDIUM, 0.7, 3)


def test_settings_beat_profiles() -> None:
    """Whom to trust, when to publish, lines and what is not looked for are the site's own, if it says so."""
    settings = ModerationSettings(
        trusted="nobody",
        publish="publish-then-screen",
        lines=("gore:0.2:0.4", "nudity:0.9:0.1"),
        not_screened=("fights",),
    )
    policy = policy_of(Profile.PUBLIC, settings, MANIFESTS)
    assert (policy.trusted, policy.publish) == (None, Publish.PUBLISH_FIRST)
    assert policy.lines[Aspect.GORE] == Lines(0.2, 0.4, 3)
    assert policy.lines[Aspect.NUDITY] == Lines(0.9, 0.9, 3), "high is never below medium"
    assert policy.ignored == {Aspect.FIGHTS}


def test_captions_become_texts_with_places() -> None:
    """Cues are put together up to a length, without markup, each text at the time of its first cue."""
    cues = [Cue(number * 1000, number * 1000 + 900, f"<v Ann><i>line {number} &amp; more</i>") for number in range(100)]
    texts = stretches(cues)
    assert texts[0].words.startswith("line 0 & more\nline 1")
    assert [text.at for text in texts][:2] == [0.0, texts[1].at]
    assert all(len(text.words) <= CAPTION_STRETCH for text in texts)
    assert "\n".join(text.words for text in texts).count("line") == 100


async def test_words_that_nobody_judges_leave_a_gap() -> None:
    """More words than are judged, and captions that are not in storage, are said to be missing; others are whole."""
    now = Timestamp(1.0)
    video = Video(VideoId("v"), UserId("u"), "A film", now, now)
    caption = Caption(CaptionId("c"), video.id, "en", "English", Origin.UPLOADED, 10, now)
    content, storage = Content(video, (caption,), Stills(), None), MemoryStorage()
    texts, gaps = await words_of(content, storage)
    assert [text.words for text in texts] == ["A film", "English"]
    assert [(gap.aspect, gap.model, gap.code) for gap in gaps] == [(Aspect.TOXICITY, "", CAPTIONS_GONE)]
    line = "word " * 200
    cues = "".join(f"{n // 60:02}:{n % 60:02}.000 --> {n // 60:02}:{n % 60:02}.900\n{line}\n\n" for n in range(1100))
    await storage.put_bytes(caption_key(caption), f"WEBVTT\n\n{cues}".encode())
    texts, gaps = await words_of(content, storage)
    assert sum(len(text.words) for text in texts) == MOST_WORDS
    assert [gap.code for gap in gaps] == [TOO_MANY_WORDS]
    found = Findings(texts=tuple(TextScores(text, (Score(Aspect.TOXICITY, 0.0, 0.0),)) for text in texts), gaps=gaps)
    judgement = decide(found, policy_of(Profile.COMMUNITY, ModerationSettings(), MANIFESTS), {Aspect.TOXICITY})
    assert (judgement.risk, judgement.decision) == (Risk.UNKNOWN, Decision.REVIEW)


def test_frames_are_spread() -> None:
    """Of too many, some are taken evenly, the first among them."""
    stills = [Still(number, "f", number, 1) for number in range(1000)]  # type: ignore[arg-type]  # a whole number
    some = spread(stills, 100)
    assert [still.at for still in some] == list(range(0, 1000, 10))
    assert spread(stills[:5], 100) == stills[:5]


def test_evidence_is_the_worst_and_apart() -> None:
    """Of each aspect the worst pictures over the line, apart from each other where there are enough, by time."""
    policy = policy_of(Profile.COMMUNITY, ModerationSettings(), MANIFESTS)
    frames = tuple(scored(number / 10, 0.5 + number / 1000) for number in range(300))
    pieces = chosen(Findings((scored(POSTER_AT, 0.9), *frames)), policy)
    assert len(pieces) == MOST_PICTURES
    assert pieces[0].at is None, "the poster stands beside the film"
    times = [piece.at for piece in pieces[1:] if piece.at is not None]
    assert times == sorted(times)
    assert min(b - a for a, b in pairwise(times)) >= 1.0
    assert {piece.category for piece in pieces} == {Category.NUDITY}
    assert chosen(Findings((scored(0.0, 0.49),)), policy) == []


def test_words_are_kept_with_what_stands_around_them() -> None:
    """A piece of a long text, with the spans moved so that they still mark the same words."""
    policy = policy_of(Profile.COMMUNITY, ModerationSettings(), MANIFESTS)
    words = "a" * 1000 + "vile" + "b" * 1000
    text = TextScores(
        Text(TextSource.DESCRIPTION, words), (Score(Aspect.TOXICITY, 0.8, 0.8),), (Span(1000, 1004, 0.8),)
    )
    [piece] = chosen(Findings(texts=(text,)), policy)
    [span] = piece.spans
    assert piece.words[span.start : span.end] == "vile"
    assert len(piece.words) == 4 + 2 * AROUND


def test_what_was_found_in_pictures_is_kept_when_words_change() -> None:
    """New words, and a new poster, take the place of the old ones; scores and gaps of the film stay."""
    gap = Gap(Aspect.NUDITY, "m", "model_missing")
    seen = TextScores(Text(TextSource.PICTURE, "on a sign", 3.0), (Score(Aspect.TOXICITY, 0.1, 0.1),))
    old = TextScores(Text(TextSource.TITLE, "old"), (Score(Aspect.TOXICITY, 0.9, 0.9),))
    new = TextScores(Text(TextSource.TITLE, "new"), (Score(Aspect.TOXICITY, 0.2, 0.2),))
    known = Findings(
        (scored(POSTER_AT, 0.8), scored(2.0, 0.3)), (old, seen), gaps=(gap, Gap(Aspect.TOXICITY, "t", "x"))
    )
    found = merged(known, Findings((scored(POSTER_AT, 0.1),), (new,)))
    assert [(one.at, one.scores[0].sure) for one in found.frames] == [(POSTER_AT, 0.1), (2.0, 0.3)]
    assert found.texts == (new, seen)
    assert found.gaps == (gap,)


def test_what_is_wanted_of_the_queue() -> None:
    """Typed words become a filter, and wrong ones are named."""
    wanted = wanted_of(["high", "medium"], "nudity", "report")
    assert wanted.risks == (Risk.HIGH, Risk.MEDIUM)
    with pytest.raises(InvalidInput) as refused:
        wanted_of(["dreadful"], "smell", "boredom")
    assert set(refused.value.fields) == {"risk", "category", "cause"}
