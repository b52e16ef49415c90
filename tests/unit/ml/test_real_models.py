"""The real models, as a data directory has them: they see what they are known to see."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from streamhost.config import JobSettings, Settings
from streamhost.features.models import Models
from streamhost.ml.registry import Registry
from streamhost.model.moderation import Aspect, Findings, FrameScores, Material, Text, TextSource
from tests.support import models as real
from tests.support import stills

TWEETS = Path(__file__).parents[2] / "fixtures" / "texts" / "tweets.jsonl"
LEAST_AUC = 0.97
"""On tweets that the model has not seen; 0.984 on all of those."""
LARGEST_TEXT_MODEL = 3_000_000
"""Bytes."""
PATIENT = JobSettings(child_silence_seconds=600.0, child_nice=0)
"""On a busy machine a model may come to nothing for minutes: others have the processor."""


def unheard(_share: float) -> None:
    """Nobody wants to know how far it is."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the real models."""
    data = tmp_path_factory.mktemp("data")
    real.lend(data)
    return data


@pytest.fixture
def models(data: Path) -> Models:
    """Its models."""
    return Models(Settings(data, jobs=PATIENT))


def score(one: FrameScores, aspect: Aspect) -> tuple[float, float]:
    """What is sure and what is possible."""
    [found] = [score for score in one.scores if score.aspect is aspect]
    return found.sure, found.possible


async def screen_texts(models: Models, *words: str) -> Findings:
    """Screen titles."""
    return await models.classifier.screen(Material(texts=tuple(Text(TextSource.TITLE, one) for one in words)), unheard)


async def test_pictures_that_trigger(models: Models, tmp_path: Path) -> None:
    """Each fixture scores where it is known to, a grey picture nowhere; fights and weapons nobody looks for."""
    names = ("gore", "nudity_both_models", "nudity_first_model", "nudity_second_model")
    frames = real.triggering(tmp_path / "frames.jpgs", *names)
    grey = stills.together(tmp_path / "grey.jpgs", [(99.0, stills.jpeg(Image.new("RGB", (448, 252), (90, 110, 90))))])
    found = await models.classifier.screen(Material(frames + grey), unheard)
    gore, both, first, second, calm = found.frames
    assert score(gore, Aspect.GORE)[0] > 0.6
    assert score(both, Aspect.NUDITY)[0] > 0.7
    for one in (first, second):
        assert score(one, Aspect.NUDITY)[1] > 0.8
        assert score(one, Aspect.NUDITY)[0] < 0.5
    assert max(score(calm, Aspect.NUDITY) + score(calm, Aspect.GORE)) < 0.2
    assert [(gap.aspect, gap.model) for gap in found.gaps] == [(Aspect.FIGHTS, None), (Aspect.WEAPONS, None)]
    assert [use.id for use in found.models] == ["image-safety-classifier-s", "open-nsfw"]


async def test_models_that_are_not_there(tmp_path: Path) -> None:
    """Without the models every aspect of pictures is missing, and none is clean."""
    frames = stills.pack(tmp_path / "frames.jpgs", [(0, (1, 2, 3))])
    found = await Models(Settings(tmp_path / "data")).classifier.screen(Material(frames), unheard)
    assert found.frames == ()
    assert {(gap.aspect, gap.model) for gap in found.gaps} == {
        (Aspect.NUDITY, "image-safety-classifier-s"),
        (Aspect.GORE, "image-safety-classifier-s"),
        (Aspect.NUDITY, "open-nsfw"),
        (Aspect.FIGHTS, None),
        (Aspect.WEAPONS, None),
    }
    assert {gap.code for gap in found.gaps} == {"model_missing"}


async def test_tweets_that_the_text_model_has_not_seen(models: Models) -> None:
    """A toxic tweet scores above a harmless one nearly always (area under the ROC curve)."""
    rows = [json.loads(line) for line in TWEETS.read_text("utf-8").splitlines()]
    found = await screen_texts(models, *(row["text"] for row in rows))
    scores = [one.scores[0].sure for one in found.texts]
    bad = [value for value, row in zip(scores, rows, strict=True) if row["toxic"]]
    good = [value for value, row in zip(scores, rows, strict=True) if not row["toxic"]]
    wins = np.mean([(b > g) + (b == g) / 2 for b, g in product(bad, good)])
    assert wins >= LEAST_AUC


def test_the_text_model_is_small() -> None:
    """It comes with the program, so it has to be less than 3 MB, and is the file that its manifest names."""
    [model] = [one for one in Registry(Path("nowhere")).models() if one.id == "toxicity-en"]
    size = model.path.stat().st_size
    assert size == model.manifest.size < LARGEST_TEXT_MODEL


async def test_titles(models: Models) -> None:
    """Insults and threats stand above harmless titles that sound like them, and disguise does not help."""
    clean = [
        "A walk in the park",
        "Scunthorpe United against Arsenal",
        "Shuttlecocks, cocktails and cockpits",
        "How I paint a sunset in oil",
        "Kill Bill, the making of",
        "",
    ]
    toxic = [
        "you are a worthless piece of shit",
        "shut the fuck up you fucking bitch",
        "I hope you die, idiot",
        "sh\u0443t th\u0435 fuck up b1tch",
        "f u c k you",
        "all muslims are vermin",
    ]
    found = await screen_texts(models, *clean, *toxic)
    scores = {one.text.words: one.scores[0].sure for one in found.texts}
    assert max(scores[title] for title in clean) < 0.5 <= min(scores[title] for title in toxic)
    assert all(not one.spans for one in found.texts[: len(clean)])
    assert all(one.spans for one in found.texts[len(clean) :])


async def test_a_needle_in_long_captions(models: Models) -> None:
    """One insult in an hour of friendly words is found, and the evidence is the place where it stands."""
    calm = "and then we walk along the river and look at the birds near the old bridge. " * 400
    insult = "shut the fuck up you stupid bitch"
    words = calm + insult + ". " + calm
    found = await models.classifier.screen(Material(texts=(Text(TextSource.CAPTIONS, words, 12.0),)), unheard)
    [one] = found.texts
    assert one.scores[0].sure > 0.9
    [span] = one.spans
    assert len(calm) - 40 <= span.start <= len(calm) + len(insult) <= span.end + 40
    assert span.end - span.start < 4 * len(insult)


async def test_words_in_pictures(data: Path, tmp_path: Path) -> None:
    """What stands in a picture is read, and judged like any other words."""
    sign = Image.new("RGB", (640, 200), (245, 245, 245))
    draw = ImageDraw.Draw(sign)
    draw.text((30, 60), "SHUT UP FUCKING BITCH", (10, 10, 10), ImageFont.load_default(44))
    frames = stills.together(tmp_path / "sign.jpgs", [(7.0, stills.jpeg(sign))])
    settings = msgspec.structs.replace(Settings(data).models, read_pictures=True)
    models = Models(Settings(data, models=settings, jobs=PATIENT))
    found = await models.classifier.screen(Material(legible=frames), unheard)
    assert found.gaps == ()
    [one] = found.texts
    assert (one.text.source, one.text.at) == (TextSource.PICTURE, 7.0)
    assert "bitch" in one.text.words.lower()
    assert one.scores[0].sure > 0.8
