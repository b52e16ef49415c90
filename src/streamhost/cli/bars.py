"""How work is told of on a terminal: what is done, how fast, and how long it will still take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from streamhost.cli.tables import length_text
from streamhost.late import late

if TYPE_CHECKING:
    from rich import console as terminal
    from rich import progress
else:
    terminal, progress = late("rich.console"), late("rich.progress")

STEPS: Mapping[str, str] = {
    "start": "starting",
    "fetch": "fetching the file",
    "scan": "looking through the file",
    "copy": "packaging",
    "encode": "encoding",
    "audio": "sound",
    "captions": "reading the subtitles",
    "publish": "writing manifests",
    "take": "taking the file in",
}
"""By the media workshop's word; other words are shown as they are."""


def step_text(step: str) -> str:
    """What is done now."""
    return STEPS.get(step, step)


def speed_text(speed: float | None) -> str:
    """Seconds of film a second, as `3.2x`; nothing while that is not known."""
    return "" if speed is None else f"{speed:.1f}x"


def left_text(seconds: float | None) -> str:
    """The time left as `0:07 left` or `1:02:03 left`; nothing while that is not known."""
    return "" if seconds is None else f"{length_text(seconds)} left"


def words(field: str) -> progress.TextColumn:
    """A column of words as they are: brackets in a title are no markup. Signs that terminals obey are for whoever gives
    the words to take out."""
    return progress.TextColumn(f"{{task.{field}}}", markup=False)


def live_bars(*columns: progress.ProgressColumn, quiet: bool = False, stays: bool = False) -> progress.Progress:
    """Progress on standard error: what is done, a bar, `columns`; gone at the end unless it `stays`, and nothing where
    nobody looks."""
    console = terminal.Console(stderr=True)
    return progress.Progress(
        words("description"),
        progress.BarColumn(),
        *columns,
        console=console,
        transient=not stays,
        disable=quiet or not console.is_terminal,
    )


def byte_bars(*columns: progress.ProgressColumn) -> progress.Progress:
    """The same for bytes on their way: how many, how fast, and how long it will still take."""
    return live_bars(
        *columns,
        progress.DownloadColumn(binary_units=True),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
