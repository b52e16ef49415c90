"""The command line in this process: a second quicker each time than in one of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from click.testing import CliRunner, Result

from streamhost.cli import main
from tests.support.server import QUICK_HASHES, QUICK_VIDEO, Api

NOTHING: Mapping[str, str] = {}


def run(*words: str, env: Mapping[str, str] = NOTHING, text: str | None = None) -> Result:
    """Run a command with these variables and none else of ours; `text` stands on its standard input."""
    quiet: dict[str, str | None] = {name: None for name in os.environ if name.startswith("STREAMHOST_")}
    return CliRunner().invoke(main, list(words), env={**quiet, **QUICK_HASHES, **QUICK_VIDEO, **env}, input=text)


def afar(api: Api) -> dict[str, str]:
    """The environment of somebody who runs commands elsewhere, with the token that `api` has."""
    return {
        "STREAMHOST_URL": str(api.base_url),
        "STREAMHOST_TOKEN": api.headers["Authorization"].removeprefix("Bearer "),
    }


def document(result: Result, code: int = 0) -> Any:
    """The JSON that a command printed at its end. Loggers that other tests have used before may say something too."""
    assert result.exit_code == code, result.output
    lines = result.stdout.splitlines()
    for number, line in enumerate(lines):
        if line[:1] in ("{", "["):
            try:
                return json.loads("\n".join(lines[number:]))
            except ValueError:
                continue
    raise AssertionError(f"no JSON: {result.output}")
