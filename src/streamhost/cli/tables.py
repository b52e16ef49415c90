"""Lists on a terminal, and sizes and moments for people. Through a pipe a list is plain text without colours."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from streamhost.late import late
from streamhost.model.words import blanked

if TYPE_CHECKING:
    from rich import console as terminal
    from rich import table as tables
    from rich import text as texts
else:
    terminal, tables, texts = late("rich.console"), late("rich.table"), late("rich.text")


def size_text(number: float) -> str:
    """Bytes for people."""
    value = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def length_text(seconds: float | None) -> str:
    """A film's length as `1:02:03`, empty where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], none: str = "There are none.") -> None:
    """A list with a line above that names its columns; `none` where it is empty.

    On a terminal what is too wide is folded; elsewhere nothing is cut, and columns are two spaces apart."""
    if not rows:
        click.echo(none)
        return
    if sys.stdout.isatty():
        table = tables.Table(*head, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            # As text: a title must not be taken for markup.
            table.add_row(*(texts.Text(blanked(cell)) for cell in row))
        terminal.Console(width=max(40, shutil.get_terminal_size().columns)).print(table)
        return
    lines = [tuple(head), *(tuple(blanked(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
