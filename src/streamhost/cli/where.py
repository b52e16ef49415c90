"""Where a command works: at a running server over HTTP, or in a data directory of this machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from streamhost.cli.options import USUAL, data_directory, json_option
from streamhost.cli.remote import Remote

A = TypeVar("A")
B = TypeVar("B")
url_option = click.option(
    "--url",
    envvar="STREAMHOST_URL",
    show_envvar=True,
    help="Address of a running server, such as https://video.example.org.",
)
FOR_ADMINS = "API token of an administrator, good for `admin`, where --url is given."
folder_option = data_directory(f"Directory of the catalog, where no --url is given. {USUAL}")


@dataclass(frozen=True, slots=True)
class Where:
    """What the options of a command say about it."""

    url: str | None
    token: str | None
    data: Path | None

    def desk(self, at_server: Callable[[Remote], A], in_folder: Callable[[Path | None], B]) -> A | B:
        """What does the work there."""
        if self.url is None:
            return in_folder(self.data)
        if self.token is None:
            raise click.UsageError("--url needs a --token.")
        return at_server(Remote(self.url, self.token))


def somewhere(token: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options `--url`, `--token` (`token` is its help), `--data` and `--json`, and for them the
    arguments `where` and `as_json`.

    A directory that is named goes before an address from the environment."""
    token_option = click.option("--token", envvar="STREAMHOST_TOKEN", show_envvar=True, help=token)

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def placed(*args: Any, url: str | None, token: str | None, data: Path | None, **others: Any) -> None:
            if url is not None and data is not None:
                if click.get_current_context().get_parameter_source("url") is not ParameterSource.ENVIRONMENT:
                    raise click.UsageError("Either --url or --data.")
                url = None
            command(*args, where=Where(url, token, data), **others)

        return url_option(token_option(folder_option(json_option(placed))))

    return wrap
