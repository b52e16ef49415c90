"""What is done at each step from source to package, wherever it is driven from: the catalog or a folder. Pure.

`stages` says which parts there are and in which order; here is which media task a part is, what its answer leaves
behind, and what is written once parts stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, takewhile
from typing import NamedTuple

import msgspec

from streamhost.features.transcoding import stages
from streamhost.features.transcoding.recipe import Recipe, rendition_names
from streamhost.media import choice, dash, hls, ladder, tasks, timeline, wire
from streamhost.media.errors import PartsDoNotFit
from streamhost.model.protection import Protecting
from streamhost.model.stills import ChunkStills, Storyboard
from streamhost.model.streaming import MANIFEST, MASTER_PLAYLIST, Growth, Kind, Plan, Rendition, TextTrack

POSTER_SHARE = Fraction(15, 100)
"""How far into the video the poster is taken: past black openings and titles."""

WORTH_SHOWING = 2
"""Chunks that must be missing for what stands to be shown: the last ones are nearly there."""


class PartFacts(msgspec.Struct, frozen=True):
    """What a finished part left behind, as kept in the catalog."""

    renditions: tuple[Rendition, ...] = ()
    poster: bool = False
    warnings: tuple[str, ...] = ()
    stills: ChunkStills | None = None


class Manifests(NamedTuple):
    """Texts by their names within the package. The `entries` name the `playlists`, so they are stored after them."""

    playlists: dict[str, str]
    entries: dict[str, str]


def media_task(
    recipe: Recipe,
    part: str,
    source: str,
    out: str,
    protecting: Protecting | None = None,
    stills: str | None = None,
) -> tasks.Task:
    """The task of one part of the first or third stage: reads the file `source`, writes into the folder `out`.

    With `protecting` it holds keys: it goes to a child's input and nowhere else. A chunk puts what it takes out of its
    pictures into the folder `stills`; None if nothing is wanted of them."""
    guard = protecting.naming(rendition_names(recipe)) if protecting else None
    what, number = stages.parse(part)
    info = recipe.info
    poster_at = info.duration * POSTER_SHARE
    if what == stages.COPY:
        return tasks.CopyTracks(source, out, info, recipe.rungs, recipe.encoding, protecting=guard)
    if what == stages.PLAN:
        return tasks.MakePlan(source, info, recipe.rungs, recipe.encoding)
    if what == stages.AUDIO:
        track = info.audio[number]
        name = ladder.audio_names(info.audio)[number]
        # The plan has seen every picture; what the container says of its length is only a claim.
        length = recipe.plan.duration if recipe.plan else info.duration
        until = length if info.video else None
        seams = recipe.plan.seams if recipe.plan else ()
        drawn = info.video is None and number == recipe.encode_audio[0]
        return tasks.EncodeAudio(
            source, out, info, track, name, until, recipe.encoding, seams=seams, protecting=guard, poster=drawn
        )
    if recipe.plan is None:
        raise PartsDoNotFit(f"There is no plan for {part}.")
    wanted = None if recipe.copies else poster_at
    return tasks.EncodeChunk(source, out, info, recipe.plan, number, wanted, stills_dir=stills, protecting=guard)


def facts(answer: tasks.Answer | None) -> PartFacts:
    """What is kept of an answer; nothing where nothing was asked."""
    if isinstance(answer, tasks.Copied):
        return PartFacts(answer.renditions, answer.poster is not None, answer.warnings)
    if isinstance(answer, tasks.Encoded):
        return PartFacts(answer.renditions, answer.poster is not None, answer.warnings, answer.stills)
    if isinstance(answer, Storyboard):
        return PartFacts(poster=True)
    if isinstance(answer, Plan):
        return PartFacts(warnings=answer.warnings)
    return PartFacts()


def learn(recipe: Recipe, answer: tasks.Answer | None, settings: ladder.LadderSettings) -> Recipe:
    """The recipe with what reading the source has shown."""
    if isinstance(answer, Plan):
        return replace(recipe, plan=answer)
    if isinstance(answer, tasks.Copied):
        if answer.obstacle is not None:
            return recipe.with_obstacle(answer.obstacle, settings)
        length = max((r.end for r in answer.renditions if r.kind is Kind.VIDEO), default=recipe.info.duration)
        info = replace(recipe.info, duration=length)
        return replace(recipe, info=info, plan=answer.plan, encode_audio=answer.encode_audio)
    return recipe


def standing(parts: Iterable[tuple[str, str | None]]) -> tuple[tuple[Rendition, ...], bool]:
    """The renditions that are complete (one in chunks: when all chunks are), and whether there is a poster.

    `parts` are all parts by name, each with the JSON text of its `PartFacts`, None while it is not done."""
    known = list(parts)
    done = [(name, wire.loads(text, PartFacts)) for name, text in known if text]
    chunks = [found for name, found in done if stages.parse(name)[0] == stages.CHUNK]
    expected = sum(1 for name, _ in known if stages.parse(name)[0] == stages.CHUNK)
    whole = [r for name, found in done if stages.parse(name)[0] != stages.CHUNK for r in found.renditions]
    if expected and len(chunks) == expected:
        whole += timeline.merge(r for found in chunks for r in found.renditions)
    return tuple(whole), any(found.poster for _, found in done)


def begun(recipe: Recipe, parts: Iterable[tuple[str, str | None]]) -> tuple[Rendition, ...]:
    """What can be watched of a video whose chunks are being made: its pictures up to the first chunk that is missing,
    and every sound up to there; nothing while one of these is missing. `parts` as for `standing`."""
    done = {name: text for name, text in parts if text}
    sound = [part.name for part in stages.audio_parts(recipe)]
    chunks = list(takewhile(done.__contains__, (part.name for part in stages.chunk_parts(recipe))))
    if not chunks or not all(name in done for name in sound):
        return ()
    seen, heard = (
        [r for name in names for r in wire.loads(done[name], PartFacts).renditions] for names in (chunks, sound)
    )
    pictures = timeline.merge(seen)
    sounds = [timeline.until(rendition, min(r.end for r in pictures)) for rendition in heard]
    return (*pictures, *sounds) if all(rendition.segments for rendition in sounds) else ()


def worth_showing(
    recipe: Recipe, parts: Iterable[tuple[str, str | None]], elapsed: float, eta: float | None = None
) -> bool:
    """Whether to show a video before all of it is made: whoever begins now must not have to wait, that is, at the pace
    up to now the rest is made in less time than all of it plays.

    What took `elapsed` seconds up to now may have been made in less: work waits behind other videos' and is paused. So
    where the pace while it is made is known, `eta` (seconds for the rest) counts too; of both the better one is true.

    Not for what is nearly there, and not for chips: where one fails, what it made is made anew. `parts` as for
    `standing`."""
    known = list(parts)
    done = dict(known)
    missing = [part for part in stages.chunk_parts(recipe) if not done.get(part.name)]
    if recipe.copies or recipe.encoding.encoder != choice.SOFTWARE or len(missing) < WORTH_SHOWING:
        return False
    made = float(max((r.end for r in begun(recipe, known)), default=0))
    if not made:
        return False
    by_clock = elapsed * (recipe.seconds - made) / made
    return min(by_clock, by_clock if eta is None else eta) <= recipe.seconds


def playing(recipe: Recipe, parts: Iterable[tuple[str, str | None]]) -> tuple[tuple[Rendition, ...], bool]:
    """The renditions that the manifests speak of, the complete ones or what can be watched of a video that is shown
    while it is made; and whether there is a poster. `parts` as for `standing`."""
    known = list(parts)
    whole, poster = standing(known)
    return (begun(recipe, known) if _grows(recipe, known) else ()) or whole, poster


def growth(recipe: Recipe, parts: Iterable[tuple[str, str | None]], since: float, now: float) -> Growth | None:
    """How a video that is, or was, shown while it was made grows; None for others. Its making began at `since`."""
    known = list(parts)
    plan = recipe.plan
    if plan is None or all(name != stages.GROWING for name, _ in known):
        return None
    target = max(round(Fraction(end - start, plan.timescale)) for start, end in pairwise(plan.boundaries))
    return Growth(plan.duration, max(1, target), since, now, over=not _grows(recipe, known))


def _grows(recipe: Recipe, parts: Iterable[tuple[str, str | None]]) -> bool:
    """Whether it is shown while it is made, and a chunk is still missing."""
    done = dict(parts)
    return stages.GROWING in done and not all(done.get(part.name) for part in stages.chunk_parts(recipe))


def manifests(
    standing: tuple[Rendition, ...],
    captions: Iterable[TextTrack] = (),
    storyboard: Storyboard | None = None,
    growth: Growth | None = None,
) -> Manifests:
    """HLS and DASH for the renditions that stand, with captions and storyboard; HLS alone where files are encrypted as
    a whole.
    """
    presentation = timeline.presentation(standing, storyboard, captions, growth)
    playlists = hls.playlists(presentation)
    master = playlists.pop(MASTER_PLAYLIST)
    whole = any(r.protection and not r.protection.scheme.common for r in standing)
    entries = {} if whole else {MANIFEST: dash.manifest(presentation)}
    return Manifests(playlists, {**entries, MASTER_PLAYLIST: master})
