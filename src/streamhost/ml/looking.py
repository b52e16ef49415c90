"""How the child goes through its work: every model loaded, asked and let go, one after the other."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamhost.ml import grams, pictures
from streamhost.ml.manifest import Manifest
from streamhost.ml.session import Session, load
from streamhost.ml.texts import TextScorer, padded
from streamhost.ml.words import words_of
from streamhost.ml.work import READING, UNREADABLE, Failed, Looked, ModelFile, Tried, Work
from streamhost.model.moderation import Frame, Text, TextSource
from streamhost.ports import ModelBroken, ModelMissing

READER = "streamhost.ml.reading"
"""Imported only where words are to be read in pictures: what it needs is an extra."""
READING_COSTS = 20
"""How many times longer reading a picture takes than one look of a model."""
TEXT_COSTS = 0.05

HARMLESS = "a walk in the park on a sunny day"
TRIES = 3

Say = Callable[[object], None]


class Reader(Protocol):
    """What `reading.open_reader` returns."""

    def words(self, frame: Frame) -> str:
        """The words in a picture, a line each; raises `pictures.Unreadable`."""
        ...


class Progress:
    """Tells how much of all the work is done, and with what it goes on."""

    def __init__(self, work: Work, say: Say) -> None:
        looks = sum(len(work.frames) for model in work.models if model.manifest.picture)
        judged = sum(len(work.texts) * TEXT_COSTS for model in work.models if model.manifest.text)
        self._all = max(1.0, looks + judged + len(work.legible) * READING_COSTS)
        self._done = 0.0
        self._say = say

    def begin(self, step: str) -> None:
        """Go on with a model, or with reading."""
        self._step = step
        self.advance(0)

    def advance(self, cost: float) -> None:
        """So much more is done."""
        self._done += cost
        self._say({"progress": round(min(1.0, self._done / self._all), 4), "step": self._step})


def screen(work: Work, say: Say) -> None:
    """Do all of the work."""
    progress = Progress(work, say)
    for model in work.models:
        if model.manifest.picture and work.frames:
            _attempt(model.manifest.id, say, progress, partial(_look, model, work, progress, say))
    texts = list(work.texts)
    if work.legible:
        _attempt(READING, say, progress, partial(_read, work, texts, progress, say))
    for model in work.models:
        if model.manifest.text and texts:
            _attempt(model.manifest.id, say, progress, partial(_judge, model, texts, work, progress, say))


def try_out(work: Work, say: Say) -> None:
    """Let every model look at something empty."""
    progress = Progress(work, say)
    for model in work.models:
        _attempt(model.manifest.id, say, progress, partial(_try, model, work.rules.threads, say))


def _try(model: ModelFile, threads: int, say: Say) -> None:
    manifest = model.manifest
    session = load(manifest, Path(model.path), threads)
    given: dict[str, NDArray[Any]]
    if manifest.picture is not None:
        given = {manifest.picture.name: pictures.numbers(pictures.blank(), manifest.picture)[None]}
    else:
        assert manifest.text is not None, "a manifest has one of the two"
        slots = manifest.text.slots
        given = {manifest.text.name: padded([grams.features(words_of(HARMLESS), slots)], slots)}
    times = []
    for _ in range(TRIES):
        begin = time.perf_counter()
        session.run(given)
        times.append(time.perf_counter() - begin)
    say({"tried": Tried(manifest.id, round(min(times) * 1000, 3))})


def _attempt(name: str, say: Say, progress: Progress, do: Callable[[], None]) -> None:
    """Do one model's part; what goes wrong in it is told, and is no reason to stop."""
    progress.begin(name)
    try:
        do()
    except (ModelBroken, ModelMissing) as error:
        say({"failed": Failed(name, error.code, error.detail)})
    except MemoryError:
        say({"failed": Failed(name, ModelBroken.code, "It needs more memory than it may have.")})


def _look(model: ModelFile, work: Work, progress: Progress, say: Say) -> None:
    session = load(model.manifest, Path(model.path), work.rules.threads)
    rows: list[tuple[float, ...]] = []
    for batch in _batches(work.frames, work.rules.batch):
        rows += _rows(session, model.manifest, batch)
        progress.advance(len(batch))
    unreadable = rows.count(())
    if unreadable:
        detail = f"{unreadable} of {len(rows)} pictures cannot be read."
        say({"failed": Failed(model.manifest.id, UNREADABLE, detail)})
    say({"looked": Looked(model.manifest.id, tuple(rows))})


def _rows(session: Session, manifest: Manifest, batch: Sequence[Frame]) -> list[tuple[float, ...]]:
    """A row for each frame; an empty one where there is no picture."""
    assert manifest.picture is not None, "it looks at pictures"
    seen: list[NDArray[np.float32] | None] = []
    for frame in batch:
        try:
            seen.append(pictures.numbers(pictures.read(frame), manifest.picture))
        except pictures.Unreadable:
            seen.append(None)
    there = [one for one in seen if one is not None]
    scores = iter(session.run({manifest.picture.name: np.stack(there)}).tolist() if there else ())
    return [() if one is None else tuple(next(scores)) for one in seen]


def _read(work: Work, texts: list[Text], progress: Progress, say: Say) -> None:
    """Add the words in pictures to the texts, each once."""
    try:
        reader: Reader = importlib.import_module(READER).open_reader(work.rules.threads)
    except ImportError as error:
        raise ModelMissing(
            f"Reading words in pictures needs the extra: pip install 'streamhost[ocr]' ({error})."
        ) from error
    found: dict[str, Text] = {}
    for frame in work.legible:
        try:
            words = reader.words(frame)
        except pictures.Unreadable:
            words = ""
        if words:
            found.setdefault(words, Text(TextSource.PICTURE, words, frame.at))
        progress.advance(READING_COSTS)
    say({"read": list(found.values())})
    texts += found.values()


def _judge(model: ModelFile, texts: Sequence[Text], work: Work, progress: Progress, say: Say) -> None:
    manifest = model.manifest
    assert manifest.text is not None, "it looks at words"
    session, name = load(manifest, Path(model.path), work.rules.threads), manifest.text.name
    line = min(count.medium for count in manifest.counts)
    scorer = TextScorer(lambda rows: session.run({name: rows}), manifest.text.slots, len(manifest.counts), line)
    found = []
    for text in texts:
        found.append(scorer.score(text.words))
        progress.advance(TEXT_COSTS)
    say({"looked": Looked(manifest.id, tuple(row for row, _ in found), tuple(spans for _, spans in found))})


def _batches(frames: Sequence[Frame], size: int) -> Iterator[Sequence[Frame]]:
    rest = iter(frames)
    while batch := list(islice(rest, size)):
        yield batch
