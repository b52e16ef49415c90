"""Asks everybody who proposes at once, waits for none too long, and does without those who fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from streamhost import log
from streamhost.model.recommendations import Candidate, sound
from streamhost.ports_recommending import Recommender

REMINDERS = 60.0
"""Seconds in which the log hears of one source's failures once."""

_logger = log.get("recommendations")


@dataclass(frozen=True, slots=True)
class Asked:
    """What came, by source, and who failed or was too slow."""

    answers: Mapping[str, Sequence[Candidate]]
    failed: frozenset[str]


class Asking:
    """Some recommenders by name, and the patience with them (seconds)."""

    def __init__(self, sources: Mapping[str, Recommender], patience: float) -> None:
        self.sources = dict(sources)
        self._patience = patience
        self._told: dict[str, float] = {}

    async def ask(self, question: Callable[[Recommender], Awaitable[Sequence[Candidate]]], limit: int) -> Asked:
        """The sound part of everybody's answer."""
        names = list(self.sources)
        found = await asyncio.gather(*(self._one(name, question, limit) for name in names))
        answers = {name: answer for name, answer in zip(names, found, strict=True) if answer is not None}
        return Asked(answers, frozenset(names) - frozenset(answers))

    async def _one(
        self, name: str, question: Callable[[Recommender], Awaitable[Sequence[Candidate]]], limit: int
    ) -> Sequence[Candidate] | None:
        try:
            async with asyncio.timeout(self._patience):
                answer = await question(self.sources[name])
            count = len(answer)
            kept = sound(answer, limit)
        except TimeoutError:
            self._complain(name, f"It took longer than {self._patience:g} seconds.")
            return None
        except Exception as error:  # what plugins raise may be anything
            self._complain(name, f"{type(error).__name__}: {error}")
            return None
        if len(kept) < min(count, limit):
            self._complain(name, f"{min(count, limit) - len(kept)} of its proposals are none.")
        return kept

    def _complain(self, name: str, why: str) -> None:
        now = time.monotonic()
        if now - self._told.get(name, -REMINDERS) < REMINDERS:
            return
        self._told[name] = now
        _logger.warning("A source of recommendations failed", action="recommender_failed", source=name, why=why[:500])
