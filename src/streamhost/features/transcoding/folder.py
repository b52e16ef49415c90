"""One local file made into a package in a folder: the same steps as in the catalog, without one.

What is done is noted in a journal below the folder, so that a run that was ended goes on where its parts stand.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from streamhost import log
from streamhost.features.transcoding import encoder, leftovers, pictures, pipeline, stages, words
from streamhost.features.transcoding import recipe as recipes
from streamhost.features.transcoding.encoder import EncoderChooser, RunsMedia
from streamhost.features.transcoding.pace import Estimate, Left, Pace
from streamhost.features.transcoding.recipe import Recipe, Rules
from streamhost.media import stills, tasks, wire
from streamhost.model.clock import Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.stills import STORYBOARD_TRACK, Storyboard
from streamhost.model.streaming import CAPTIONS_FILE, POSTER, MediaInfo, Presentation, Rendition, TextTrack

WORK_FOLDER = ".streamhost"
"""Below the package's folder while it is made; no server hands out names that start with a dot."""
JOURNAL = "journal.json"
STILLS = "stills"
CAPTIONS = "captions"
TRIES = 2
"""How often a part is tried: a second time in case the machine was to blame."""


class FolderNotEmpty(StreamhostError):
    """There is something in that folder already."""

    code = "folder_not_empty"
    hint = "Choose an empty folder, or allow files in it to be overwritten with --force."
    permanent = True


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the package is: share (0..1), the newest step, and what is known of the pace."""

    share: float
    step: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Made:
    """What came out."""

    info: MediaInfo
    renditions: tuple[Rendition, ...]
    poster: bool
    notes: tuple[str, ...]
    captions: tuple[TextTrack, ...] = ()


class _Done(msgspec.Struct):
    """A part as the journal keeps it."""

    stage: str
    weight: float
    facts: str | None = None


class _Journal(msgspec.Struct):
    """What a later run must know. `source` tells whether it is still the same file, made in the same way."""

    source: str
    stage: str
    recipe: str
    parts: dict[str, _Done]
    notes: list[str]
    storyboard: str | None = None
    captions: str | None = None


@dataclass(slots=True)
class _State:
    recipe: Recipe
    stage: str
    parts: dict[str, _Done] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    storyboard: Storyboard | None = None
    captions: tuple[TextTrack, ...] | None = None


class FolderMaker:
    """Makes packages in folders, several parts at once."""

    def __init__(
        self,
        run: RunsMedia,
        rules: Rules,
        chooser: EncoderChooser,
        clock: Clock,
        *,
        at_once: int,
        told: Callable[[Standing], None] = lambda _standing: None,
    ) -> None:
        """`at_once` is how many media processes run; `told` hears how far it is, often."""
        self._run = run
        self._rules = rules
        self._chooser = chooser
        self._clock = clock
        self._at_once = at_once
        self._told = told
        self._pace = Pace()
        self._shares: dict[str, float] = {}
        self._log = log.get("transcoding")

    async def make(self, source: Path, out: Path, *, force: bool = False) -> Made:
        """Make a package of the file `source` in the folder `out` (both absolute), or go on with one begun there.

        Raises `FolderNotEmpty` unless `force`, and what the media tasks raise; what was done is kept then."""
        marks = self._marks(source)
        state = self._resumed(out, marks)
        if state is None:
            if not force:
                _check_empty(out)
            state = await self._begin(source)
        (out / WORK_FOLDER).mkdir(parents=True, exist_ok=True)
        try:
            if state.captions is None:
                await self._take_captions(state, source, out)
            stage: stages.Stage | None = stages.stage(state.stage)
            while stage is not None:
                state.stage = stage.name
                await self._stage(state, stage, source, out, marks)
                stage = stages.onward(stage.name, state.recipe)
        finally:
            await self._chooser.stop()
        standing, poster = _standing(state)
        leftovers.sweep(out, _files(state))
        shutil.rmtree(out / WORK_FOLDER)
        return Made(state.recipe.info, standing, poster, tuple(state.notes), state.captions or ())

    async def _begin(self, source: Path) -> _State:
        self._told(Standing(0.0, "scan", Estimate(None, None)))
        info = await self._run(tasks.Probe(str(source)), lambda _share, _step: None, None)
        assert isinstance(info, MediaInfo)
        encoding = replace(self._rules.encoding, encoder=(await self._chooser.chosen()).name)
        recipe = recipes.choose(info, self._rules.ladder, encoding, self._rules.copy_limits)
        return _State(recipe, stages.INGEST[0].name, notes=[*info.warnings, *filter(None, [recipe.obstacle])])

    async def _take_captions(self, state: _State, source: Path, out: Path) -> None:
        """Take the text subtitles out of the file; if that fails the stream does without them, and a note says so."""
        info = state.recipe.info
        state.captions = ()
        if not any(track.text for track in info.subtitles):
            return
        room = out / WORK_FOLDER / CAPTIONS
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        try:
            answer = await self._run(
                tasks.ExtractText(str(source), str(room), info), lambda _share, step: self._tell(state, step), room
            )
        except StreamhostError as error:
            state.notes.append(words.not_taken(error))
            return
        assert isinstance(answer, tasks.Extracted)
        state.captions = tuple(words.text_tracks(info, answer))
        state.notes += answer.warnings
        for track, found in zip(state.captions, answer.tracks, strict=True):
            (out / track.name).mkdir(parents=True, exist_ok=True)
            os.replace(room / found.name, out / track.name / CAPTIONS_FILE)

    async def _stage(self, state: _State, stage: stages.Stage, source: Path, out: Path, marks: str) -> None:
        for part in stage.opens(state.recipe):
            state.parts.setdefault(part.name, _Done(stage.name, part.weight))
        self._write(state, out, marks)
        tries: dict[str, int] = {}
        running: dict[asyncio.Task[None], str] = {}
        try:
            while True:
                todo = [n for n, p in state.parts.items() if p.facts is None and n not in running.values()]
                for name in self._next(todo, running.values()):
                    tries[name] = tries.get(name, 0) + 1
                    running[asyncio.create_task(self._part(state, name, source, out))] = name
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._settle(state, running.pop(task), task, tries)
                self._write(state, out, marks)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _next(self, todo: Iterable[str], running: Iterable[str]) -> list[str]:
        """The next parts to begin: so many of the pictures at once, and as many of the sound beside them."""
        room = dict.fromkeys((True, False), self._at_once)
        for name in running:
            room[stages.parse(name)[0] == stages.AUDIO] -= 1
        begun = []
        for name in todo:
            sound = stages.parse(name)[0] == stages.AUDIO
            if room[sound] > 0:
                room[sound] -= 1
                begun.append(name)
        return begun

    def _settle(self, state: _State, name: str, task: asyncio.Task[None], tries: dict[str, int]) -> None:
        """A part came to an end: nothing more to do, once more, or the end of everything."""
        error = task.exception()
        if error is None:
            return
        if not isinstance(error, StreamhostError) or error.permanent or tries[name] >= TRIES:
            raise error
        self._log.warning("a part is made again", part=name, code=error.code, detail=error.detail)

    async def _part(self, state: _State, name: str, source: Path, out: Path) -> None:
        what, _ = stages.parse(name)
        if what == stages.PUBLISH:
            self._publish(state, out)
            state.parts[name].facts = wire.dumps(pipeline.PartFacts()).decode()
            return
        recipe = state.recipe
        room = out / WORK_FOLDER / name
        shutil.rmtree(room, ignore_errors=True)
        (room / STILLS).mkdir(parents=True)
        weight = state.parts[name].weight
        self._pace.begin(name, self._clock())

        def report(share: float, step: str) -> None:
            self._shares[name] = share
            self._pace.heard(name, weight, share, self._clock())
            self._tell(state, step)

        try:
            wanted = self._task(state, name, source, out, room)
            answer = await self._run(wanted, report, room) if wanted else None
        except StreamhostError as error:
            if not encoder.blames_encoder(recipe, name, error):
                raise
            if encoder.same_encoder(recipe, state.recipe):
                self._by_software(state, recipe, error)
            return
        finally:
            self._pace.end(name)
            self._shares.pop(name, None)
        if what == stages.CHUNK and not encoder.same_encoder(recipe, state.recipe):
            return
        _move(room / STILLS, out / WORK_FOLDER / STILLS)
        if isinstance(answer, Storyboard):
            self._add_poster(state, out)
        _move(room, out)
        self._learn(state, name, answer)

    def _task(self, state: _State, name: str, source: Path, out: Path, room: Path) -> tasks.Task | None:
        """What is to be done for a part; None where nothing can be."""
        if stages.parse(name)[0] != stages.STORYBOARD:
            return pipeline.media_task(state.recipe, name, str(source), str(room), stills=str(room / STILLS))
        found = pictures.of_chunks((other, part.facts) for other, part in state.parts.items())
        if found is None:
            return None
        files = [out / WORK_FOLDER / STILLS / one.tiles for one in found if one.tiles]
        return pictures.pasting(found, files, room, Presentation(_standing(state)[0]).duration)

    def _add_poster(self, state: _State, out: Path) -> None:
        """Make the best candidate the poster."""
        found = stills.merge(pictures.of_chunks((name, part.facts) for name, part in state.parts.items()) or ())
        best = stills.automatic(found.posters)
        if best is not None:
            still = found.posters[best]
            data = (out / WORK_FOLDER / STILLS / still.file).read_bytes()
            _replace(out / POSTER, data[still.offset : still.offset + still.size])

    def _learn(self, state: _State, name: str, answer: tasks.Answer | None) -> None:
        facts = pipeline.facts(answer)
        what, _ = stages.parse(name)
        state.parts[name].facts = wire.dumps(facts).decode()
        if isinstance(answer, Storyboard):
            state.storyboard = answer
        state.recipe = pipeline.learn(state.recipe, answer, self._rules.ladder)
        for part in stages.follow_up(state.recipe, what):
            state.parts.setdefault(part.name, _Done(state.stage, part.weight))
        obstacle = answer.obstacle if isinstance(answer, tasks.Copied) else None
        state.notes += [note for note in (obstacle, *facts.warnings) if note and note not in state.notes]

    def _by_software(self, state: _State, recipe: Recipe, error: StreamhostError) -> None:
        """Have libx264 encode what the chosen encoder could not, and what it had made already."""
        state.recipe = encoder.by_software(state.recipe)
        state.notes.append(encoder.sentence(recipe, error))
        for name, part in state.parts.items():
            if stages.parse(name)[0] == stages.CHUNK:
                part.facts = None

    def _publish(self, state: _State, out: Path) -> None:
        for name, text in _texts(state).items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text.encode())

    def _tell(self, state: _State, step: str) -> None:
        left = Left.of(
            (name, part.weight, 1.0 if part.facts is not None else self._shares.get(name, 0.0))
            for name, part in state.parts.items()
        )
        done = sum(part.weight * part.progress for part in left)
        whole = max(state.recipe.work, sum(part.weight for part in left), 1e-9)
        self._told(Standing(min(1.0, done / whole), step, self._pace.estimate(left, state.recipe.work)))

    def _write(self, state: _State, out: Path, marks: str) -> None:
        board = wire.dumps(state.storyboard).decode() if state.storyboard else None
        captions = None if state.captions is None else wire.dumps(state.captions).decode()
        journal = _Journal(marks, state.stage, state.recipe.to_json(), state.parts, state.notes, board, captions)
        _replace(out / WORK_FOLDER / JOURNAL, msgspec.json.encode(journal))

    def _marks(self, source: Path) -> str:
        facts = source.stat()
        return f"{source} {facts.st_size} {facts.st_mtime_ns} {wire.dumps(self._rules).decode()}"

    def _resumed(self, out: Path, marks: str) -> _State | None:
        """Where an earlier run stopped; None when there was none, or of another file."""
        try:
            journal = msgspec.json.decode((out / WORK_FOLDER / JOURNAL).read_bytes(), type=_Journal)
            if journal.source != marks:
                return None
            board = wire.loads(journal.storyboard, Storyboard) if journal.storyboard else None
            captions = wire.loads(journal.captions, tuple[TextTrack, ...]) if journal.captions else None
            recipe = Recipe.from_json(journal.recipe)
            return _State(recipe, journal.stage, journal.parts, journal.notes, board, captions)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None


def _standing(state: _State) -> tuple[tuple[Rendition, ...], bool]:
    return pipeline.standing((name, part.facts) for name, part in state.parts.items())


def _texts(state: _State) -> dict[str, str]:
    """All manifests by relative path; the ones that name the others come last."""
    texts = pipeline.manifests(_standing(state)[0], state.captions or (), state.storyboard)
    return {**texts.playlists, **texts.entries}


def _files(state: _State) -> set[str]:
    """Every file of the stream as it stands, by relative path."""
    standing, poster = _standing(state)
    captions = {f"{track.name}/{CAPTIONS_FILE}" for track in state.captions or ()}
    found = {*_texts(state), *captions, *leftovers.media_files(standing, state.storyboard)}
    return found | ({POSTER} if poster else set()) | ({STORYBOARD_TRACK} if state.storyboard else set())


def _check_empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise FolderNotEmpty(f"{out}")


def _move(room: Path, out: Path) -> None:
    """Put what a part made into the package; what has the same name is replaced."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(room.rglob("*")):
        target = out / path.relative_to(room)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            os.replace(path, target)
    shutil.rmtree(room, ignore_errors=True)


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(data)
    os.replace(temporary, path)
