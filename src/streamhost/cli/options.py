"""Options that many commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
USUAL = "[default: STREAMHOST_DATA or the platform's usual place]"
"""Which data directory is meant where none is named."""


def data_directory(words: str) -> Callable[[F], F]:
    """The option `--data`, with what it is for."""
    return click.option("--data", type=click.Path(path_type=Path, file_okay=False), help=words)


data_option = data_directory(f"Directory of the catalog. {USUAL}")
json_option = click.option("--json", "as_json", is_flag=True, help="For programs: JSON instead of words.")
