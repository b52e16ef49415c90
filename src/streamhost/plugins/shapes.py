"""The `shape_*` hooks: plugins that may put another value in place of one. What is no such value is passed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from streamhost.model.errors import StreamhostError
from streamhost.model.mail import Message
from streamhost.model.streaming import MediaInfo, Rung
from streamhost.plugins.asking import Asking

T = TypeVar("T")
MOST_RUNGS = 16
LARGEST_CRF = 51


def _possible(rung: Rung, width: int, height: int) -> bool:
    """Whether a rendition can be made within a size, and has the name that goes with its own."""
    even = rung.width % 2 == rung.height % 2 == 0
    rates = 0 <= rung.crf <= LARGEST_CRF and rung.max_rate > 0 and rung.buffer > 0
    named = rung.name == f"v{min(rung.width, rung.height)}"
    return even and rates and named and 0 < rung.width <= width and 0 < rung.height <= height


class Shapes:
    """Asks every plugin in turn; each is given what the one before it made of the value."""

    def __init__(self, asking: Asking, patience: float) -> None:
        self._asking = asking
        self._patience = patience

    async def ladder(self, rungs: tuple[Rung, ...], info: MediaInfo) -> tuple[Rung, ...]:
        """The renditions that a source becomes."""
        if not rungs:
            return rungs
        width, height = max(rung.width for rung in rungs), max(rung.height for rung in rungs)

        def fits(shaped: object) -> bool:
            return (
                isinstance(shaped, tuple)
                and 0 < len(shaped) <= MOST_RUNGS
                and all(isinstance(rung, Rung) and _possible(rung, width, height) for rung in shaped)
                and len({rung.name for rung in shaped}) == len(shaped)
            )

        return await self._shaped("shape_ladder", "rungs", rungs, fits, info=info)

    async def mail(self, message: Message) -> Message:
        """A mail that is about to be sent."""

        def fits(shaped: object) -> bool:
            return (
                isinstance(shaped, Message)
                and (shaped.id, shaped.recipient) == (message.id, message.recipient)
                and all(isinstance(part, str) for part in (shaped.subject, shaped.text, shaped.html))
            )

        return await self._shaped("shape_mail", "message", message, fits)

    async def _shaped(self, hook: str, name: str, value: T, fits: Callable[[object], bool], **given: Any) -> T:
        for impl in self._asking.who(hook):
            try:
                shaped = await self._asking.ask(hook, impl, self._patience, **{name: value}, **given)
            except StreamhostError as error:
                self._asking.note(hook, impl.plugin_name, error)
                continue
            if shaped is None:
                continue
            if fits(shaped):
                value = shaped
            else:
                self._asking.note(hook, impl.plugin_name, f"It returned what cannot be used: {shaped!r}")
        return value
