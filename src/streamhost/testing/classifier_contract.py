"""What every classifier must do: the contract of `streamhost.ports.Classifier` as a suite of tests.

class TestMyClassifier(ClassifierContract):
    @pytest.fixture
    def classifier(self) -> Classifier:
        return MyClassifier(...)

    @pytest.fixture
    def material(self) -> Material:
        ...

`FaultyClassifierContract` is for those whose models, processes or servers can fail: all that are of use.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import replace

from streamhost.model.moderation import Aspect, Findings, Material, Score
from streamhost.ports import Classifier, ClassifierUnavailable, ModelBroken, ModelMissing

FRAMES = 2
TEXTS = 2
PATIENCE = 240.0
"""Seconds within which trouble must be told, on a slow machine; a classifier under test has short time-outs."""
FAR = 10**9
"""An offset at which no file has anything."""


def unheard(_share: float) -> None:
    """Nobody wants to know how far it is."""


class ClassifierContract:
    """Inherit from it and provide `classifier`, and `material`: at least two frames and two texts, all harmless."""

    async def test_missing_is_never_clean(self, classifier: Classifier, material: Material) -> None:
        """Each aspect that the classifier claims is scored everywhere, or said to be missing."""
        assert len(material.frames) >= FRAMES
        assert len(material.texts) >= TEXTS
        found = await classifier.screen(material, unheard)
        gaps = {gap.aspect for gap in found.gaps}
        assert material.concerns(classifier.aspects) - found.scored() <= gaps
        assert found.scored() | gaps, "it looks for nothing at all"

    async def test_answers_fit_what_was_asked(self, classifier: Classifier, material: Material) -> None:
        """Frames come back in order of time, texts with their words; scores lie in 0..1 and no aspect stands twice."""
        found = await classifier.screen(material, unheard)
        if found.frames:
            assert [one.at for one in found.frames] == sorted(frame.at for frame in material.frames)
        if found.texts:
            assert [one.text for one in found.texts][: len(material.texts)] == list(material.texts)
        for scores in [one.scores for one in found.frames] + [one.scores for one in found.texts]:
            assert _ordered(scores)
            assert len({score.aspect for score in scores}) == len(scores)
        for one in found.texts:
            edges = [edge for span in one.spans for edge in (span.start, span.end)]
            assert edges == sorted(edges)
            assert all(0 <= edge <= len(one.text.words) for edge in edges)

    async def test_who_looked_is_named(self, classifier: Classifier, material: Material) -> None:
        """Where something was scored, a model stands with its version and the hash of its file."""
        found = await classifier.screen(material, unheard)
        assert bool(found.models) == bool(found.scored())
        assert all(use.id and use.version and len(use.sha256) == len("0" * 64) for use in found.models)

    async def test_the_same_again(self, classifier: Classifier, material: Material) -> None:
        """What is screened twice, and at once, gets the same answers."""
        first, second = await asyncio.gather(classifier.screen(material, unheard), classifier.screen(material, unheard))
        assert first == second

    async def test_nothing_to_look_at(self, classifier: Classifier, material: Material) -> None:
        """Empty material is no error and has no scores; words alone need no frames, frames alone no words."""
        assert _nothing(await classifier.screen(Material(), unheard))
        words = await classifier.screen(Material(texts=material.texts), unheard)
        assert words.frames == ()
        pictures = await classifier.screen(Material(frames=material.frames), unheard)
        assert pictures.texts == ()

    async def test_progress_goes_up(self, classifier: Classifier, material: Material) -> None:
        """Shares lie in 0..1 and never go back."""
        heard: list[float] = []
        await classifier.screen(material, heard.append)
        assert heard == sorted(heard)
        assert all(0 <= share <= 1 for share in heard)

    async def test_what_is_no_picture_is_never_clean(self, classifier: Classifier, material: Material) -> None:
        """A frame whose file is gone or too short is a gap, or everything fails with one of the port's errors; it has
        no scores that somebody could take for harmless."""
        gone, short = (
            replace(material.frames[0], path=f"{material.frames[0].path}.gone"),
            replace(material.frames[1], offset=FAR, size=10),
        )
        try:
            found = await classifier.screen(Material((gone, short)), unheard)
        except (ClassifierUnavailable, ModelBroken, ModelMissing):
            return
        concerned = Material((gone, short)).concerns(classifier.aspects)
        assert concerned <= {gap.aspect for gap in found.gaps}
        assert not any(one.scores for one in found.frames)

    async def test_it_can_be_called_off(self, classifier: Classifier, material: Material) -> None:
        """Who goes away ends the work; whoever asks next gets the same as ever."""
        before = await classifier.screen(material, unheard)
        screening = asyncio.create_task(classifier.screen(material, unheard))
        await asyncio.sleep(0)
        screening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await screening
        assert await classifier.screen(material, unheard) == before

    def test_it_claims_something(self, classifier: Classifier) -> None:
        """It says what it looks for."""
        assert classifier.aspects
        assert all(isinstance(aspect, Aspect) for aspect in classifier.aspects)


class FaultyClassifierContract:
    """Inherit from it and provide `troubled`, a classifier that cannot do its part, and `material` as above; best with
    one `pytest.param` for each way to fail: it hangs, dies, is away, or answers what cannot be so."""

    async def test_trouble_is_never_clean(self, troubled: Classifier, material: Material) -> None:
        """What should have been looked for stands in the gaps with a reason, or one of the port's errors is raised; no
        score is made up; and it does not take for ever."""
        concerned = material.concerns(troubled.aspects)
        assert concerned, "it claims nothing that could be missing"
        async with asyncio.timeout(PATIENCE):
            try:
                found = await troubled.screen(material, unheard)
            except (ClassifierUnavailable, ModelBroken, ModelMissing):
                return
        assert concerned <= {gap.aspect for gap in found.gaps}
        assert all(gap.code for gap in found.gaps)
        rows = [one.scores for one in found.frames] + [one.scores for one in found.texts]
        assert not any(score.aspect in concerned for row in rows for score in row)


def _ordered(scores: Iterable[Score]) -> bool:
    return all(0 <= score.sure <= score.possible <= 1 for score in scores)


def _nothing(found: Findings) -> bool:
    return not found.frames and not found.texts and not found.models
