"""The way from source to finished package: a list of stages, each a set of parts. No stage knows the next. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamhost.features.transcoding.recipe import (
    AUDIO_COST,
    COPY_COST,
    PLAN_COST,
    PUBLISH_COST,
    STORYBOARD_COST,
    Recipe,
)

COPY = "copy"
PLAN = "plan"
AUDIO = "audio"
CHUNK = "chunk"
STORYBOARD = "storyboard"
PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of work, done by one job. `number` tells chunks and tracks apart; `weight` is its share of the work."""

    what: str
    weight: float
    number: int | None = None
    suffix: str = ""

    @property
    def name(self) -> str:
        """Its name within the package, such as `chunk-3`."""
        return "-".join(filter(None, (self.what, self.suffix, "" if self.number is None else str(self.number))))


def parse(name: str) -> tuple[str, int]:
    """What a part's name says: the kind of work and the number (0 where there is none)."""
    what, _, rest = name.partition("-")
    return what, int(rest) if rest.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Stage:
    """All parts of a stage run in any order, at the same time; when the last is done the next stage opens.

    `urgent`: somebody waits to watch, so its jobs go before the others'."""

    name: str
    opens: Callable[[Recipe], tuple[Part, ...]]
    urgent: bool = False


def _first(recipe: Recipe) -> tuple[Part, ...]:
    """What must stand before anybody can watch. Reading the source comes first; `follow_up` adds what it leads to."""
    if not recipe.has_video:
        return audio_parts(recipe)
    cost = COPY_COST if recipe.copies else PLAN_COST
    return (Part(COPY if recipe.copies else PLAN, cost * recipe.seconds),)


def _rest(recipe: Recipe) -> tuple[Part, ...]:
    """The lower renditions of a copied source, made while people watch; without any, a look at its pictures."""
    return chunk_parts(recipe) if recipe.copies else ()


def _pictures(recipe: Recipe) -> tuple[Part, ...]:
    """What is made of the pictures that all chunks have taken."""
    return (Part(STORYBOARD, STORYBOARD_COST),) if chunk_parts(recipe) else ()


def audio_parts(recipe: Recipe) -> tuple[Part, ...]:
    """One part for each audio track that is encoded."""
    return tuple(Part(AUDIO, AUDIO_COST * recipe.seconds, number) for number in recipe.encode_audio)


def chunk_parts(recipe: Recipe) -> tuple[Part, ...]:
    """One part for each chunk of the plan."""
    plan = recipe.plan
    if plan is None:
        return ()
    lengths = [(plan.boundaries[chunk.last] - plan.boundaries[chunk.first]) / plan.timescale for chunk in plan.chunks]
    return tuple(Part(CHUNK, recipe.chunk_cost * length, number) for number, length in enumerate(lengths))


def follow_up(recipe: Recipe, what: str) -> tuple[Part, ...]:
    """The parts that the same stage needs once the part `what` has been done and the recipe knows what it found."""
    if what == COPY and recipe.copies:
        return audio_parts(recipe)
    if what == COPY:
        return (Part(PLAN, PLAN_COST * recipe.seconds),)
    if what == PLAN:
        return (*audio_parts(recipe), *chunk_parts(recipe))
    return ()


INGEST = (
    Stage("first", _first, urgent=True),
    Stage("playable", lambda _recipe: (Part(PUBLISH, PUBLISH_COST, suffix="playable"),), urgent=True),
    Stage("rest", _rest),
    Stage("pictures", _pictures),
    Stage("ready", lambda _recipe: (Part(PUBLISH, PUBLISH_COST, suffix="ready"),)),
)
"""The whole way, in order."""

GROWING = f"{PUBLISH}-growing"
"""Shows what stands of a video while the rest of its first stage is made, as often as there is more: no stage waits for
it."""
LAST_PART = f"{PUBLISH}-ready"
"""The part after which nothing is missing."""
FINISHED = "finished"
"""The name of the state after the last stage."""


def stage(name: str) -> Stage:
    """The stage of that name."""
    return next(item for item in INGEST if item.name == name)


def too_late(part: str, stage: str) -> bool:
    """Whether a part came to nothing: it would show something unfinished while more than that stands."""
    return part == GROWING and stage != INGEST[0].name


def after(name: str) -> Stage | None:
    """The stage that follows, None after the last."""
    position = next(i for i, item in enumerate(INGEST) if item.name == name)
    return INGEST[position + 1] if position + 1 < len(INGEST) else None


def onward(name: str, recipe: Recipe) -> Stage | None:
    """The next stage that has something to do once `name` is done; None when everything is."""
    following = after(name)
    while following is not None and not following.opens(recipe):
        following = after(following.name)
    return following
