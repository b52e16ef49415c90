"""Which encoder makes the videos: found out once, and given up for software where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from streamhost import log, sandbox
from streamhost.db import packages
from streamhost.db.core import Connection
from streamhost.features.transcoding import stages
from streamhost.features.transcoding.recipe import Recipe
from streamhost.media import choice, tasks
from streamhost.media.errors import EncoderFailed
from streamhost.model.errors import StreamhostError

NOT_THE_ENCODER = frozenset({sandbox.ChildNotStarted.code, sandbox.ChildNotConfined.code})
"""Ends of a child process that say nothing about what it was to do."""


class RunsMedia(Protocol):
    """Does one media task in a limited child process."""

    def __call__(
        self, task: tasks.Task, report: Callable[[float, str], None], writable: Path | None
    ) -> Awaitable[tasks.Answer]:
        """The answer that `media.tasks` names. `report` hears 0..1 and a word for the step; only `writable` is written.

        Raises the child's own error, or one of `streamhost.sandbox`."""
        ...


class EncoderChooser:
    """Tries the encoders in a child process, once; whoever asks waits for the outcome."""

    def __init__(self, wanted: str, run: RunsMedia) -> None:
        """`wanted` is the setting `media.encoder`."""
        self._wanted = wanted
        self._run = run
        self._trial: asyncio.Task[choice.Choice] | None = None
        self._log = log.get("transcoding")

    def start(self) -> None:
        """Begin to try, beside everything else."""
        if self._trial is None:
            self._trial = asyncio.create_task(self._try(), name="encoders")

    async def stop(self) -> None:
        """Try no longer."""
        if self._trial is not None:
            self._trial.cancel()
            await asyncio.gather(self._trial, return_exceptions=True)
            self._trial = None

    async def chosen(self) -> choice.Choice:
        """The encoder to use, and what did not work as wished."""
        self.start()
        assert self._trial is not None, "started above"
        return await asyncio.shield(self._trial)

    async def _try(self) -> choice.Choice:
        names = choice.candidates(self._wanted)
        if names == (choice.SOFTWARE,):
            return choice.Choice(choice.SOFTWARE)
        try:
            tried = await self._run(tasks.TryEncoders(names), lambda _share, _step: None, None)
        except StreamhostError as error:
            tried = tasks.EncodersTried((), dict.fromkeys(names, str(error)))
        assert isinstance(tried, tasks.EncodersTried)
        chosen = choice.choose(self._wanted, tried.working, tried.reasons)
        say = self._log.warning if chosen.note and self._wanted != choice.AUTO else self._log.info
        say("an encoder was chosen", encoder=chosen.name, works=list(tried.working), does_not=dict(tried.reasons))
        return chosen


def blames_encoder(recipe: Recipe, part: str, error: StreamhostError) -> bool:
    """Whether a part that failed is to be made by software: its encoder failed, or took the process down with it."""
    if recipe.encoding.encoder == choice.SOFTWARE or stages.parse(part)[0] != stages.CHUNK:
        return False
    if isinstance(error, sandbox.ChildFailed):
        return error.code == EncoderFailed.code
    return isinstance(error, sandbox.ChildError) and error.code not in NOT_THE_ENCODER


def same_encoder(one: Recipe, other: Recipe) -> bool:
    """Whether what was made after one recipe fits beside what is made after the other."""
    return one.encoding.encoder == other.encoding.encoder


def by_software(recipe: Recipe) -> Recipe:
    """The recipe with libx264 instead of the encoder that failed."""
    plan = replace(recipe.plan, encoder=choice.SOFTWARE) if recipe.plan else None
    return replace(recipe, plan=plan, encoding=replace(recipe.encoding, encoder=choice.SOFTWARE))


def sentence(recipe: Recipe, error: StreamhostError) -> str:
    """What is said on the video whose encoder failed."""
    reason = (error.detail or str(error)).rstrip(". ")
    return f"The encoder {recipe.encoding.encoder} failed ({reason}); {choice.SOFTWARE} encodes this video instead."


async def unmake_chunks(conn: Connection, package: packages.PackageRow) -> list[str]:
    """Forget what the failed encoder made: a rendition's chunks share one header, so they have one encoder. The parts
    that are to be done again."""
    made = [
        part.name
        for part in await packages.parts(conn, package.id)
        if part.done_at is not None and stages.parse(part.name)[0] == stages.CHUNK
    ]
    for name in made:
        await packages.part_undone(conn, package.id, name)
    return made
