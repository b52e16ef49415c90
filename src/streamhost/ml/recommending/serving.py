"""The model at work: one process that holds it, begun when there is a model, exchanged when there is a new one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from streamhost import log, sandbox
from streamhost.ml.recommending.work import ModelAbout, Scored
from streamhost.ml.run import ONE_THREAD
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Candidate, NotTrained, Profile, Reason, ReasonKind
from streamhost.ports_recommending import RecommenderUnavailable

CHILD = "streamhost.ml.recommending.serve_child"
START_SECONDS = 60.0
ANSWER_SECONDS = 5.0
REST_SECONDS = 30.0
"""After a failure, for so long none is begun."""
LOOK_SECONDS = 5.0
"""How old a look at the model's file may be."""
MEMORY = 2048 * sandbox.MIB
_LINE = 4 * sandbox.MIB
_STDERR_TAIL = 4096

_logger = log.get("recommender")
Signature = tuple[int, int, int]


class _Gone(Exception):
    """The process ended, or talks nonsense."""


class _Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self._input, self._output = process.stdin, process.stdout
        self._listening = asyncio.create_task(self._listen(process.stderr))
        self.about = ModelAbout(0.0, 0, 0, 0)
        self.said = b""

    @classmethod
    async def begin(cls, model: Path) -> _Process:
        """A process that has read the model. Raises `_Gone`, `sandbox.ChildError`."""
        limits = sandbox.Limits(memory=MEMORY, file_size=0, nice=0, silence_seconds=START_SECONDS, strict=False)
        process = cls(await sandbox.spawn(CHILD, limits, env=ONE_THREAD, readable=[model], apart=False))
        try:
            async with asyncio.timeout(START_SECONDS):
                first = await process.ask({"model": str(model)})
            process.about = msgspec.convert(first.get("ready"), ModelAbout)
        except (TimeoutError, msgspec.ValidationError, _Gone) as error:
            await process.end()
            raise _Gone(f"{error} {process.said.decode(errors='replace')}".strip()) from error
        except BaseException:
            await process.end()
            raise
        return process

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request. Raises `_Gone`."""
        with contextlib.suppress(OSError):  # if it is gone, reading says so
            self._input.write(msgspec.json.encode(request) + b"\n")
            await self._input.drain()
        line = bytearray()
        while not line.endswith(b"\n"):
            part = await self._output.read(64 * 1024)
            line += part
            if not part or len(line) > _LINE:
                raise _Gone("It ended." if not part else "It said too much.")
        try:
            found = msgspec.json.decode(line)
        except msgspec.DecodeError:
            raise _Gone("It said something else than an answer.") from None
        if not isinstance(found, dict) or "failed" in found:
            raise _Gone(str(found.get("failed", "")) if isinstance(found, dict) else "It said nothing.")
        return found

    async def end(self) -> None:
        self._input.close()
        await sandbox.end(self._process, self._listening)

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while chunk := await stderr.read(_STDERR_TAIL):
            self.said = (self.said + chunk)[-_STDERR_TAIL:]


class ModelServer:
    """Asks the model of one file, whenever there is one. Belongs to one event loop."""

    def __init__(self, model: Path, renewed: Callable[[], None]) -> None:
        """`renewed` hears of each model that begins to answer."""
        self._model = model
        self._renewed = renewed
        self._process: _Process | None = None
        self._signature: Signature | None = None
        self._turn = asyncio.Lock()
        self._beginning: asyncio.Task[None] | None = None
        self._looked = -LOOK_SECONDS
        self._rest_until = 0.0
        self._closed = False

    @property
    def about(self) -> ModelAbout | None:
        """What the model that answers says of itself; None while none does."""
        return self._process.about if self._process else None

    async def ready(self) -> bool:
        """Begin what is to be begun, and wait for it; whether a model answers now."""
        self.look()
        while self._beginning is not None:
            await asyncio.wait([self._beginning])
        return self._process is not None

    async def ask(self, history: Sequence[tuple[str, float]], count: int) -> list[Scored]:
        """The best `count` videos for this history. Raises `NotTrained`, `RecommenderUnavailable`.

        Does not wait for a process that is only beginning: whoever asks has others to ask."""
        self._look(now=False)
        if self._process is None:
            if self._signature is None and self._beginning is None:
                raise NotTrained
            raise RecommenderUnavailable("The model is being read.")
        work = asyncio.create_task(self._in_turn(history, count))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # looked at, also if nobody waits
        # Whoever asks may give up; the answer must be read all the same, or the next one would get it.
        return await asyncio.shield(work)

    async def _in_turn(self, history: Sequence[tuple[str, float]], count: int) -> list[Scored]:
        async with self._turn:
            process = self._process
            if process is None:
                raise RecommenderUnavailable("The model has just ended.")
            return await self._answer(process, history, count)

    async def _answer(self, process: _Process, history: Sequence[tuple[str, float]], count: int) -> list[Scored]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await process.ask({"history": list(history), "count": count})
            return [Scored(*one) for one in msgspec.convert(answer["found"], list[tuple[str, float, str]])]
        except (_Gone, TimeoutError, KeyError, msgspec.ValidationError) as error:
            self._lost(process, str(error) or type(error).__name__)
            raise RecommenderUnavailable(str(error)) from error

    async def close(self) -> None:
        """End the process."""
        self._closed = True
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.wait([self._beginning])
        if self._process is not None:
            process, self._process = self._process, None
            await process.end()

    def look(self) -> None:
        """See now whether there is another model, and let it be read beside the one that answers."""
        self._look(now=True)

    def _look(self, *, now: bool) -> None:
        """See whether the file is another one than the process has read; then begin a new process beside it."""
        moment = asyncio.get_running_loop().time()
        if self._closed or self._beginning is not None or (not now and moment - self._looked < LOOK_SECONDS):
            return
        self._looked = moment
        signature = self._file()
        if signature is None:
            if self._process is not None:
                self._retire()
            self._signature = None
            return
        if (signature == self._signature and self._process is not None) or moment < self._rest_until:
            return
        self._beginning = asyncio.create_task(self._begin(signature), name="recommender")

    def _file(self) -> Signature | None:
        try:
            stat = self._model.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    async def _begin(self, signature: Signature) -> None:
        process, why = None, ""
        try:
            process = await _Process.begin(self._model)
        except (_Gone, sandbox.ChildError) as error:
            why = str(error)
        finally:
            self._beginning = None
        if process is None:
            if self._file() not in (signature, None):
                self._look(now=True)  # another model took its place while it was read
                return
            self._rest_until = asyncio.get_running_loop().time() + REST_SECONDS
            self._signature = signature
            _logger.error("The recommender did not start", action="recommender_not_started", why=why)
            return
        if self._closed:
            await process.end()
            return
        self._retire()
        self._process, self._signature = process, signature
        self._renewed()
        _logger.info("The recommender is ready", action="recommender_ready", videos=process.about.videos)

    def _lost(self, process: _Process, why: str) -> None:
        _logger.warning("The recommender was lost", action="recommender_lost", why=why)
        self._rest_until = asyncio.get_running_loop().time() + REST_SECONDS
        if self._process is process:
            self._retire()

    def _retire(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            asyncio.get_running_loop().create_task(self._end(process))

    async def _end(self, process: _Process) -> None:
        async with self._turn:
            await process.end()


class OnnxRecommender:
    """Proposes what the trained model finds; a `Recommender`."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        if not profile.seen:
            return ()
        return await self._found([(one.video_id, one.strength) for one in profile.seen], limit)

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        return await self._found([(video_id, 1.0)], limit)

    async def _found(self, history: Sequence[tuple[str, float]], limit: int) -> Sequence[Candidate]:
        try:
            found = await self._server.ask(history, limit)
        except NotTrained:
            return ()
        return [Candidate(VideoId(one.id), one.score, _reason(one.because)) for one in found]


def _reason(because: str) -> Reason:
    return Reason(ReasonKind.WATCHED, VideoId(because)) if because else Reason(ReasonKind.VIEWERS)
