"""The model's life: what was watched is written out, a process learns from it, its file takes the old one's place."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from streamhost import log, sandbox
from streamhost.db import tastes
from streamhost.db import watch_graph as graph_rows
from streamhost.db.core import Database
from streamhost.features.recommendations.figures import Evaluation
from streamhost.jobs.context import JobContext
from streamhost.ml.recommending.work import Evaluate, Fitting, Request, Train, Trained, plain
from streamhost.model.clock import Clock, Timestamp, iso
from streamhost.model.ids import new_id
from streamhost.model.recommendations import Figures, GraphSize, TooLittleWatched
from streamhost.model.tasks import TrainRecommendations
from streamhost.ports_recommending import WatchGraph

CHILD = "streamhost.ml.recommending.train_child"
FOLDER = "recommender"
"""In the data directory."""
MODEL, SUMMARY, WATCHED, VIDEOS = "model.onnx", "trained.json", "watched.txt", "videos.txt"

_logger = log.get("recommendations")
Report = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Status:
    """How things stand. `trained` is None while there is no model; `waiting`: nodes whose edges are to be made anew."""

    trained: Trained | None
    trained_at: Timestamp | None
    model_bytes: int
    graph: GraphSize
    waiting: int
    sources: Sequence[str]

    def document(self) -> dict[str, Any]:
        """For programs; the time as ISO 8601."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found | {"trained_at": iso(self.trained_at)}


@dataclass(frozen=True, slots=True)
class _Summary:
    """What stands beside the model: when and of how much it was learned, and how everything stood then."""

    trained_at: Timestamp | None = None
    trained: Trained | None = None
    learned_from: str = ""


_NOTHING_LEARNED = _Summary()


class Learning:
    """Trains and measures the model of one data directory."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        data: Path,
        work: Path,
        limits: sandbox.Limits,
        threads: int,
        fitting: Fitting,
    ) -> None:
        """`work`: where files of the moment go."""
        self.renewed: Callable[[], None] = _nobody
        """Hears of each new model."""
        self._db = db
        self._clock = clock
        self._folder = data / FOLDER
        self._work = work
        self._limits = limits
        self._env = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        self._fitting = fitting

    @property
    def model(self) -> Path:
        """Where the model lies, if there is one."""
        return self._folder / MODEL

    async def handle(self, _task: TrainRecommendations, job: JobContext) -> None:
        """The job: learn, unless everything is as it was the last time. Where too little is left to learn from, the old
        model goes: nobody's views stay in it who has taken them back."""
        async with self._db.read() as conn:
            standing = await tastes.standing(conn)
        if standing and standing == self._summary().learned_from:
            return
        try:
            if not standing:
                raise TooLittleWatched("Nothing was watched.")
            await self.train(job.report)
        except TooLittleWatched as error:
            _logger.info("Too little was watched to learn from", action="not_trained", why=error.detail)
            if await asyncio.to_thread(self.reset):
                self.renewed()

    async def train(self, report: Report) -> Trained:
        """Learn from everything and put the model in place. Raises `TooLittleWatched`, `sandbox.ChildError`."""
        now = self._clock()
        async with self._db.read() as conn:
            standing = await tastes.standing(conn)
        async with self._room() as room:
            await self._write_out(room, report)
            model = room / MODEL
            work = Train(str(room / WATCHED), str(room / VIDEOS), str(model), now, self._fitting)
            trained = msgspec.convert(await self._child(Request(train=work), room, [room], report), Trained)
            await asyncio.to_thread(self._put, model, _Summary(now, trained, standing))
        self.renewed()
        _logger.info("The recommender was trained", action="recommender_trained", **plain(trained))
        return trained

    async def evaluate(self, way: str, dataset: Path | None, most: int, report: Report) -> Evaluation:
        """Measure on this site's own, or on a data set (an absolute path).

        Raises `UnreadableDataset`, `TooLittleWatched`, `sandbox.ChildError`."""
        async with self._room() as room:
            readable = [room]
            if dataset is None:
                await self._write_out(room, report)
                work = Evaluate(way, "", str(room / WATCHED), str(room / VIDEOS), self._fitting, most)
            else:
                readable.append(dataset)
                fitting = msgspec.structs.replace(self._fitting, fewest=1)
                work = Evaluate(way, str(dataset), fitting=fitting, most=most)
            found = await self._child(Request(evaluate=work), room, readable, report)
        found["figures"] = [_figures(one) for one in found["figures"]]
        return Evaluation(dataset=dataset.name if dataset else "", **found)

    async def status(self, graph: WatchGraph, sources: Sequence[str]) -> Status:
        """How things stand. Raises `GraphUnavailable`."""
        known = self._summary()
        async with self._db.read() as conn:
            waiting = await graph_rows.waiting(conn)
        try:
            size = self.model.stat().st_size
        except OSError:
            known, size = _NOTHING_LEARNED, 0
        return Status(known.trained, known.trained_at, size, await graph.size(), waiting, sources)

    def reset(self) -> bool:
        """Remove the model; False if there was none."""
        there = self.model.exists()
        shutil.rmtree(self._folder, ignore_errors=True)
        return there

    def _summary(self) -> _Summary:
        try:
            return msgspec.json.decode((self._folder / SUMMARY).read_bytes(), type=_Summary)
        except (OSError, ValueError):
            return _NOTHING_LEARNED

    def _put(self, model: Path, summary: _Summary) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = model.with_name(SUMMARY)
        beside.write_bytes(msgspec.json.encode(summary))
        os.replace(model, self.model)
        os.replace(beside, self._folder / SUMMARY)

    @contextlib.asynccontextmanager
    async def _room(self) -> AsyncIterator[Path]:
        room = self._work / f"recommender-{new_id()}"
        await asyncio.to_thread(room.mkdir, parents=True)
        try:
            yield room
        finally:
            await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)

    async def _write_out(self, room: Path, report: Report) -> None:
        report(0.0, "reading what was watched")
        await _lines(room / WATCHED, tastes.export(self._db))
        await _lines(room / VIDEOS, tastes.videos_by_number(self._db))

    async def _child(self, request: Request, room: Path, readable: Sequence[Path], report: Report) -> dict[str, Any]:
        def hear(message: dict[str, Any]) -> None:
            report(float(message.get("progress", 0.0)), str(message.get("step", "")))

        try:
            return await sandbox.run(
                CHILD,
                plain(request),
                limits=self._limits,
                on_message=hear,
                env=self._env,
                readable=readable,
                writable=room,
            )
        except sandbox.ChildFailed as error:
            if error.kind is not None and not issubclass(error.kind, sandbox.ChildError):
                raise error.kind(error.detail) from error
            raise


def _nobody() -> None:
    """For a house in which no model answers."""


async def _lines(path: Path, pages: AsyncIterator[Sequence[str]]) -> None:
    with await asyncio.to_thread(path.open, "w", encoding="ascii") as file:
        async for lines in pages:
            await asyncio.to_thread(file.write, "".join(f"{line}\n" for line in lines))


def _figures(found: Mapping[str, Any]) -> Figures:
    by_k = {int(length): (pair[0], pair[1]) for length, pair in found["by_k"].items()}
    beaten_by = tuple(found["beaten_by"]) if found.get("beaten_by") else None
    return Figures(**{**found, "by_k": by_k, "beaten_by": beaten_by})
